/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hist - log-scaled histograms: latencies of requests, lengths of frames
 *
 * Latencies are measured with the CPU's cycle counter (TSC): reading it takes one
 * instruction, reading the kernel's clock about thirty.
 */
#ifndef BELL_HIST_H
#define BELL_HIST_H

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/timex.h>
#include <linux/types.h>

/* As in struct vhost_doorbell_hist: four buckets for each power of 2 */
#define BELL_HIST_BUCKETS	128
#define BELL_HIST_SHIFT		24

/*
 * Histogram of one queue and one kind of request. Written under the queue's vq->lock.
 * Values are nanoseconds or bytes.
 */
struct bell_hist {
	u64	sum;
	u64	max;
	u64	bucket[BELL_HIST_BUCKETS];
} ____cacheline_aligned_in_smp;

/*
 * Module parameter `histograms`. While it is off, the code that fills them is jumped
 * over at no cost (static key).
 */
DECLARE_STATIC_KEY_FALSE(bell_hist_key);

/* Nanoseconds per cycle, times 2^BELL_HIST_SHIFT; constant after the module's init. */
extern u32 bell_hist_ns_per_cycle;

void bell_hist_init(void);

static __always_inline bool bell_hist_is_on(void)
{
	return static_branch_unlikely(&bell_hist_key);
}

/* bell_hist_index() - number of the bucket that holds @value */
static inline u32 bell_hist_index(u64 value)
{
	u32 log;

	if (value < 4)
		return value;
	log = fls64(value) - 1;
	return min_t(u32, 4 * log - 8 + (value >> (log - 2)),
		     BELL_HIST_BUCKETS - 1);
}

/* bell_hist_add() - add @value to a histogram; under the queue's vq->lock */
static inline void bell_hist_add(struct bell_hist *h, u64 value)
{
	u64 *bucket = &h->bucket[bell_hist_index(value)];

	WRITE_ONCE(*bucket, *bucket + 1);
	WRITE_ONCE(h->sum, h->sum + value);
	if (unlikely(value > h->max))
		WRITE_ONCE(h->max, value);
}

/* bell_hist_now() - the present time in cycles; never zero */
static inline u64 bell_hist_now(void)
{
	return get_cycles() | 1;
}

/* bell_hist_ns_since() - nanoseconds since bell_hist_now() returned @begin */
static inline u64 bell_hist_ns_since(u64 begin)
{
	s64 cycles = get_cycles() - begin;

	/*
	 * The counter of this CPU may be slightly behind that of the CPU that read
	 * @begin.
	 */
	if (unlikely(cycles < 0))
		return 0;
	return mul_u64_u32_shr(cycles, bell_hist_ns_per_cycle, BELL_HIST_SHIFT);
}

#endif
