/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hist - a latency histogram of fixed size
 *
 * Each power of two of nanoseconds has HIST_SUB buckets, so the relative error
 * of each value is at most 1/HIST_SUB.
 */
#ifndef HIST_H
#define HIST_H

#include <stdint.h>

#define HIST_SUB_BITS	5
#define HIST_SUB	(1u << HIST_SUB_BITS)
#define HIST_BUCKETS	((64 - HIST_SUB_BITS + 1) * HIST_SUB)

struct hist {
	uint64_t	count;
	uint64_t	sum;
	uint64_t	max;
	uint64_t	bucket[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t ns);
void hist_merge(struct hist *into, const struct hist *from);
uint64_t hist_mean(const struct hist *h);
/* @per_mille: 500 is the median. 0 when the histogram is empty. */
uint64_t hist_quantile(const struct hist *h, unsigned int per_mille);

#endif
