// SPDX-License-Identifier: GPL-2.0
/* The file of --config, and the daemon's interface to a service manager */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "activation.h"
#include "keeper.h"
#include "blk_options.h"
#include "log.h"
#include "notify.h"
#include "server.h"
#include "test_vu.h"

static struct blk_options o;
static char conf[] = "/tmp/test_vu_config.XXXXXX";
static char said[1024];

static void write_conf(const char *text, size_t n)
{
	FILE *f = fopen(conf, "w");

	CHECK(f && fwrite(text, 1, n, f) == n && !fclose(f));
}

/*
 * Parses the options of the daemon; returns the exit status. Its messages go to
 * said[].
 */
static int run(char **argv, int argc)
{
	int status = -1, out;

	free(o.common.config);
	out = test_capture();
	if (blk_options_parse(&o, argc, argv, &status))
		CHECK_EQ(status, 0);
	test_capture_end(out, said, sizeof(said));
	return status;
}

static int parse_file(const char *path)
{
	char *argv[] = { "vhost-doorbell-blk", "--config", (char *)path, NULL };

	return run(argv, 3);
}

static int parse(const char *text)
{
	write_conf(text, strlen(text));
	return parse_file(conf);
}

static void test_good(void)
{
	CHECK_EQ(parse("# a disk\n\nblk-file = /dev/vg0/with space\n"
		       "  socket-path=/s  \r\n\tqueues\t=\t3\n"
		       "read-only = yes\nverbose = no\nfeatures=discard=off\n"
		       "mode = worker\nserial = a=b # c"), 0);
	CHECK(!strcmp(o.blk_file, "/dev/vg0/with space"));
	CHECK(!strcmp(o.common.socket_path, "/s"));
	CHECK_EQ(o.queues, 3);
	CHECK(o.read_only && log_level == LOG_LEVEL_INFO);
	CHECK(!(o.features & BIT(VIRTIO_BLK_F_DISCARD)));
	CHECK_EQ(o.common.exec.mode, VHOST_DOORBELL_MODE_WORKER);
	CHECK(!strcmp(o.serial, "a=b # c"));
	CHECK_EQ(parse("blk-file = /b\nsocket-path = /s\nread-only = off"), 0);
	CHECK(!o.read_only);
}

/*
 * The last of several equal options wins, in the file or on the command line.
 */
static void test_order(void)
{
	char *argv[] = { "vhost-doorbell-blk", "--queues=1", "--config", conf,
			 "--blk-file=/late", NULL };
	const char *text = "blk-file = /b\nsocket-path = /s\nqueues = 2\n";

	write_conf(text, strlen(text));
	CHECK_EQ(run(argv, 5), 0);
	CHECK_EQ(o.queues, 2);
	CHECK(!strcmp(o.blk_file, "/late"));
}

/*
 * A flag that a file sets to no is off, even if an earlier setting had turned
 * it on.
 */
static void test_off(void)
{
	char *argv[] = { "vhost-doorbell-blk", "--read-only", "--verbose",
			 "--on-enospc=wait", "--config", conf, NULL };
	const char *text = "blk-file = /b\nsocket-path = /s\nread-only = no\n"
			   "verbose = off\non-enospc = error\n";

	write_conf(text, strlen(text));
	CHECK_EQ(run(argv, 6), 0);
	CHECK(!o.read_only && !o.hold_nospc && log_level == LOG_LEVEL_INFO);
}

