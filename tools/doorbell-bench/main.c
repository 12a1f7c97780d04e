// SPDX-License-Identifier: GPL-2.0
/*
 * doorbell-bench - load generators and test drivers for doorbells
 *
 * driver/		the emulated virtio-blk driver: vhost-user front end, shared memory,
 *		rings, requests
 * load/		a load generator for disks, and single requests
 * net/		the same for network cards
 * hostile/	drivers of disks and network cards that break the rules
 * vmm/		a small VMM on /dev/kvm
 * ioeventfd/	conformance tests of KVM_IOEVENTFD
 * bell/		measures what one ring of the doorbell costs
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

struct subcommand {
	const char	*name;
	int		(*fn)(int argc, char **argv);
	const char	*help;
};

static const struct subcommand subcommands[] = {
	{ "emulate", cmd_emulate,
	  "play the guest's virtio-blk or virtio-net driver" },
	{ "ioeventfd", cmd_ioeventfd,
	  "test what KVM_IOEVENTFD promises on this kernel" },
	{ "bell", cmd_bell,
	  "measure what a ring costs, by every way to ring" },
};

static const struct optparse_row rows[] = {
	OPT_END("help", 'h', "print this; after a subcommand, its options"),
	OPT_END("version", 'V', "print the version"),
};

static const struct optparse_table table = { rows, ARRAY_SIZE(rows), NULL };

/* The options of the program itself: they stand before the subcommand. */
static const struct optparse global = {
	.program = BENCH_PROGRAM, .table = &table, .num_tables = 1,
};

static void usage(FILE *to)
{
	fprintf(to, "usage: doorbell-bench SUBCOMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(to, "  %-10s %s\n", subcommands[i].name,
			subcommands[i].help);
	fputc('\n', to);
	optparse_help(&global, to, 0);
}

int main(int argc, char **argv)
{
	const struct optparse_row *end;

	if (argc < 2) {
		usage(stderr);
		return BENCH_USAGE;
	}
	end = optparse_ending(&global, 2, argv);
	if (end == &rows[1]) {
		printf(BENCH_PROGRAM " %s\n", VHD_VERSION);
		return BENCH_OK;
	}
	if (end) {
		usage(stdout);
		return BENCH_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(argv[1], subcommands[i].name))
			return subcommands[i].fn(argc - 1, argv + 1);
	bench_complain(argv[1], *argv[1] == '-' ? "unknown option, see --help" :
		       "no such subcommand, see --help");
	return BENCH_USAGE;
}
