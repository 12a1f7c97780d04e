// SPDX-License-Identifier: GPL-2.0
/* net_report - print the results of a run, for people or as JSON */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "net_run.h"
#include "vhd.h"

struct sums {
	/* Counted within the measured time */
	struct net_stats	s;
	uint64_t		packets;
	uint64_t		bytes;
	/* Frames of the whole run, as are the next ones */
	uint64_t		sent;
	uint64_t		seen;
	uint64_t		lost;
	uint64_t		duplicates;
	uint64_t		reordered;
	uint64_t		wrong;
	uint64_t		errors;
	double			seconds;
	struct hist		hist;
};

static const char * const loads[] = { "tx", "rx", "echo", "pass" };

static void add(struct net_stats *to, const struct net_stats *from,
		const struct net_stats *begin)
{
	const uint64_t *a = (const uint64_t *)from;
	const uint64_t *b = (const uint64_t *)begin;
	uint64_t *sum = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += a[i] - b[i];
}

/*
 * Frames within the measured time: those that arrived, or, where arrivals are
 * not counted, those that the sending queue has used.
 */
static uint64_t packets(const struct net_lane *l)
{
	const struct net_options *o = l->o;

	if (!net_options_host_reads(o) && o->load == NET_LOAD_TX)
		return l->at_end.done - l->at_begin.done;
	if (o->host == NET_HOST_NONE && o->load == NET_LOAD_RX)
		return l->at_end.received - l->at_begin.received;
	if (o->host == NET_HOST_NONE && o->load == NET_LOAD_ECHO)
		return l->at_end.answers - l->at_begin.answers;
	return l->seen_at_end - l->seen_at_begin;
}

static void make(struct sums *p, const struct net_run *r)
{
	const struct net_options *o = r->o;

	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < r->nlanes; i++) {
		const struct net_lane *l = &r->lane[i];

		add(&p->s, &l->at_end, &l->at_begin);
		p->packets += packets(l);
		p->sent += l->stats.sent;
		p->seen += l->check[i].seen;
		p->duplicates += l->check[i].duplicates;
		p->reordered += l->check[i].reordered;
		p->wrong += l->stats.wrong;
		p->errors += l->stats.errors;
		hist_merge(&p->hist, &l->hist);
	}
	p->errors += r->errors;
	p->bytes = o->size == o->min_size ? p->packets * o->size : p->s.bytes;
	p->seconds = (double)(r->gate.end.meter.ns - r->gate.begin.meter.ns) / 1e9;
	if ((o->load == NET_LOAD_PASS || o->host != NET_HOST_NONE) &&
	    p->sent > p->seen)
		p->lost = p->sent - p->seen;
}

static void print_cost(const char *name, double from, double to)
{
	if (from < 0 || to < 0)
		printf("\"%s\": null, ", name);
	else
		printf("\"%s\": %.0f, ", name, to - from);
}

/*
 * Prints the counters of the first card's pairs; they count from the card's
 * creation.
 */
static void print_card(const struct net_run *r)
{
	static const struct {
		const char	*name;
		size_t		at;
	} members[] = {
#define MEMBER(m) { #m, offsetof(struct vhost_doorbell_net_stats, m) }
		MEMBER(rx_packets), MEMBER(rx_bytes), MEMBER(rx_batches),
		MEMBER(rx_hooks), MEMBER(rx_polls), MEMBER(rx_punts),
		MEMBER(rx_dry), MEMBER(rx_drop_long), MEMBER(rx_drop_offload),
		MEMBER(rx_drop_dead), MEMBER(tx_packets), MEMBER(tx_bytes),
		MEMBER(tx_batches), MEMBER(tx_large), MEMBER(tx_drop_bad),
		MEMBER(tx_drop_port), MEMBER(tx_drop_down),
#undef MEMBER
	};
	uint64_t sum[ARRAY_SIZE(members)] = { 0 };

	for (unsigned int i = 0; i < r->o->pairs; i++) {
		struct vhost_doorbell_net_stats s;

		if (vhd_get_net_stats(r->card[0].dev.fd[0], i, &s))
			return;
		for (size_t j = 0; j < ARRAY_SIZE(members); j++) {
			__u64 value;

			memcpy(&value, (char *)&s + members[j].at, sizeof(value));
			sum[j] += value;
		}
	}
	printf("\"card\": {");
	for (size_t j = 0; j < ARRAY_SIZE(members); j++)
		printf("%s\"%s\": %" PRIu64, j ? ", " : "", members[j].name,
		       sum[j]);
	printf("}, ");
}

