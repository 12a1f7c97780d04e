// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of the log: front ends that cause many lines, or try to write their
 * own text into it.
 */
#include <errno.h>

#include "limit.h"
#include "log.h"
#include "number.h"
#include "test_vu_server.h"

#define ALL_LINES	60	/* lines that front ends can cause at once */
/* of these, lines about the messages of one front end */
#define ITS_LINES	10
/* milliseconds until one more line is allowed */
#define REFILL		5000

static char text[1 << 20];

static void read_log(void)
{
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
}

/* Reads the log; returns the sum of all numbers of suppressed messages. */
static unsigned int suppressed(void)
{
	static const char words[] = " messages suppressed\n";
	unsigned int sum = 0;

	read_log();
	for (char *at = text; (at = strstr(at, words)); at++) {
		const char *number = at;
		uint64_t n = 0;

		while (number > text && number[-1] >= '0' && number[-1] <= '9')
			number--;
		CHECK_EQ(number_next(&number, UINT32_MAX, &n), 0);
		sum += n;
	}
	return sum;
}

/* Number of lines in the log, without those that report suppressed messages. */
static unsigned int shown(void)
{
	return said("\n") - said("messages suppressed");
}

/* Are @lines no more than the limit allows since @began? */
static bool few(unsigned int lines, unsigned int burst, int64_t began)
{
	int64_t more = (loop_now() - began) / REFILL + 1;

	printf("# %u lines, %u suppressed, %lld ms\n", lines, suppressed(),
	       (long long)(loop_now() - began));
	return lines <= burst + more;
}

/*
 * Closes a front end's socket, and waits until the server has read all of its
 * messages.
 */
static void leave(int sock, unsigned int gone)
{
	close(sock);
	for (int i = 0; i < HANG_MS && said("front end has gone") < gone; i++)
		usleep(1000);
}

static int negotiate(void)
{
	int a = dial();

	CHECK_EQ(tell(a, VU_SET_OWNER, NULL, 0), 0);
	CHECK_EQ(tell_u64(a, VU_SET_PROTOCOL_FEATURES,
			  BIT(VU_PROTOCOL_F_REPLY_ACK)), 0);
	CHECK_EQ(tell_u64(a, VU_SET_FEATURES, BIT(32) | BIT(30)), 0);
	return a;
}

/* Sends a request that the server refuses, and reads the answer. */
static void ask_in_vain(int sock, uint32_t size)
{
	struct vu_state bad = { 0, size };
	uint32_t back[5];

	CHECK_EQ(tell_fd(sock, VU_SET_VRING_NUM, VU_FLAG_NEED_REPLY, &bad,
			 sizeof(bad), -1), 0);
	CHECK(readable(sock) &&
	      recv(sock, back, sizeof(back), MSG_WAITALL) == sizeof(back));
	CHECK(back[3]);
}

static void test_one_connection(void)
{
	int64_t began = loop_now();
	int a;

	setup(0);
	a = negotiate();
	for (int i = 0; i < 2000; i++)
		ask_in_vain(a, 3);
	CHECK(few(said("SET_VRING_NUM: ring size 3"), ITS_LINES, began));
	/*
	 * The server's own lines are never suppressed, for example those about
	 * the end of a connection.
	 */
	leave(a, 1);
	CHECK_EQ(said("front end connected"), 1);
	CHECK_EQ(said("front end has gone"), 1);
	CHECK_EQ(said("SET_VRING_NUM: ring size 3") + suppressed(), 2000);
	/* The first error of the next front end is logged, too. */
	a = negotiate();
	ask_in_vain(a, 5);
	CHECK_EQ(said("SET_VRING_NUM: ring size 5"), 1);
	leave(a, 2);
	teardown();
}

static void test_many_connections(void)
{
	int64_t began = loop_now();
	unsigned int lines;
	int a;

	setup(0);
	for (int i = 0; i < 1000; i++) {
		a = dial();
		CHECK_EQ(tell(a, 0, NULL, 0), 0);
		CHECK(refused(a));
		close(a);
	}
	CHECK(said("unknown message: request 0") > 0);
	lines = said("\n");
	/*
	 * Before each line there may be one that reports suppressed messages.
	 */
	CHECK(few(lines, 2 * ALL_LINES, began));
	CHECK(few(shown(), ALL_LINES, began));
	teardown_keep_log();
	/*
	 * At its end the server reports the last suppressed messages. Each
	 * connection caused two lines.
	 */
	CHECK_EQ(shown() + suppressed(), 2000);
	close_log();
}

