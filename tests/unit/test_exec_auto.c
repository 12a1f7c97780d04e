// SPDX-License-Identifier: GPL-2.0
/*
 * exec_auto.c: does mode auto have the ringing thread or the worker serve a
 * ring?
 */
#include <linux/ktime.h>
#include <linux/sched/stat.h>

#include "exec.h"
#include "tap.h"
#include "vq.h"
#include "world.h"

static struct bell_vq vq;
static struct bell_exec_config cfg;
static struct bell_exec exec;

static void begin(u32 in_flight)
{
	memset(&vq, 0, sizeof(vq));
	memset(&exec, 0, sizeof(exec));
	cfg = (struct bell_exec_config){ .inline_max = 8 };
	exec.cfg = &cfg;
	exec.vq = &vq;
	bell_gmem_user_init(&vq.user);
	while (in_flight--)
		bell_gmem_user_enter(&vq.user);
	shim_now = 5 * NSEC_PER_MSEC;
	shim_crowded = false;
}

/*
 * @n rings, one each @us microseconds, with a request each. Returns how many
 * the ringing thread served.
 */
static u32 ring(u32 n, u32 us)
{
	u32 served = 0;

	while (n--) {
		shim_now += us * NSEC_PER_USEC;
		vq.stats.requests++;
		served += bell_exec_auto_inline(&exec);
	}
	return served;
}

static void test_in_flight(void)
{
	begin(7);
	CHECK_EQ(ring(1000, 1), 1000);
	begin(8);
	/* In its first window auto mode has no measurement yet. */
	ring(1000, 1);
	CHECK_EQ(ring(1000, 1), 0);
	bell_gmem_user_cancel(&vq.user, 0);
	CHECK_EQ(ring(1000, 1), 1000);
}

static void test_rate(void)
{
	begin(100);
	ring(1000, 1);
	CHECK_EQ(ring(1000, 19), 0);
	/* A decision uses the figures of the window before. */
	ring(100, 21);
	CHECK_EQ(ring(1000, 21), 1000);
	ring(100, 19);
	CHECK_EQ(ring(1000, 19), 0);
	/*
	 * A ring after which many requests are taken counts as many requests.
	 */
	for (u32 i = 0; i < 10; i++) {
		vq.stats.requests += 99;
		ring(1, 1500);
		vq.stats.requests += 99;
		CHECK_EQ(ring(1, 1500), 0);
	}
}

/* @n inline passes, of which @bad leave something to the worker */
static void try(u32 n, u32 bad)
{
	while (n--) {
		if (bad) {
			bell_exec_auto_would_block(&exec);
			bad--;
		}
		bell_exec_auto_tried(&exec);
	}
}

static void test_blocked(void)
{
	begin(0);
	try(15, 15);
	CHECK_EQ(ring(100, 1), 100);
	try(1, 1);
	CHECK_EQ(ring(257, 1), 1);
	/*
	 * Up to 11 of 16 passes may leave something to the worker, such as
	 * flushes.
	 */
	for (u32 i = 0; i < 10; i++)
		try(16, 11);
	CHECK_EQ(ring(100, 1), 100);
	/* Many requests of one pass that would block count as one failure. */
	for (u32 i = 0; i < 100; i++)
		bell_exec_auto_would_block(&exec);
	try(16, 0);
	CHECK_EQ(ring(100, 1), 100);
	try(16, 12);
	CHECK_EQ(ring(100, 1), 0);
}

static void test_crowded(void)
{
	begin(100);
	ring(1000, 1);
	CHECK_EQ(ring(100, 1), 0);
	bell_exec_auto_crowd(&exec);
	CHECK_EQ(ring(100, 1), 0);
	shim_crowded = true;
	bell_exec_auto_crowd(&exec);
	CHECK_EQ(ring(64, 1), 64);
	CHECK_EQ(ring(100, 1), 0);
	/*
	 * Even while another task wants the CPU, rings whose passes would block
	 * go to the worker.
	 */
	bell_exec_auto_crowd(&exec);
	try(16, 16);
	CHECK_EQ(ring(256 + 64, 1), 64);
}

/*
 * @n rings with @batch requests each, on a disk that completes at once. A pass
 * takes @by_ringer or @by_worker microseconds. Returns how many rings the
 * ringing thread served.
 */
static u32 burst(u32 n, u32 batch, u32 by_ringer, u32 by_worker)
{
	u32 served = 0;

	while (n--) {
		bool own = bell_exec_auto_inline(&exec);

		vq.stats.requests += batch;
		shim_now += (own ? by_ringer : by_worker) * NSEC_PER_USEC;
		served += own;
	}
	return served;
}

