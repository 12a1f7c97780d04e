// SPDX-License-Identifier: GPL-2.0
/*
 * doorbell-bench - load generators and test drivers for doorbells
 *
 * driver/	the emulated virtio-blk driver: vhost-user front end, shared memory,
 *		rings, requests
 * load/	the load generator of a disk, and single requests
 * net/		the same for a network card
 * hostile/	drivers that break the rules, of disks and of network cards
 * vmm/		a small VMM of our own on /dev/kvm
 * ioeventfd/	conformance: what KVM_IOEVENTFD promises
 * bell/	the table of what one ring of the doorbell costs
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

static void usage(FILE *to)
{
	fprintf(to, "usage: doorbell-bench SUBCOMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(to, "  %-10s %s\n", subcommands[i].name,
			subcommands[i].help);
	fprintf(to, "\n  --help     print this; after a subcommand, its options\n"
		    "  --version  print the version\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return BENCH_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return BENCH_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("doorbell-bench %s\n", VHD_VERSION);
		return BENCH_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(argv[1], subcommands[i].name))
			return subcommands[i].fn(argc - 1, argv + 1);
	fprintf(stderr, "doorbell-bench: no subcommand '%s'\n", argv[1]);
	usage(stderr);
	return BENCH_USAGE;
}
