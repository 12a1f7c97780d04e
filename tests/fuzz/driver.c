// SPDX-License-Identifier: GPL-2.0
/*
 * driver - a main() for fuzz targets where there is no libFuzzer
 *
 *	TARGET [-t SECONDS] [-n RUNS] [-s SEED] [FILE]...
 *
 * Runs the target on each FILE, then on RUNS inputs (100000) or for SECONDS
 * (10), whichever ends first. New inputs are random, or mutations of the files
 * and of each other. This driver gets no feedback from the code, so it is only
 * a smoke test; a real search needs libFuzzer. To find an input that crashes
 * again, run with its seed.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "optparse.h"

#define MAX_SIZE	8192
#define POOL		64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Defined by a target that can make nearly valid inputs. */
size_t fuzz_make_input(uint8_t *data, size_t max, uint64_t (*random)(void))
	__attribute__((weak));

struct input {
	size_t	size;
	uint8_t data[MAX_SIZE];
};

static struct input pool[POOL];
static size_t pool_used;
static uint64_t seed = 1;

/* splitmix64: the same seed must give the same run, nothing more. */
static uint64_t next_random(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void make_random(struct input *in)
{
	in->size = next_random() % 512;
	for (size_t i = 0; i < in->size; i++)
		in->data[i] = next_random();
}

static void mutate_once(struct input *in)
{
	static const uint8_t interesting[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	size_t at, len;

	if (!in->size) {
		make_random(in);
		return;
	}
	at = next_random() % in->size;
	switch (next_random() % 6) {
	case 0:
		in->data[at] ^= 1u << next_random() % 8;
		break;
	case 1:
		in->data[at] = interesting[next_random() % 6];
		break;
	case 2:
		in->data[at] = next_random();
		break;
	case 3:
		in->size = at;
		break;
	case 4:			/* duplicate a piece at another place */
		len = next_random() % (in->size - at) + 1;
		if (in->size + len > MAX_SIZE)
			break;
		memmove(in->data + at + len, in->data + at, in->size - at);
		in->size += len;
		break;
	default:		/* remove a piece */
		len = next_random() % (in->size - at) + 1;
		memmove(in->data + at, in->data + at + len,
			in->size - at - len);
		in->size -= len;
	}
}

static void make_input(struct input *in)
{
	unsigned int n = next_random() % 8;

	if (fuzz_make_input && n < 4)
		in->size = fuzz_make_input(in->data, MAX_SIZE, next_random);
	else if (pool_used && n)
		*in = pool[next_random() % pool_used];
	else
		make_random(in);
	if (!fuzz_make_input || n > 1)
		for (n = next_random() % 8; n; n--)
			mutate_once(in);
}

static void keep(const struct input *in)
{
	if (pool_used < POOL)
		pool[pool_used++] = *in;
	else if (!(next_random() % 16))
		pool[next_random() % POOL] = *in;
}

static int run_file(const char *path)
{
	static struct input in;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -1 : read(fd, in.data, sizeof(in.data));
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		perror(path);
		return 1;
	}
	in.size = n;
	LLVMFuzzerTestOneInput(in.data, in.size);
	keep(&in);
	return 0;
}

static unsigned long run_random(unsigned long runs, time_t seconds)
{
	static struct input in;
	time_t end = time(NULL) + seconds;
	unsigned long i;

	for (i = 0; i < runs; i++) {
		uint8_t *exact;

		if (!(i % 64) && time(NULL) >= end)
			break;
		make_input(&in);
		/*
		 * Copy to a buffer of exactly this size, so that
		 * AddressSanitizer sees reads past its end.
		 */
		exact = malloc(in.size ? in.size : 1);
		memcpy(exact, in.data, in.size);
		LLVMFuzzerTestOneInput(exact, in.size);
		free(exact);
		keep(&in);
	}
	return i;
}

struct options {
	uint64_t seconds;
	uint64_t runs;
	uint64_t seed;
};

#define OPTPARSE_TYPE	struct options

static const struct optparse_row rows[] = {
	OPT_NUMBER("seconds", seconds, "S", 0, INT32_MAX, "stop after S seconds (10)"),
	OPT_NUMBER("runs", runs, "N", 0, UINT64_MAX, "stop after N inputs (100000)"),
	OPT_SIZE("seed", seed, "N", 0, UINT64_MAX, "of the inputs"),
	OPT_END("help", 'h', "print this"),
};

int main(int argc, char **argv)
{
	struct options o = { .seconds = 10, .runs = 100000, .seed = seed };
	const struct optparse_table table = { rows, sizeof(rows) / sizeof(*rows), &o };
	struct optparse p = {
		.program = argv[0], .table = &table, .num_tables = 1,
	};
	unsigned long done;
	int first;

	if (optparse_ending(&p, argc, argv)) {
		optparse_help(&p, stdout, 0);
		return 0;
	}
	if (optparse_run(&p, argc, argv, &first))
		return 2;
	seed = o.seed;
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	for (; first < argc; first++)
		if (run_file(argv[first]))
			return 1;
	done = run_random(o.runs, o.seconds);
	printf("# %lu inputs\n", done);
	return 0;
}
