// SPDX-License-Identifier: GPL-2.0
/* test_ctl_detail - histograms, failures and names of devices, as doorbellctl reads them */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "detail.h"
#include "metrics.h"
#include "scan.h"
#include "test_ctl.h"

static struct detail d;

static int parse(const char *key, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", value);
	return detail_parse(&d, key, text);
}

static void test_lines(void)
{
	const struct vhost_doorbell_hist *h;

	ok(!parse("hist3-write", "count=6 sum=600 max=150 24:2 26:4 127:0"),
	   "a histogram");
	h = detail_find(&d, 3, VHOST_DOORBELL_KIND_WRITE);
	ok(h && h->count == 6 && h->sum == 600 && h->max == 150 &&
	   h->buckets[24] == 2 && h->buckets[26] == 4, "with all its numbers");
	ok(!detail_find(&d, 3, VHOST_DOORBELL_KIND_READ) &&
	   !detail_find(&d, 2, VHOST_DOORBELL_KIND_WRITE), "no other has any");
	ok(!parse("hist0-later", "count=1 1:1") && d.num_hists == 1,
	   "a kind of a newer module is left out");
	ok(parse("hist0-read", "count=1 128:1") == -EINVAL, "bucket 128 is none");
	ok(parse("hist0-read", "count=1 -1:1") == -EINVAL, "nor is -1");
	ok(parse("hist64-read", "count=1 1:1") == -EINVAL, "queue 64 is none");
	ok(parse("hist0-read", "sum=x") == -EINVAL, "a sum is a number");
	ok(!parse("errors2", "errors=5 flush-nospc=5 last_kind=flush last_cause=nospc last_errno=28 last_status=1 last_time=9"),
	   "failures");
	ok(d.errors[2].failed[VHOST_DOORBELL_KIND_FLUSH][VHOST_DOORBELL_CAUSE_NOSPC] == 5 &&
	   d.errors[2].last_kind == VHOST_DOORBELL_KIND_FLUSH &&
	   d.errors[2].last_cause == VHOST_DOORBELL_CAUSE_NOSPC &&
	   d.errors[2].last_errno == 28 && d.errors[2].last_status == 1 &&
	   d.errors[2].last_time == 9, "by kind and cause, and the last one");
	ok(d.errors[2].last_sector == VHOST_DOORBELL_NO_SECTOR,
	   "which has no sector");
	ok(!parse("flight1", "oldest_ns=77 held=3") &&
	   d.errors[1].oldest_ns == 77 && d.errors[1].held == 3, "requests in flight");
	ok(parse("queue4", "size=1 held=8") == 1 && d.errors[4].held == 8,
	   "held requests in the queue's line, which others read too");
	ok(parse("pair0", "rx_packets=1") == 1 && parse("history", "1") == 1,
	   "other lines are not ours");
}

static void test_quantiles(void)
{
	struct vhost_doorbell_hist h = { .count = 100, .max = 1000 }, before;

	ok(detail_bucket_low(0) == 0 && detail_bucket_low(3) == 3 &&
	   detail_bucket_low(4) == 4 && detail_bucket_low(24) == 128 &&
	   detail_bucket_low(127) == 7ull << 30, "buckets begin where the header says");
	for (unsigned int i = 1; i < VHOST_DOORBELL_HIST_BUCKETS; i++)
		if (detail_bucket_low(i) <= detail_bucket_low(i - 1))
			ok(false, "bucket %u begins too early", i);
	h.buckets[24] = 100;	/* 128 to 159 */
	h.sum = 14000;
	ok(detail_quantile(&h, 0.5) == 144, "the median of one bucket is its middle");
	h.max = 136;
	ok(detail_quantile(&h, 1) == 136, "no quantile is above the maximum");
	before = h;
	h.buckets[26] += 300;
	h.count += 300;
	detail_subtract(&h, &before);
	ok(h.count == 300 && !h.buckets[24] && h.buckets[26] == 300,
	   "what came between two looks");
	h = before;
	before.count++;
	detail_subtract(&h, &before);
	ok(h.count == 100, "less than before: counted from zero again");
	memset(&h, 0, sizeof(h));
	ok(isnan(detail_quantile(&h, 0.5)), "no values, no median");
	detail_add(&h, &before);
	ok(h.buckets[24] == 100 && h.max == 136, "a sum");
}

static void test_units(void)
{
	char unit[64];

	scan_parse_unit("0::/system.slice/vhost-doorbell-blk@web.service\n", unit,
			  sizeof(unit));
	ok(!strcmp(unit, "vhost-doorbell-blk@web"), "the instance of a unit");
	scan_parse_unit("0::/system.slice/other.service\n", unit, sizeof(unit));
	ok(!*unit, "another unit");
	scan_parse_unit("0::/vhost-doorbell-blk.service\n", unit, sizeof(unit));
	ok(!*unit, "one without instances");
	scan_parse_unit("0::/vhost-doorbell-blk@0123456789.service", unit, 16);
	ok(!*unit, "one that does not fit");
	scan_parse_unit("0::/disks.slice/disks-fast.slice/vhost-doorbell-blk@a.service\n",
			unit, sizeof(unit));
	ok(!strcmp(unit, "vhost-doorbell-blk@a"), "in a slice of the operator's");
	scan_parse_unit("1:name=systemd:/system.slice/vhost-doorbell-net@a.service\n0::/\n",
			unit, sizeof(unit));
	ok(!strcmp(unit, "vhost-doorbell-net@a"), "of control groups version 1");
	scan_parse_unit("0::/user.slice/user-1.slice/user@1.service/vhost-doorbell-blk@a.service\n",
			unit, sizeof(unit));
	ok(!*unit, "a user's own");
	scan_parse_unit("0::/machine.slice/x.scope/vhost-doorbell-blk@a.service\n",
			unit, sizeof(unit));
	ok(!*unit, "a container's");
	scan_parse_unit("0::/system.slice/vhost-doorbell-blk@a.service/b.service\n",
			unit, sizeof(unit));
	ok(!*unit, "a part of one");
}

static void test_label(void)
{
	char text[64] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (out) {
		metrics_label(out, "a\"b\\c\nd\x01\xff");
		fclose(out);
	}
	ok(!strcmp(text, "\"a\\\"b\\\\c\\nd??\""), "a label is escaped: %s", text);
}

int main(void)
{
	test_lines();
	test_quantiles();
	test_units();
	test_label();
	detail_free(&d);
	printf("1..%u\n", tests);
	return !!failures;
}
