// SPDX-License-Identifier: GPL-2.0
/*
 * ioeventfd - does the running kernel keep what the ioeventfd patch promised?
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

static const struct optparse table[] = {
	{ "count", OPT_NUMBER, offsetof(struct ioeventfd_options, count), "N",
	  "rings of each test that counts (10000)", 1, 1u << 30 },
	{ "help", OPT_FLAG, offsetof(struct ioeventfd_options, help), NULL,
	  "print this", 0, 0 },
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

static int help(void)
{
	printf("usage: doorbell-bench ioeventfd [OPTION]...\n\n");
	optparse_help(table, ARRAY_SIZE(table));
	printf("\nThe results are TAP.\n"
	       "Exit status: 0 all is well, 1 a test failed, 2 usage.\n");
	return BENCH_OK;
}

int cmd_ioeventfd(int argc, char **argv)
{
	struct ioeventfd_options o = { .count = 10000 };
	struct ioev t = { 0 };
	struct vmm probe;
	const char *what;
	int ret;

	if (optparse(table, ARRAY_SIZE(table), &o, argc, argv))
		return BENCH_USAGE;
	if (o.help)
		return help();
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
