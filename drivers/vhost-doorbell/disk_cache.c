// SPDX-License-Identifier: GPL-2.0
/*
 * disk_cache - the host's page cache of a block device
 *
 * Bios bypass the page cache, as direct I/O does. What it holds of the disk from before,
 * or from a process that reads the disk while the guest writes, becomes old. It must not
 * outlive the device: the next user of the disk, the host itself perhaps, would read it.
 *
 * invalidate_mapping_pages() waits for nothing, but leaves pages in use: those that are
 * mapped, and those that wait on a CPU's list for the LRU. invalidate_inode_pages2() drops
 * all that are clean, but waits for each page that is locked, for example by a process that
 * reads a disk which does not answer. No signal ends that wait. So a work item does it; the
 * close waits for that for a short time.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "disk.h"

/* How long a close waits for pages that other processes have locked, in jiffies */
#define CACHE_WAIT	(HZ / 4)

/*
 * It has a reference to the inode and not to the file: it does not keep the disk open, nor
 * locked, if it waits for long.
 */
struct bell_disk_drop {
	struct work_struct	work;
	struct inode		*inode;
	struct completion	done;
	refcount_t		refs;		/* the close and the work item */
};

static struct workqueue_struct *cache_wq;

/**
 * bell_disk_cache_init() - create the workqueue that all disks share
 *
 * Return: 0 or -ENOMEM.
 */
int bell_disk_cache_init(void)
{
	cache_wq = alloc_workqueue("vhost-doorbell-cache", WQ_UNBOUND, 0);
	return cache_wq ? 0 : -ENOMEM;
}

/* bell_disk_cache_exit() - undo bell_disk_cache_init(); each work item keeps the module */
void bell_disk_cache_exit(void)
{
	destroy_workqueue(cache_wq);
}

/**
 * bell_disk_cache_begin() - before the first bio: write dirty pages back, else they would
 *	later overwrite the guest's writes
 * @disk: a block device
 *
 * Does no more than direct I/O of the owner would: before reads it writes pages back,
 * before writes it also drops the clean ones. Pages in use stay.
 *
 * Context: Process context; waits for the disk.
 * Return: 0, -ENOMEM or the error of writing back.
 */
int bell_disk_cache_begin(struct bell_disk *disk)
{
	struct address_space *mapping = disk->file->f_mapping;
	int ret;

	ret = filemap_write_and_wait(mapping);
	if (ret || disk->read_only)
		return ret;
	disk->drop = kmalloc(sizeof(*disk->drop), GFP_KERNEL_ACCOUNT);
	if (!disk->drop)
		return -ENOMEM;
	invalidate_mapping_pages(mapping, 0, -1);
	return 0;
}

static void cache_put(struct bell_disk_drop *drop)
{
	if (refcount_dec_and_test(&drop->refs))
		kfree(drop);
}

static void cache_drop_work(struct work_struct *work)
{
	struct bell_disk_drop *drop = container_of(work, struct bell_disk_drop,
						   work);

	/* An error says that pages are dirty: other processes have written them. */
	invalidate_inode_pages2(drop->inode->i_mapping);
	iput(drop->inode);
	complete(&drop->done);
	cache_put(drop);
	module_put(THIS_MODULE);
}

/**
 * bell_disk_cache_end() - after the last bio: drop the clean pages of the disk
 * @disk: after bell_disk_cache_begin()
 *
 * Pages that another process has locked for longer are dropped when it unlocks them.
 *
 * Context: Process context; waits for CACHE_WAIT at most.
 */
void bell_disk_cache_end(struct bell_disk *disk)
{
	struct address_space *mapping = disk->file->f_mapping;
	struct bell_disk_drop *drop = disk->drop;

	if (!drop)
		return;
	disk->drop = NULL;
	invalidate_mapping_pages(mapping, 0, -1);
	if (!READ_ONCE(mapping->nrpages)) {
		kfree(drop);
		return;
	}
	INIT_WORK(&drop->work, cache_drop_work);
	init_completion(&drop->done);
	refcount_set(&drop->refs, 2);
	drop->inode = mapping->host;
	ihold(drop->inode);
	__module_get(THIS_MODULE);
	queue_work(cache_wq, &drop->work);
	wait_for_completion_killable_timeout(&drop->done, CACHE_WAIT);
	cache_put(drop);
}
