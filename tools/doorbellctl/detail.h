/* SPDX-License-Identifier: GPL-2.0 */
/*
 * detail - latencies, failures and waiting requests of a queue, from fdinfo
 *
 * They come from the lines histN-KIND, errorsN and flightN, which appear only
 * if they have something to report, and from held= of queueN.
 */
#ifndef DOORBELLCTL_DETAIL_H
#define DOORBELLCTL_DETAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vhost_doorbell.h>

struct detail {
	struct vhost_doorbell_errors	 errors[VHOST_DOORBELL_MAX_QUEUES];
	size_t				 num_hists;
	struct vhost_doorbell_hist	*hist;
};

/* "read", "write" and so on; NULL ends the list. */
extern const char * const detail_kinds[];
/* "io", "nospc" and so on; NULL ends the list. */
extern const char * const detail_causes[];

/*
 * Parses a line if @key is histN-KIND, errorsN, flightN or queueN; @value is
 * changed. Returns 0, 1 for another key, -EINVAL for an impossible value, or
 * -ENOMEM.
 */
int detail_parse(struct detail *d, const char *key, char *value);
void detail_free(struct detail *d);

/* Returns NULL if the queue has no histogram of this kind. */
const struct vhost_doorbell_hist *detail_find(const struct detail *d,
					      uint32_t queue, uint32_t kind);

/* The lowest value of a bucket, which is the end of the bucket before */
uint64_t detail_bucket_low(unsigned int bucket);
/*
 * The value that the share @q (0 to 1) of all values does not exceed. Values
 * are taken as evenly spread within a bucket. NAN without values.
 */
double detail_quantile(const struct vhost_doorbell_hist *h, double q);
/* Adds all values of @h to @sum. */
void detail_add(struct vhost_doorbell_hist *sum,
		const struct vhost_doorbell_hist *h);
/* Subtracts @before from @h; leaves @h alone if @before is NULL or has more. */
void detail_subtract(struct vhost_doorbell_hist *h,
		     const struct vhost_doorbell_hist *before);

#endif