/* --cache decides the feature FLUSH, and must not contradict --features. */
static void test_cache(void)
{
	static const struct {
		const char *text;
		bool on, asked;
	} rows[] = {
		{ "", true, false },
		{ "cache = auto", true, false },
		{ "cache = writeback", true, true },
		{ "cache = writethrough", false, false },
		{ "cache = writeback\nfeatures = flush=on", true, true },
		{ "features = flush=off\ncache = writethrough", false, false },
		{ "features = flush=off\ncache = auto", false, false },
		{ "cache = writeback\nfeatures = config_wce=on", true, true },
		{ "features = config_wce=on", true, false },
		{ "cache = writethrough\nfeatures = config_wce=off", false, false },
	};
	char text[256];

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text),
			 "blk-file = /b\nsocket-path = /s\n%s\n", rows[i].text);
		CHECK_EQ(parse(text), 0);
		CHECK_EQ(!!(o.features & BIT(VIRTIO_BLK_F_FLUSH)), rows[i].on);
		CHECK_EQ(!!(o.asked & BIT(VIRTIO_BLK_F_FLUSH)), rows[i].asked);
	}
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		const char *where;	/* line number and message */
	} rows[] = {
		{ "blk-file = /b\nqueue = 1\n", ":2: queue: unknown setting" },
		{ "help = yes", ":1: help: unknown setting" },
		{ "config = /x", ":1: config: unknown setting" },
		{ "version = yes", ":1: version: unknown setting" },
		{ "print-capabilities = yes", ":1: print-capabilities: unknown setting" },
		{ "\n\nread-only\n", ":3: 'read-only' is not KEY = VALUE" },
		{ "= 3", ":1: : unknown setting" },
		{ "serial =  \n", ":1: serial: needs a value, TEXT" },
		{ "serial = 123456789012345678901", "is longer than 20 bytes" },
		{ "read-only =", ":1: read-only: '' is not yes or no" },
		{ "read-only = maybe", ":1: read-only: 'maybe' is not yes or no" },
		{ "queues = 65", ":1: queues: '65' is not a number from 1 to 64" },
		{ "queues = 1 # one", "queues: '1 # one' is not a number from 1 to 64" },
		{ "queue-size = 96", "queue-size: '96' is not a power of 2 from 4 to 1024" },
		{ "mode = fast", "mode: 'fast' is not auto, worker, inline or poll" },
		{ "format = qcow2", "format: 'qcow2' is not raw" },
		{ "cpus = 1-", "cpus: '1-' is not a list of CPUs" },
		{ "features = discard=off,x=on", "features: 'x=on' is not a feature" },
		{ "features = discard", "'discard' is not NAME=on or NAME=off" },
		{ "features = mq=on", "features: 'mq=on' cannot be switched" },
		{ "cache = none", "cache: 'none' is not auto, writeback or writethrough" },
		{ "blk-file = /b\nsocket-path = /s\ncache = writeback\nfeatures = flush=off",
		  "--cache: writeback contradicts --features=flush=off" },
		{ "blk-file = /b\nsocket-path = /s\ncache = writethrough\nfeatures = flush=on",
		  "--cache: writethrough contradicts --features=flush=on" },
		{ "blk-file = /b\nsocket-path = /s\ncache = writethrough\nfeatures = config_wce=on",
		  "--cache: writethrough contradicts --features=config_wce=on" },
		{ "blk-file = /b\nsocket-path = /s\nfeatures = config_wce=on,flush=off",
		  "--features: config_wce=on needs flush" },
		{ "[Disk]", ":1: '[Disk]' is not KEY = VALUE" },
		{ "blk-file = /b", "give one of --socket-path" },
		{ "", "--blk-file: is missing" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(parse(rows[i].text), EXIT_USAGE);
		CHECK(strstr(said, rows[i].where));
	}
	write_conf("a\0b", 3);
	CHECK_EQ(parse_file(conf), EXIT_USAGE);
	CHECK(strstr(said, "not a text file"));
	CHECK_EQ(parse_file("/tmp"), EXIT_FAILURE);
	CHECK(strstr(said, "/tmp: Is a directory"));
	CHECK_EQ(parse_file("/nowhere/x.conf"), EXIT_FAILURE);
	CHECK(strstr(said, "/nowhere/x.conf: No such file"));
}

static void test_twice(void)
{
	char *argv[] = { "vhost-doorbell-blk", "--config", conf, "--config",
			 conf, NULL };

	write_conf("blk-file = /b\n", 14);
	CHECK_EQ(run(argv, 5), EXIT_USAGE);
	CHECK(strstr(said, "--config: given twice"));
}

/*
 * Sets LISTEN_FDS to @fds, and LISTEN_PID to this process or, with @other, to
 * another one.
 */
static void pass(const char *fds, bool other)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid() + other);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	setenv("LISTEN_FDNAMES", "x", 1);
}

