/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench - what the subcommands of doorbell-bench share
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <time.h>

#ifndef VHD_VERSION
#define VHD_VERSION "0.1"
#endif

#define BENCH_OK	0
#define BENCH_FAILED	1
#define BENCH_USAGE	2

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static inline uint64_t bench_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A 64-bit LCG with a mixed output: repeatable from a seed on every libc. */
static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t x;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	x = *state ^ (*state >> 33);
	x *= 0xff51afd7ed558ccdu;
	return x ^ (x >> 33);
}

/* Subcommands: argv[0] is the subcommand's name; return an exit status. */
int cmd_emulate(int argc, char **argv);
int cmd_ioeventfd(int argc, char **argv);
int cmd_bell(int argc, char **argv);

#endif
