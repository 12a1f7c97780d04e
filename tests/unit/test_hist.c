// SPDX-License-Identifier: GPL-2.0
/*
 * hist.c: the bucket of each value, and the conversion of cycles to nanoseconds
 */
#include <linux/module.h>
#include <string.h>

#include <uapi/linux/vhost_doorbell.h>

#include "hist.h"
#include "tap.h"

extern unsigned int tsc_khz;
extern const struct kernel_param_ops *shim_param_histograms;

/* The lowest value of a bucket, by the formula in the UAPI header */
static u64 lowest(u32 n)
{
	return n < 4 ? n : (4ULL + n % 4) << (n / 4 - 1);
}

static void test_buckets(void)
{
	u32 n;

	CHECK_EQ(BELL_HIST_BUCKETS, VHOST_DOORBELL_HIST_BUCKETS);
	for (n = 0; n < BELL_HIST_BUCKETS; n++) {
		CHECK_EQ(bell_hist_index(lowest(n)), n);
		if (n + 1 < BELL_HIST_BUCKETS)
			CHECK_EQ(bell_hist_index(lowest(n + 1) - 1), n);
	}
	CHECK_EQ(bell_hist_index(lowest(BELL_HIST_BUCKETS)),
		 BELL_HIST_BUCKETS - 1);
	CHECK_EQ(bell_hist_index(1ULL << 63), BELL_HIST_BUCKETS - 1);
	CHECK_EQ(bell_hist_index(~0ULL), BELL_HIST_BUCKETS - 1);
}

static void test_switch(void)
{
	char text[8];

	CHECK(!bell_hist_is_on());
	CHECK_EQ(shim_param_histograms->set("maybe", NULL), -EINVAL);
	CHECK(!bell_hist_is_on());
	CHECK_EQ(shim_param_histograms->set("1", NULL), 0);
	CHECK(bell_hist_is_on());
	CHECK_EQ(shim_param_histograms->get(text, NULL), 2);
	CHECK(!strcmp(text, "Y\n"));
	CHECK_EQ(shim_param_histograms->set("N", NULL), 0);
	CHECK(!bell_hist_is_on());
	/* The parameter without a value, as in "vhost_doorbell.histograms" */
	CHECK_EQ(shim_param_histograms->set(NULL, NULL), 0);
	CHECK(bell_hist_is_on());
}

static void test_add(void)
{
	static struct bell_hist h;
	u64 i, n = 0;

	for (i = 0; i < 100000; i += 7)
		bell_hist_add(&h, i);
	CHECK_EQ(h.max, 99995);
	CHECK_EQ(h.sum, 7ULL * (14285 * 14286ULL / 2));
	for (i = 0; i < BELL_HIST_BUCKETS; i++)
		n += h.bucket[i];
	CHECK_EQ(n, 14286);
	/*
	 * The values 0, 98 and 105; the last two belong to the bucket of 96 to
	 * 111.
	 */
	CHECK_EQ(h.bucket[0], 1);
	CHECK_EQ(h.bucket[bell_hist_index(98)], 2);
}

static void test_clock(void)
{
	u64 begin;

	tsc_khz = 2000000;
	bell_hist_init();
	shim_cycles = 0;
	begin = bell_hist_now();
	CHECK(begin);
	shim_cycles = 2000001;
	CHECK_EQ(bell_hist_ns_since(begin), 1000000);
	/* After a day */
	shim_cycles = 86400ULL * 2000000000 + 1;
	CHECK_EQ(bell_hist_ns_since(begin), 86400ULL * 1000000000);
	/*
	 * 2.45 GHz: a cycle is no whole number of nanoseconds. The error stays
	 *    below 10^-6.
	 */
	tsc_khz = 2450000;
	bell_hist_init();
	shim_cycles = 2450000000ULL + 1;
	CHECK(bell_hist_ns_since(begin) <= 1000000000);
	CHECK(bell_hist_ns_since(begin) > 999999000);
	/* The time-stamp counter of another CPU is behind. */
	shim_cycles = 1000;
	begin = bell_hist_now();
	shim_cycles = 900;
	CHECK_EQ(bell_hist_ns_since(begin), 0);
}

static void test_no_counter(void)
{
	u64 begin;

	bell_hist_ns_per_cycle = 0;
	tsc_khz = 0;
	bell_hist_init();
	shim_cycles = 0;
	begin = bell_hist_now();
	CHECK_EQ(bell_hist_ns_since(begin), 0);
}

static const struct tap_test tests[] = {
	{ "hist: the lowest and the highest value of each bucket", test_buckets },
	{ "hist: off until the administrator switches them on", test_switch },
	{ "hist: sum, maximum and buckets", test_add },
	{ "hist: nanoseconds of cycles", test_clock },
	{ "hist: a CPU without a counter", test_no_counter },
};

int main(void)
{
	TAP_RUN(tests);
	return tap_done();
}
