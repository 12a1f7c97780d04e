// SPDX-License-Identifier: GPL-2.0
/* report - print the results of a run, for people or as JSON */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static void add(struct lane_stats *to, const struct lane_stats *s)
{
	to->requests += s->requests;
	to->reads += s->reads;
	to->writes += s->writes;
	to->flushes += s->flushes;
	to->checked += s->checked;
	to->errors += s->errors;
	to->verify_errors += s->verify_errors;
	to->punches += s->punches;
	to->resets += s->resets;
	to->kicks += s->kicks;
	to->waits += s->waits;
	to->switches += s->switches;
	if (s->load_ns > to->load_ns)
		to->load_ns = s->load_ns;
}

void report_make(struct report *p, const struct run *r)
{
	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < r->nlanes; i++) {
		add(&p->sum, &r->lane[i].stats);
		hist_merge(&p->hist, &r->lane[i].hist);
	}
	p->errors = p->sum.errors + r->errors;
	p->seconds = (double)p->sum.load_ns / 1e9;
	if (p->seconds <= 0)
		return;
	p->iops = (double)p->sum.requests / p->seconds;
	p->bytes_per_second = (double)(p->sum.reads + p->sum.writes) *
			      (double)r->o->bs / p->seconds;
}

bool report_good(const struct report *p)
{
	return !p->errors && !p->sum.verify_errors;
}

static double per_request(const struct report *p, uint64_t n)
{
	return p->sum.requests ? (double)n / (double)p->sum.requests : 0;
}

static void print_json(const struct report *p, const struct run *r)
{
	const struct lane_stats *s = &p->sum;
	const struct hist *h = &p->hist;

	printf("{\"queues\": %u, \"depth\": %" PRIu64 ", \"bs\": %" PRIu64
	       ", \"seconds\": %.6f, \"requests\": %" PRIu64
	       ", \"reads\": %" PRIu64 ", \"writes\": %" PRIu64
	       ", \"flushes\": %" PRIu64 ", ",
	       r->nlanes, r->o->depth, r->o->bs, p->seconds, s->requests,
	       s->reads, s->writes, s->flushes);
	printf("\"iops\": %.1f, \"bytes_per_second\": %.0f, ", p->iops,
	       p->bytes_per_second);
	printf("\"latency_ns\": {\"mean\": %" PRIu64 ", \"p50\": %" PRIu64
	       ", \"p99\": %" PRIu64 ", \"p99.9\": %" PRIu64
	       ", \"max\": %" PRIu64 "}, ",
	       hist_mean(h), hist_quantile(h, 500), hist_quantile(h, 990),
	       hist_quantile(h, 999), h->max);
	printf("\"kicks_per_request\": %.4f, \"waits_per_request\": %.4f, "
	       "\"switches_per_request\": %.4f, ",
	       per_request(p, s->kicks), per_request(p, s->waits),
	       per_request(p, s->switches));
	printf("\"features\": \"0x%" PRIx64 "\", ", r->dev.features);
	printf("\"checked\": %" PRIu64 ", \"punches\": %" PRIu64
	       ", \"resets\": %" PRIu64 ", \"disconnects\": %" PRIu64
	       ", \"late_completions\": %" PRIu64
	       ", \"errors\": %" PRIu64 ", \"verify_errors\": %" PRIu64 "}\n",
	       s->checked, s->punches, s->resets, r->disconnects, r->late, p->errors,
	       s->verify_errors);
}

static void print_human(const struct report *p, const struct run *r)
{
	const struct lane_stats *s = &p->sum;
	const struct hist *h = &p->hist;

	printf("%" PRIu64 " requests (%" PRIu64 " reads, %" PRIu64
	       " writes, %" PRIu64 " flushes) of %" PRIu64
	       " bytes in %.3f s, %u queue%s, depth %" PRIu64 "\n",
	       s->requests, s->reads, s->writes, s->flushes, r->o->bs,
	       p->seconds, r->nlanes, r->nlanes == 1 ? "" : "s", r->o->depth);
	printf("%.0f IOPS, %.1f MiB/s\n", p->iops,
	       p->bytes_per_second / (1 << 20));
	printf("latency us: mean %.1f, p50 %.1f, p99 %.1f, p99.9 %.1f, "
	       "max %.1f\n", (double)hist_mean(h) / 1e3,
	       (double)hist_quantile(h, 500) / 1e3,
	       (double)hist_quantile(h, 990) / 1e3,
	       (double)hist_quantile(h, 999) / 1e3, (double)h->max / 1e3);
	printf("per request: %.3f kicks, %.3f waits, %.3f context switches\n",
	       per_request(p, s->kicks), per_request(p, s->waits),
	       per_request(p, s->switches));
	if (r->o->common.verify)
		printf("%" PRIu64 " blocks checked, %" PRIu64 " wrong\n",
		       s->checked, s->verify_errors);
	if (r->o->log)
		printf("%" PRIu64 " pages logged\n", dirty_count(&r->dev.log));
	if (s->punches)
		printf("%" PRIu64 " buffers punched\n", s->punches);
	if (s->resets)
		printf("%" PRIu64 " resets of a queue\n", s->resets);
	if (r->disconnects)
		printf("%" PRIu64 " disconnects, %" PRIu64
		       " completions after them\n", r->disconnects, r->late);
	printf("%" PRIu64 " errors\n", p->errors);
}

void report_print(const struct report *p, const struct run *r)
{
	for (unsigned int i = 0; i < r->nlanes; i++)
		if (r->lane[i].fatal)
			fprintf(stderr, "doorbell-bench: queue %u: %s\n", i,
				r->lane[i].fatal);
	if (r->o->common.json)
		print_json(p, r);
	else
		print_human(p, r);
}
