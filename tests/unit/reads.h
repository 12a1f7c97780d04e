/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reads - count how often the module reads each byte of a ring and of its
 * tables
 */
#ifndef TESTS_UNIT_READS_H
#define TESTS_UNIT_READS_H

#include "ring.h"

/* Reads of each byte of guest memory, from RING_DESC on */
static u8 reads[RING_DATA - RING_DESC];

static void reads_count(const volatile void *at, size_t size)
{
	long pfn = world_pfn_of(at);
	u64 gpa;

	if (pfn < 0)
		return;
	gpa = pfn * PAGE_SIZE + offset_in_page(at);
	if (gpa < RING_DESC || gpa + size > RING_DATA)
		return;
	while (size--)
		reads[gpa++ - RING_DESC]++;
}

/* Take a chain and count the reads of it. */
static int reads_of_take(struct ring *r, struct bell_chain *chain)
{
	int ret;

	memset(reads, 0, sizeof(reads));
	world.on_read = reads_count;
	ret = ring_take(r, chain);
	world.on_read = NULL;
	return ret;
}

#endif
