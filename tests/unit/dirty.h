/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dirty - a VMM that migrates the guest of ring.h, and checks the dirty log
 *
 * It keeps a copy of guest memory, as the destination has it. Each page that differs
 * from the copy must have its bit in the log; then it is copied again.
 */
#ifndef TESTS_UNIT_DIRTY_H
#define TESTS_UNIT_DIRTY_H

#include "ring.h"
#include "tap.h"

#define DIRTY_PAGE	5000UL		/* user and RAM page of the bitmap */
#define DIRTY_UADDR	(WORLD_UADDR + DIRTY_PAGE * PAGE_SIZE)
#define DIRTY_SIZE	(RING_PAGES / 8)

static u8 dirty_copy[RING_END];

static inline u8 *dirty_bits(void)
{
	return world_ram(DIRTY_PAGE);
}

static inline bool dirty_test(unsigned long page)
{
	return dirty_bits()[page / 8] >> page % 8 & 1;
}

/* Clear the log and copy all of guest memory: what the driver wrote is the VMM's to see. */
static inline void dirty_sync(void)
{
	memset(dirty_bits(), 0, DIRTY_SIZE);
	memcpy(dirty_copy, world_ram(0), RING_END);
}

/* Pages that differ from the copy and are not in the log */
static inline unsigned int dirty_missed(void)
{
	unsigned int missed = 0;

	for (unsigned long i = 0; i < RING_PAGES; i++) {
		if (!memcmp(dirty_copy + i * PAGE_SIZE, world_ram(i), PAGE_SIZE))
			continue;
		missed += !dirty_test(i);
	}
	return missed;
}

static inline unsigned int dirty_logged(void)
{
	unsigned int n = 0;

	for (unsigned long i = 0; i < RING_PAGES; i++)
		n += dirty_test(i);
	return n;
}

/* What the module writes from here on is logged. */
static inline void dirty_start(struct ring *of)
{
	struct bell_gmem_log *log;
	struct bell_vq_log *vq_log = bell_vq_log_alloc(of->cfg.num);

	world_map(DIRTY_PAGE, 1, DIRTY_PAGE);
	log = bell_gmem_log_create(of->gm, DIRTY_UADDR, DIRTY_SIZE);
	if (IS_ERR(log) || !vq_log)
		shim_die("no log: %ld", PTR_ERR(log));
	CHECK(!bell_gmem_set_log(of->gm, log));
	bell_vq_log_set(&of->vq, vq_log);
	dirty_sync();
}

static inline void dirty_stop(struct ring *of)
{
	bell_vq_log_set(&of->vq, NULL);
	bell_gmem_log_destroy(of->gm, bell_gmem_set_log(of->gm, NULL));
}

#endif
