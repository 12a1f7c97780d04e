// SPDX-License-Identifier: GPL-2.0
/* The command line of vhost-doorbell-net: valid and invalid options */
#include <string.h>

#include "log.h"
#include "net_options.h"
#include "test_vu.h"
#include "vhd.h"

#define MAX_ARGS	12

static struct net_options o;
static char words[MAX_ARGS][128];

/* Parses @line; returns the exit status, or 0 if the daemon would start. */
static int parse(const char *line)
{
	char text[512], *save, *word, *argv[MAX_ARGS + 1];
	int argc = 0, status = -1;

	strcpy(words[argc++], "vhost-doorbell-net");
	strcpy(text, line);
	for (word = strtok_r(text, " ", &save); word && argc < MAX_ARGS;
	     word = strtok_r(NULL, " ", &save))
		strcpy(words[argc++], word);
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	argv[argc] = NULL;
	if (net_options_parse(&o, argc, argv, &status))
		CHECK_EQ(status, 0);
	return status;
}

static void test_good(void)
{
	CHECK_EQ(parse("--tap=t0 --socket-path=/s"), 0);
	CHECK(o.kind == PORT_TAP && !strcmp(o.name, "t0") && o.queues == 1 &&
	      !o.mtu && !o.bridge);
	CHECK_EQ(o.features, NET_FEATURES_ON);
	CHECK(!strcmp(o.common.socket_path, "/s") && o.common.fd == -1);
	CHECK_EQ(parse("--tap=t0,create --bridge=br0 --queues=32 --mtu=68 --fd=3"), 0);
	CHECK(o.kind == PORT_TAP_CREATE && !strcmp(o.name, "t0") &&
	      !strcmp(o.bridge, "br0") && o.queues == 32 && o.mtu == 68 &&
	      o.common.fd == 3);
	CHECK_EQ(parse("--tap-fd=5,6 --tap-fd=7 --connect=/c"), 0);
	CHECK(o.kind == PORT_TAP_FD && o.queues == 3 && o.fd[0] == 5 &&
	      o.fd[2] == 7 && !strcmp(o.common.connect, "/c"));
	CHECK_EQ(parse("--tap-fd=5,6 --queues=2 --connect=/c"), 0);
	CHECK_EQ(parse("--macvtap=mv0 --socket-path=/s --mode=poll --poll-us=7"), 0);
	CHECK(o.kind == PORT_MACVTAP && o.common.exec.poll_us == 7);
	CHECK_EQ(parse("--dev=card%d --bridge=br0 --socket-path=/s --verbose"), 0);
	CHECK(o.kind == PORT_DEV && log_level == LOG_LEVEL_DEBUG);
	log_level = LOG_LEVEL_INFO;
}

static void test_features(void)
{
	CHECK_EQ(parse("--tap=t0 --fd=3 --no-guest-offload"), 0);
	CHECK_EQ(o.features, NET_FEATURES_ON & ~NET_FEATURES_GUEST_OFFLOAD);
	CHECK_EQ(parse("--tap=t0 --fd=3 --features=guest_tso4=off,in_order=on"), 0);
	CHECK_EQ(o.features, (NET_FEATURES_ON & ~BIT(VIRTIO_NET_F_GUEST_TSO4)) |
			     BIT(VIRTIO_F_IN_ORDER));
	CHECK_EQ(parse("--tap=t0 --fd=3 --features=mac=on"), EXIT_USAGE);
	CHECK_EQ(parse("--tap=t0 --fd=3 --features=flush=on"), EXIT_USAGE);
	CHECK_EQ(parse("--tap=t0 --fd=3 --features=csum"), EXIT_USAGE);
}

/* The words are in the order of the modes. */
static void test_modes(void)
{
	char line[64];

	for (unsigned int i = 0; vhd_mode_name(i); i++) {
		snprintf(line, sizeof(line), "--tap=t0 --fd=3 --mode=%s",
			 vhd_mode_name(i));
		CHECK_EQ(parse(line), 0);
		CHECK_EQ(o.common.exec.mode, i);
	}
	CHECK_EQ(parse("--tap=t0 --fd=3 --mode=worker --mode=auto"), 0);
	CHECK_EQ(o.common.exec.mode, VHOST_DOORBELL_MODE_AUTO);
}

static void test_bad(void)
{
	static const char * const lines[] = {
		"",
		"--tap=t0",
		"--socket-path=/s",
		"--tap=t0 --socket-path=/s --fd=3",
		"--tap=t0 --socket-path=/s --connect=/c",
		"--tap=t0 --dev=d0 --fd=3",
		"--tap=t0 --tap-fd=3 --fd=4",
		"--tap= --fd=3",
		"--tap=sixteen-letters- --fd=3",
		"--tap=a/b --fd=3",
		"--tap=t0,persist --fd=3",
		"--macvtap=t0,create --fd=3",
		"--tap=,create --fd=3",
		"--tap-fd=x --fd=3",
		"--tap-fd=4,,5 --fd=3",
		"--tap-fd=4, --fd=3",
		"--tap-fd=-1 --fd=3",
		"--tap-fd=4294967300 --fd=3",
		"--tap-fd=4,4 --fd=3",
		"--tap-fd=4,5 --queues=3 --fd=3",
		"--tap=t0 --bridge=br0 --fd=3",
		"--macvtap=t0 --bridge=br0 --fd=3",
		"--tap=t0 --queues=0 --fd=3",
		"--tap=t0 --queues=33 --fd=3",
		"--tap=t0 --mtu=67 --fd=3",
		"--tap=t0 --mtu=65536 --fd=3",
		"--tap=t0 --queue-size=128 --fd=3",
		"--tap=t0 --queue-size=300 --fd=3",
		"--tap=t0 --mode=fast --fd=3",
		"--tap=t0 --fd=3x",
		"--tap=t0 --fd=-1",
		"--tap=t0 --fd=3 --poll-us=0",
		"--tap=t0 --fd=3 --poll-us=1k",
		"--tap=t0 --fd=3 --poll-share=101",
		"--tap=t0 --fd=3 --coalesce-us=10001",
		"--tap=t0 --fd=3 --coalesce-count=0",
		"--tap=t0 --fd=3 --cpus=8-4",
		"--tap=t0 --fd=3 --cpu=1",
		"--tap=t0 --fd=3 --verbose=yes",
		"--tap=t0 --fd",
		"--tap=t0 --fd=3 more",
		"--tap=t0 --fd=3 --blk-file=/d",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK_EQ(parse(lines[i]), EXIT_USAGE);
		if (test_failed)
			printf("# %s\n", lines[i]);
	}
}

static const struct test tests[] = {
	{ "good command lines", test_good },
	{ "features", test_features },
	{ "modes", test_modes },
	{ "bad command lines", test_bad },
};

int main(void)
{
	/* The tests do not check messages. */
	if (!freopen("/dev/null", "w", stderr))
		return EXIT_FAILURE;
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