static void test_bursts(void)
{
	/*
	 * With few requests a ring, the ringing thread serves, even if the
	 * worker is faster.
	 */
	begin(0);
	CHECK_EQ(burst(10000, 7, 100, 10), 10000);
	/* The worker serves, except while the ringing thread is tried. */
	begin(0);
	burst(10000, 32, 100, 80);
	CHECK(burst(10000, 32, 100, 80) < 1000);
	/* The worker must be faster by some margin. */
	begin(0);
	burst(10000, 32, 100, 97);
	CHECK(burst(10000, 32, 100, 97) > 9000);
	begin(0);
	burst(10000, 32, 100, 300);
	CHECK(burst(10000, 32, 100, 300) > 9000);
	/*
	 * The mode changes back after some trials, and at once if each ring
	 * brings few requests.
	 */
	burst(20000, 32, 100, 50);
	CHECK(burst(10000, 32, 100, 50) < 1000);
	burst(20000, 32, 50, 100);
	CHECK(burst(10000, 32, 50, 100) > 9000);
	burst(20000, 32, 100, 50);
	burst(128, 1, 100, 50);
	CHECK_EQ(burst(10000, 1, 100, 50), 10000);
	/* If the clock stands still no pass can be timed. */
	begin(0);
	burst(10000, 32, 0, 0);
	CHECK_EQ(burst(10000, 32, 0, 0), 10000);
	/* If rings with many requests are rare the worker is not used. */
	begin(0);
	burst(10000, 1000, 50000, 50000);
	CHECK(burst(10000, 1000, 50000, 50000) > 9000);
}

/* The driver begins to bring few requests a ring while the worker is on trial. */
static void test_trial_ends(void)
{
	u32 rings = 0;

	begin(0);
	while (burst(1, 32, 100, 97) && rings < 1000)
		rings++;
	CHECK(rings < 1000);
	burst(64, 1, 100, 97);
	CHECK_EQ(burst(1000, 1, 100, 97), 1000);
}

/*
 * The time between two bursts is no part of the time that the requests take. (A span has 64
 * rings; each burst begins with a span.)
 */
static void test_bursts_apart(void)
{
	begin(0);
	burst(64 * 300, 32, 100, 97);
	for (u32 i = 0; i < 20; i++) {
		burst(128, 1, 100, 97);
		shim_now += NSEC_PER_SEC;
		CHECK(burst(1024, 32, 100, 97) > 512);
	}
}

static void test_bursts_crowded(void)
{
	begin(0);
	burst(10000, 32, 100, 50);
	shim_crowded = true;
	bell_exec_auto_crowd(&exec);
	CHECK_EQ(burst(64, 32, 100, 50), 64);
	CHECK(burst(64, 32, 100, 50) < 64);
	try(16, 16);
	CHECK_EQ(burst(256, 32, 100, 50), 0);
}

/*
 * @n frames of @bytes that a port delivers one at a time. Delivery takes
 * @by_softirq microseconds in the sender's softirq or @by_worker in the worker.
 * Returns how many frames the softirq delivered.
 */
static u32 frames(u32 n, u32 bytes, u32 by_softirq, u32 by_worker)
{
	u32 served = 0;

	while (n--) {
		bool own = bell_exec_auto_softirq(&exec);

		vq.stats.requests++;
		vq.stats.bytes_read += bytes;
		shim_now += (own ? by_softirq : by_worker) * NSEC_PER_USEC;
		served += own;
	}
	return served;
}

static void test_frames(void)
{
	/*
	 * Small frames, one at a time: the softirq delivers, even if the worker
	 * is faster.
	 */
	begin(0);
	exec.bytes_shift = BELL_EXEC_FRAME_SHIFT;
	CHECK_EQ(frames(10000, 1500, 100, 10), 10000);
	/* A large frame is as much work as many small ones. */
	begin(0);
	exec.bytes_shift = BELL_EXEC_FRAME_SHIFT;
	frames(10000, 65000, 100, 50);
	CHECK(frames(10000, 65000, 100, 50) < 1000);
	frames(20000, 65000, 50, 100);
	CHECK(frames(10000, 65000, 50, 100) > 9000);
	/* For a disk so many bytes are little work, and a request of 1 MiB is much. */
	begin(0);
	exec.bytes_shift = BELL_EXEC_DISK_SHIFT;
	CHECK_EQ(frames(10000, 65000, 100, 50), 10000);
	begin(0);
	exec.bytes_shift = BELL_EXEC_DISK_SHIFT;
	frames(10000, 1 << 20, 100, 50);
	CHECK(frames(10000, 1 << 20, 100, 50) < 1000);
	/* While another sender holds the lock, nothing is counted. */
	begin(0);
	exec.bytes_shift = BELL_EXEC_FRAME_SHIFT;
	exec.automatic.busy = 1;
	CHECK_EQ(frames(10000, 65000, 100, 50), 10000);
}

static const struct tap_test tests[] = {
	{ "exec auto: requests in flight", test_in_flight },
	{ "exec auto: how fast they come", test_rate },
	{ "exec auto: what would block", test_blocked },
	{ "exec auto: no CPU to spare", test_crowded },
	{ "exec auto: many requests a ring", test_bursts },
	{ "exec auto: few requests a ring, during a trial", test_trial_ends },
	{ "exec auto: bursts with time between them", test_bursts_apart },
	{ "exec auto: the same without a CPU to spare", test_bursts_crowded },
	{ "exec auto: frames of a network", test_frames },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