/* splitmix64 */
static uint64_t next(void)
{
	static uint64_t seed = 1;
	uint64_t z = seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* A message of any kind, with any payload and perhaps a descriptor */
static int say_something(int sock)
{
	static const uint32_t sizes[] = { 0, 8, 8, 16, 40, 12, 33 };
	uint64_t payload[8];
	uint32_t size = sizes[next() % 7];

	for (int i = 0; i < 8; i++)
		payload[i] = next() % 3 ? next() % 4 : next();
	return tell_fd(sock, next() % 45, next() % 2 ? VU_FLAG_NEED_REPLY : 0,
		       payload, size, next() % 4 ? -1 : resize_fd);
}

static void test_noise(void)
{
	int64_t began = loop_now();
	unsigned int said_in_all = 0;
	char junk[4096];
	int a;

	setup(0);
	for (int i = 0; i < 300; i++) {
		a = next() % 2 ? dial() : negotiate();
		for (int n = 0; n < 100 && !say_something(a); n++, said_in_all++)
			recv(a, junk, sizeof(junk), MSG_DONTWAIT);
		close(a);
	}
	/*
	 * When the next front end is served, all messages of the last one were
	 * read.
	 */
	a = dial();
	CHECK(answers(a));
	close(a);
	printf("# %u messages\n", said_in_all);
	CHECK(said_in_all > 300);
	CHECK(few(said("\n"), 2 * ALL_LINES, began));
	for (const char *c = text; *c; c++)
		CHECK(*c == '\n' || (unsigned char)*c >= ' ');
	teardown();
}

/* A file name with a line break and an escape sequence for terminals */
static void test_name(void)
{
	static const char name[] = "/var/tmp/test_vu_flood\n<0>panic\x1b[8m";
	int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600), a;
	struct {
		uint32_t	 nregions, padding;
		struct vu_region r;
	} table = { 1, 0, { 0, 65536, 0x7f0000000000ULL, 0 } };

	CHECK(fd >= 0);
	unlink(name);
	setup(0);
	a = negotiate();
	CHECK_EQ(tell_fd(a, VU_SET_MEM_TABLE, 0, &table, sizeof(table), fd), 0);
	CHECK(refused(a));
	close(a);
	close(fd);
	CHECK_EQ(said("/var/tmp/test_vu_flood\\x0a<0>panic\\x1b[8m (deleted); it "
		      "must be memfd"), 1);
	CHECK_EQ(said("\n<"), 0);
	CHECK_EQ(said("\x1b"), 0);
	teardown();
}

/* Takes a token of bucket @l at time @now, in ms. False if it has none. */
static bool pass(struct vu_limit *l, int64_t now)
{
	bool ready = vu_limit_ready(l, now);

	if (ready)
		vu_limit_take(l);
	return ready;
}

static void test_limit(void)
{
	struct vu_limit l = { .burst = 3, .refill_ms = 100 };

	for (int i = 0; i < 3; i++)
		CHECK(pass(&l, 1000000));
	CHECK(!pass(&l, 1000000));
	CHECK(!pass(&l, 1000099));
	CHECK(pass(&l, 1000100));
	CHECK(!pass(&l, 1000150));
	/* vu_limit_ready() takes no token. */
	CHECK(vu_limit_ready(&l, 1000200));
	CHECK(pass(&l, 1000200));
	CHECK(!pass(&l, 1000200));
	/* After a long time the bucket is full, and holds no more than that. */
	for (int i = 0; i < 3; i++)
		CHECK(pass(&l, 900000000));
	CHECK(!pass(&l, 900000000));
}

static const struct test tests[] = {
	{ "one connection does not flood the log", test_one_connection },
	{ "many connections do not, either", test_many_connections },
	{ "nor does noise, which stays out of it", test_noise },
	{ "names of files are not printed raw", test_name },
	{ "limit: lines pass", test_limit },
};

TEST_MAIN(tests)