static void print_json(const struct sums *p, const struct net_run *r)
{
	const struct net_meter *a = &r->gate.begin.meter, *b = &r->gate.end.meter;
	const struct net_options *o = r->o;
	const struct hist *h = &p->hist;

	printf("{\"load\": \"%s\", \"pairs\": %" PRIu64 ", \"batch\": %" PRIu64
	       ", \"depth\": %" PRIu64 ", \"size\": %" PRIu64 ", ",
	       loads[o->load], o->pairs, o->batch, o->depth, o->size);
	printf("\"seconds\": %.6f, \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"rate\": %.1f, \"bytes_per_second\": %.0f, ",
	       p->seconds, p->packets, p->bytes,
	       p->seconds > 0 ? (double)p->packets / p->seconds : 0,
	       p->seconds > 0 ? (double)p->bytes / p->seconds : 0);
	printf("\"sent\": %" PRIu64 ", \"seen\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"duplicates\": %" PRIu64 ", \"reordered\": %" PRIu64
	       ", \"others\": %" PRIu64 ", \"merged\": %" PRIu64 ", ",
	       p->sent, p->seen, p->lost, p->duplicates, p->reordered,
	       p->s.others, p->s.merged);
	printf("\"kicks\": %" PRIu64 ", \"interrupts\": %" PRIu64
	       ", \"waits\": %" PRIu64 ", ", p->s.kicks, p->s.interrupts,
	       p->s.waits);
	print_cost("insn", a->insn, b->insn);
	print_cost("kernel_insn", a->kernel_insn, b->kernel_insn);
	print_cost("ctxsw", a->ctxsw, b->ctxsw);
	print_cost("irqs", a->irqs, b->irqs);
	print_cost("cpu_us", a->cpu_us, b->cpu_us);
	if (h->count)
		printf("\"latency_ns\": {\"mean\": %" PRIu64 ", \"p50\": %" PRIu64
		       ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}, ",
		       hist_mean(h), hist_quantile(h, 500),
		       hist_quantile(h, 990), h->max);
	if (r->o->doorbell)
		print_card(r);
	printf("\"features\": \"0x%" PRIx64 "\", \"errors\": %" PRIu64
	       ", \"verify_errors\": %" PRIu64 "}\n", r->card[0].dev.features,
	       p->errors, p->wrong);
}

static void print_human(const struct sums *p, const struct net_run *r)
{
	double n = p->packets ? (double)p->packets : 1;
	const struct net_meter *a = &r->gate.begin.meter, *b = &r->gate.end.meter;
	const struct hist *h = &p->hist;

	printf("%s: %" PRIu64 " frames, %" PRIu64 " bytes in %.3f s\n",
	       loads[r->o->load], p->packets, p->bytes, p->seconds);
	if (p->seconds > 0)
		printf("%.0f frames/s, %.1f MiB/s\n",
		       (double)p->packets / p->seconds,
		       (double)p->bytes / p->seconds / (1 << 20));
	printf("per frame: %.3f kicks, %.3f interrupts, %.3f waits",
	       (double)p->s.kicks / n, (double)p->s.interrupts / n,
	       (double)p->s.waits / n);
	if (a->ctxsw >= 0)
		printf(", %.3f context switches", (b->ctxsw - a->ctxsw) / n);
	if (a->insn >= 0)
		printf(", %.0f instructions", (b->insn - a->insn) / n);
	printf("\n");
	if (h->count)
		printf("request us: mean %.1f, p50 %.1f, p99 %.1f, max %.1f\n",
		       (double)hist_mean(h) / 1e3,
		       (double)hist_quantile(h, 500) / 1e3,
		       (double)hist_quantile(h, 990) / 1e3, (double)h->max / 1e3);
	printf("%" PRIu64 " sent, %" PRIu64 " lost, %" PRIu64 " twice, %" PRIu64
	       " out of order, %" PRIu64 " wrong, %" PRIu64 " of others\n"
	       "%" PRIu64 " errors\n", p->sent, p->lost, p->duplicates,
	       p->reordered, p->wrong, p->s.others, p->errors);
}

bool net_report(const struct net_run *r)
{
	static struct sums p;

	for (unsigned int i = 0; i < r->nlanes; i++)
		if (r->lane[i].fatal)
			fprintf(stderr, "doorbell-bench: pair %u: %s\n", i,
				r->lane[i].fatal);
	make(&p, r);
	if (r->o->common.json)
		print_json(&p, r);
	else
		print_human(&p, r);
	/* With several pairs, frames of a stream may arrive in any order. */
	if (r->o->pairs == 1)
		p.errors += p.reordered;
	return !p.errors && !p.wrong && !p.duplicates && p.lost <= r->o->lose;
}