/* Runs the test in a child, where descriptor 3 may be replaced. */
static void in_child(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		test();
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

#define MUST(cond) do { if (!(cond)) _exit(__LINE__ % 250 + 1); } while (0)

static void passed(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	MUST(s >= 0 && (s == 3 || dup2(s, 3) == 3));
	MUST(activation_take() == -ENOENT);
	pass("1", true);
	MUST(activation_take() == -ENOENT && !getenv("LISTEN_PID"));
	pass("0", false);
	MUST(activation_take() == -ENOENT);
	pass("2", false);
	MUST(activation_take() == -E2BIG && !getenv("LISTEN_FDS"));
	pass("x", false);
	MUST(activation_take() == -EINVAL);
	pass("1", false);
	MUST(activation_take() == 3 && fcntl(3, F_GETFD) == FD_CLOEXEC);
	MUST(!getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
	/* Given to the next program, it is taken again. */
	activation_give(3, false);
	MUST(!(fcntl(3, F_GETFD) & FD_CLOEXEC) && !getenv(ACTIVATION_FIRST));
	MUST(!keeper_has_us() && activation_take() == 3);
	activation_give(-1, false);
	MUST(activation_take() == -ENOENT);
	activation_give(-1, true);
	MUST(keeper_has_us() && activation_take() == -ENOENT);
	MUST(dup2(3, 70) == 70);
	activation_give(70, true);
	MUST(keeper_has_us() && activation_take() == 70 && !keeper_has_us());
	close(3);
	pass("1", false);
	MUST(activation_take() == -EBADF);
}

static void passed_options(void)
{
	MUST(dup2(STDERR_FILENO, 3) == 3);
	pass("1", false);
	MUST(!parse("blk-file = /b") && o.common.fd == 3);
	pass("1", false);
	MUST(!parse("blk-file = /b\nfd = 3") && o.common.fd == 3);
	pass("1", false);
	MUST(parse("blk-file = /b\nfd = 4") == EXIT_USAGE);
	MUST(strstr(said, "descriptor 3; leave out --fd"));
	pass("1", false);
	MUST(parse("blk-file = /b\nsocket-path = /s") == EXIT_USAGE);
	MUST(strstr(said, "leave out --socket-path"));
	pass("1", false);
	MUST(parse("blk-file = /b\nconnect = /s") == EXIT_USAGE);
	MUST(strstr(said, "leave out --connect"));
	pass("2", false);
	MUST(parse("blk-file = /b") == EXIT_USAGE);
	MUST(strstr(said, "more than one socket"));
}

static void test_activation(void)
{
	in_child(passed);
	in_child(passed_options);
}

static void notified(const char *name, socklen_t n, const char *env)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[64];

	memcpy(a.sun_path, name, n);
	CHECK(!bind(s, (struct sockaddr *)&a,
		    offsetof(struct sockaddr_un, sun_path) + n));
	setenv("NOTIFY_SOCKET", env, 1);
	CHECK_EQ(notify_send("READY=1\nSTATUS=x", true), 0);
	CHECK_EQ(recv(s, buf, sizeof(buf), MSG_DONTWAIT), 16);
	CHECK(!memcmp(buf, "READY=1\nSTATUS=x", 16));
	close(s);
}

static void test_notify(void)
{
	char env[64], name[64];
	int n = snprintf(name, sizeof(name), "%s.sock", conf);

	unsetenv("NOTIFY_SOCKET");
	CHECK_EQ(notify_send("READY=1", false), 0);
	notified(name, n, name);
	CHECK_EQ(notify_send("READY=1", false), -ECONNREFUSED);
	unlink(name);
	snprintf(env, sizeof(env), "@test_vu_config.%d", (int)getpid());
	memcpy(name, env, sizeof(name));
	name[0] = '\0';
	notified(name, strlen(env), env);
	setenv("NOTIFY_SOCKET", "relative", 1);
	CHECK_EQ(notify_send("READY=1", false), -EINVAL);
	unsetenv("NOTIFY_SOCKET");
}

/* A socket that systemd passed keeps listening after the daemon has ended. */
static void test_still_listens(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct vu_server server = { .socket.sock = -1 };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c, copy = -1;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s.sock", conf);
	CHECK(!bind(s, (struct sockaddr *)&a, sizeof(a)) && !listen(s, 4));
	copy = dup(s);
	CHECK_EQ(vu_server_inherit(&server, copy), 0);
	vu_server_close(&server);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!connect(c, (struct sockaddr *)&a, sizeof(a)));
	close(c);
	close(s);
	CHECK(!unlink(a.sun_path));
}

static const struct test tests[] = {
	{ "good files", test_good },
	{ "the last setting counts", test_order },
	{ "yes and no", test_off },
	{ "what --cache decides", test_cache },
	{ "bad files, and what is said of them", test_bad },
	{ "one file only", test_twice },
	{ "a socket that systemd passes", test_activation },
	{ "which lives on", test_still_listens },
	{ "what systemd is told", test_notify },
};

int main(void)
{
	int fd = mkstemp(conf), ret;

	if (fd < 0)
		return EXIT_FAILURE;
	close(fd);
	ret = test_main(tests, sizeof(tests) / sizeof(*tests));
	unlink(conf);
	free(o.common.config);
	return ret;
}
