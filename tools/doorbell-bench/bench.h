/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench - helpers for all subcommands of doorbell-bench
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <time.h>

#include "optparse.h"
#include "version.h"

#define BENCH_PROGRAM	"doorbell-bench"
#define VHD_VERSION	VHOST_DOORBELL_VERSION

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

/*
 * A 64-bit LCG with a mixed output: the same sequence from a seed on every
 * libc.
 */
static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t x;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	x = *state ^ (*state >> 33);
	x *= 0xff51afd7ed558ccdu;
	return x ^ (x >> 33);
}

/*
 * Prints "doorbell-bench: WHAT: WHY" about the command line. Returns -EINVAL.
 */
static inline int bench_complain(const char *what, const char *why)
{
	return optparse_complain(BENCH_PROGRAM, what, why);
}

/*
 * Parses a command line of a subcommand that has only the options of @table.
 * Returns 0 or -EINVAL.
 */
static inline int bench_options(const struct optparse_table *table, int argc,
				char **argv)
{
	struct optparse p = {
		.program = BENCH_PROGRAM, .table = table, .num_tables = 1,
	};

	return optparse_run(&p, argc, argv, NULL);
}

static inline void bench_options_help(const struct optparse_table *table)
{
	const struct optparse p = { .table = table, .num_tables = 1 };

	optparse_help(&p, stdout, 0);
}

/* Subcommands: argv[0] is the subcommand's name; return an exit status. */
int cmd_emulate(int argc, char **argv);
int cmd_ioeventfd(int argc, char **argv);
int cmd_bell(int argc, char **argv);

#endif
