// SPDX-License-Identifier: GPL-2.0
/*
 * hist - a latency histogram of fixed size
 */
#include "hist.h"

static unsigned int hist_index(uint64_t ns)
{
	unsigned int shift;

	if (ns < HIST_SUB)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - HIST_SUB_BITS;
	return (shift + 1) * HIST_SUB + (unsigned int)(ns >> shift) - HIST_SUB;
}

/* The value in the middle of a bucket. */
static uint64_t hist_value(unsigned int index)
{
	unsigned int shift;

	if (index < HIST_SUB)
		return index;
	shift = index / HIST_SUB - 1;
	return ((uint64_t)(HIST_SUB + index % HIST_SUB) << shift) +
	       ((1ull << shift) >> 1);
}

void hist_add(struct hist *h, uint64_t ns)
{
	h->count++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
	h->bucket[hist_index(ns)]++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	into->count += from->count;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

uint64_t hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}

uint64_t hist_quantile(const struct hist *h, unsigned int per_mille)
{
	uint64_t want = (h->count * per_mille + 999) / 1000;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= want && seen)
			return hist_value(i) < h->max ? hist_value(i) : h->max;
	}
	return 0;
}
