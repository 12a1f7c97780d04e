// SPDX-License-Identifier: GPL-2.0
/*
 * ioeventfd - tests that the running kernel's KVM_IOEVENTFD works as documented
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "ioev.h"
#include "optparse.h"

struct ioeventfd_options {
	uint64_t	count;
	bool		help;
};

#define OPTPARSE_TYPE	struct ioeventfd_options

static const struct optparse_row rows[] = {
	OPT_SIZE("count", count, "N", 1, 1u << 30,
		 "rings of each test that counts (10000)"),
	OPT_FLAG("help", help, "print this", .letter = 'h'),
};

static void (*const groups[])(struct ioev *t) = {
	ioev_test_match,
	ioev_test_any,
	ioev_test_datamatch,
	ioev_test_errors,
	ioev_test_collision,
	ioev_test_stranger,
	ioev_test_count,
	ioev_test_fire,
	ioev_test_close,
	ioev_test_limit,
	ioev_test_bell,
};

static int help(const struct optparse_table *table)
{
	printf("usage: doorbell-bench ioeventfd [OPTION]...\n\n");
	bench_options_help(table);
	printf("\nThe results are TAP.\n"
	       "Exit status: 0 all is well, 1 a test failed, 2 usage.\n");
	return BENCH_OK;
}

int cmd_ioeventfd(int argc, char **argv)
{
	struct ioeventfd_options o = { .count = 10000 };
	const struct optparse_table table = { rows, ARRAY_SIZE(rows), &o };
	struct ioev t = { 0 };
	struct vmm probe;
	const char *what;
	int ret;

	if (bench_options(&table, argc, argv))
		return BENCH_USAGE;
	if (o.help)
		return help(&table);
	ret = vmm_create(&probe, &what);
	if (ret) {
		fprintf(stderr, "doorbell-bench: %s: %s\n", what,
			strerror(-ret));
		return BENCH_FAILED;
	}
	vmm_destroy(&probe);

	setvbuf(stdout, NULL, _IOLBF, 0);
	t.count = o.count;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i](&t);
	printf("1..%u\n", t.results);
	return t.failed ? BENCH_FAILED : BENCH_OK;
}
