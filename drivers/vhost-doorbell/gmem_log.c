// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_log - the dirty log: which pages of guest memory the device has written to
 *
 * A VMM that migrates its guest copies guest memory while the guest runs. The log tells
 * it what to copy again: it has one bit for each 4 KiB of guest physical addresses, bit
 * 0 of byte 0 first. The module sets the bit of a page after it has written to the page.
 * The VMM reads and clears the bit, with an atomic exchange, before it copies the page.
 *
 * Completions run in hard irq context, so the whole bitmap is pinned and mapped while
 * it is in use (32 KiB for each GiB of guest memory).
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "gmem.h"
#include "gmem_priv.h"

#define LOG_PAGE_SHIFT	12	/* of the protocol, whatever the host's pages are */

struct bell_gmem_log {
	/* Constant. */
	struct bell_gmem_map	map;
	u64			npages;		/* guest pages that have a bit */
	/* Bits that were set: what a migration costs */
	atomic64_t		count;
};

/**
 * bell_gmem_log_check() - can this be a bitmap for the guest memory of @gm?
 * @gm: the table
 * @uaddr: address of the bitmap in the owner's memory
 * @size: bytes of the bitmap
 *
 * Return: 0; -EINVAL bad address or size, or too small for the table.
 */
int bell_gmem_log_check(const struct bell_gmem *gm, u64 uaddr, u64 size)
{
	const struct bell_gmem_log log = { .npages = size * BITS_PER_BYTE };

	if (!size || size > BELL_GMEM_LOG_MAX || (uaddr | size) % sizeof(u64))
		return -EINVAL;
	return bell_gmem_log_covers(&log, gm) ? 0 : -EINVAL;
}

/**
 * bell_gmem_log_create() - pin and map a bitmap of the owner's
 * @gm: the table, which pays for the pages of the bitmap as it does for a ring
 * @uaddr: address of the bitmap in the owner's memory; a multiple of 8
 * @size: bytes of the bitmap; a multiple of 8
 *
 * Where RLIMIT_MEMLOCK has no room the bitmap takes the place of data pages. With nothing
 * in flight all of these can be given up, so a disk that is slow does not make this fail.
 *
 * Context: Process context, the owner's, as for bell_gmem_map().
 * Return: the log, or an ERR_PTR: -EINVAL bad address or size, or too small for the
 * guest memory of @gm; -ENOMEM no memory, or more than RLIMIT_MEMLOCK allows; -EFAULT
 * it cannot be pinned for writing; -EINTR.
 */
struct bell_gmem_log *bell_gmem_log_create(struct bell_gmem *gm, u64 uaddr,
					   u64 size)
{
	struct bell_gmem_log *log;
	int ret;

	ret = bell_gmem_log_check(gm, uaddr, size);
	if (ret)
		return ERR_PTR(ret);
	log = kzalloc(sizeof(*log), GFP_KERNEL_ACCOUNT);
	if (!log)
		return ERR_PTR(-ENOMEM);
	log->npages = size * BITS_PER_BYTE;
	ret = bell_gmem_map_any(gm, uaddr, size, &log->map);
	if (ret)
		goto err_free;
	return log;

err_free:
	kfree(log);
	return ERR_PTR(ret);
}

/**
 * bell_gmem_log_destroy() - undo bell_gmem_log_create()
 * @gm: the table, or the one that replaced it
 * @log: has no user any more; may be NULL
 *
 * Context: Process context.
 */
void bell_gmem_log_destroy(struct bell_gmem *gm, struct bell_gmem_log *log)
{
	if (!log)
		return;
	bell_gmem_unmap(gm, &log->map);
	kfree(log);
}

/* bell_gmem_log_covers() - does each page of the table have a bit? @log may be NULL */
bool bell_gmem_log_covers(const struct bell_gmem_log *log,
			  const struct bell_gmem *gm)
{
	/* Sorted, so the last region ends highest. */
	const struct bell_gmem_region *r = &gm->region[gm->nregions - 1];

	return !log ||
	       (r->gpa + r->size - 1) >> LOG_PAGE_SHIFT < log->npages;
}

/**
 * bell_gmem_log_set() - the device has written to guest memory
 * @log: the log
 * @gpa: guest physical address of the first byte that was written
 * @len: bytes, not zero
 *
 * What lies beyond the log is beyond the table, so nothing was written there.
 *
 * Context: Any.
 */
void bell_gmem_log_set(struct bell_gmem_log *log, u64 gpa, u64 len)
{
	u64 page = gpa >> LOG_PAGE_SHIFT;
	u64 last = (gpa + len - 1) >> LOG_PAGE_SHIFT;

	/*
	 * The bytes are written before the bit is looked at: a VMM that clears a bit
	 * which is found set here sees them. Pairs with the VMM's atomic exchange.
	 */
	smp_mb();
	for (last = min(last, log->npages - 1); page <= last; page++) {
		/* A bit that is set need not bounce the cache line. */
		if (test_bit_le(page, log->map.addr))
			continue;
		set_bit_le(page, log->map.addr);
		atomic64_inc(&log->count);
	}
}

/* bell_gmem_log_count() - pages that were logged; @log may be NULL */
u64 bell_gmem_log_count(const struct bell_gmem_log *log)
{
	return log ? atomic64_read(&log->count) : 0;
}

/* bell_gmem_get_log() - the dirty log, or NULL; under the caller's lock */
struct bell_gmem_log *bell_gmem_get_log(const struct bell_gmem *gm)
{
	return gm->log;
}

/**
 * bell_gmem_set_log() - log what is written, or no longer
 * @gm: the table, which has no user but paused queues
 * @log: the log, or NULL
 *
 * Context: Process context; no reader of the counters at the same time.
 * Return: the former log, which is the caller's to destroy.
 */
struct bell_gmem_log *bell_gmem_set_log(struct bell_gmem *gm,
					struct bell_gmem_log *log)
{
	struct bell_gmem_log *old = gm->log;

	gm->log = log;
	gm->past_logged += bell_gmem_log_count(old);
	return old;
}
