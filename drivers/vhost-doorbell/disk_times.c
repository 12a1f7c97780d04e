// SPDX-License-Identifier: GPL-2.0
/*
 * disk_times - the times of a file that the guest writes
 *
 * write(2) sets a file's mtime and ctime first, if the clock has ticked since the last
 * write. On ext4 that begins a transaction of the journal, for which it may sleep; on xfs
 * a write that must not sleep fails then. So almost every write at depth 1 would be the
 * worker's.
 *
 * Therefore writes go through an open file of the module's own, which leaves the times
 * alone, and a work item sets them: at most TIMES_DELAY after a write began, and when the
 * device closes. Each write begins before such an update, as write(2) sets the times before
 * it writes: a program that compares times sees each write, perhaps a little later.
 *
 * Nobody else can reach that open file: a process could otherwise hide its own writes.
 */
#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "disk.h"

/* How long the times may lag behind a write, in jiffies */
#define TIMES_DELAY	(HZ / 4)
/* How long a close waits for the last update, in jiffies */
#define TIMES_WAIT	(HZ / 4)

#define TIMES_DUE	0	/* in due: a write has begun since the last update */

/*
 * It has an open file of its own, and not the owner's, whose locks would else remain until
 * the update is done.
 */
struct bell_disk_times {
	struct file		*file;
	unsigned long		 due;
	struct delayed_work	 work;
	struct work_struct	 last;
	struct completion	 done;		/* of @last */
	refcount_t		 refs;		/* the disk and @last */
};

/*
 * For all files. An update may wait for the file system's journal. A file has one update at a
 * time under way, and the workqueue runs some hundred, whatever guests do; so only where as
 * many files lie on disks that hang do the times of others lag. A close does not wait for it.
 */
static struct workqueue_struct *times_wq;

/**
 * bell_disk_times_init() - create the workqueue that all files share
 *
 * It is freezable: no inode may change after a hibernation image was made.
 *
 * Return: 0 or -ENOMEM.
 */
int bell_disk_times_init(void)
{
	times_wq = alloc_workqueue("vhost-doorbell-times",
				   WQ_UNBOUND | WQ_FREEZABLE, 0);
	return times_wq ? 0 : -ENOMEM;
}

/* bell_disk_times_exit() - undo bell_disk_times_init(); each last work keeps the module */
void bell_disk_times_exit(void)
{
	destroy_workqueue(times_wq);
}

/* Set the times if that is due. Returns false if the file system is frozen. */
static bool times_update(struct bell_disk_times *times)
{
	struct super_block *sb = file_inode(times->file)->i_sb;

	if (!test_bit(TIMES_DUE, &times->due))
		return true;
	if (!sb_start_write_trylock(sb))
		return false;
	clear_bit(TIMES_DUE, &times->due);
	/*
	 * Pairs with the atomic change in bell_disk_times_touch(). A write that begins after
	 * the clear makes another update due; the time set below is later than the others.
	 */
	smp_mb__after_atomic();
	/* As for write(2), an error does not concern the data. */
	file_update_time(times->file);
	sb_end_write(sb);
	return true;
}

static void times_work(struct work_struct *work)
{
	struct bell_disk_times *times =
		container_of(to_delayed_work(work), struct bell_disk_times,
			     work);

	if (!times_update(times))
		queue_delayed_work(times_wq, &times->work, TIMES_DELAY);
}

static void times_put(struct bell_disk_times *times)
{
	if (refcount_dec_and_test(&times->refs))
		kfree(times);
}

static void times_last(struct work_struct *work)
{
	struct bell_disk_times *times =
		container_of(work, struct bell_disk_times, last);

	cancel_delayed_work_sync(&times->work);
	/* A frozen file system gets no update any more: nothing may wait for its thaw. */
	times_update(times);
	fput(times->file);
	complete(&times->done);
	times_put(times);
	module_put(THIS_MODULE);
}

/* Open the disk's file once more, as its owner did; if it has a lease, do not wait. */
static struct file *times_reopen(const struct file *file)
{
	return dentry_open(&file->f_path,
			   (file->f_flags & (O_ACCMODE | O_DIRECT | O_SYNC |
					     O_LARGEFILE | O_NOATIME)) |
			   O_NONBLOCK, file->f_cred);
}

/**
 * bell_disk_times_open() - write without setting times, and set them later
 * @disk: a regular file that can be written
 *
 * If the file cannot be opened again, writes go through the owner's open file, as before
 * this call, and set the times themselves.
 *
 * Context: Process context of the owner.
 */
void bell_disk_times_open(struct bell_disk *disk)
{
	struct bell_disk_times *times;
	struct file *io;

	times = kzalloc(sizeof(*times), GFP_KERNEL_ACCOUNT);
	if (!times)
		return;
	times->file = times_reopen(disk->file);
	if (IS_ERR(times->file))
		goto err_free;
	io = times_reopen(disk->file);
	if (IS_ERR(io))
		goto err_file;
	/* No other thread has it yet. */
	io->f_mode |= FMODE_NOCMTIME;
	/* Report the errors of writeback that the owner's open file would report. */
	io->f_wb_err = READ_ONCE(disk->file->f_wb_err);
	INIT_DELAYED_WORK(&times->work, times_work);
	INIT_WORK(&times->last, times_last);
	init_completion(&times->done);
	refcount_set(&times->refs, 1);
	disk->io = io;
	disk->times = times;
	return;

err_file:
	fput(times->file);
err_free:
	kfree(times);
}

/**
 * bell_disk_times_touch() - a write begins: have the times set soon
 * @times: NULL: the write itself sets them
 *
 * Context: Any.
 */
void bell_disk_times_touch(struct bell_disk_times *times)
{
	if (!times || test_bit(TIMES_DUE, &times->due) ||
	    test_and_set_bit(TIMES_DUE, &times->due))
		return;
	queue_delayed_work(times_wq, &times->work, TIMES_DELAY);
}

/**
 * bell_disk_times_close() - undo bell_disk_times_open(), with the last update
 * @disk: with nothing in flight
 *
 * If the update takes longer, as the disk does not answer, it ends by itself.
 *
 * Context: Process context; waits for TIMES_WAIT at most.
 */
void bell_disk_times_close(struct bell_disk *disk)
{
	struct bell_disk_times *times = disk->times;
	struct file *file;

	if (!times)
		return;
	/*
	 * This reference makes this thread the last user, if the work item is done in time:
	 * then the file is closed when this thread leaves the kernel, and the file system
	 * can be unmounted at once.
	 */
	file = get_file(times->file);
	refcount_inc(&times->refs);
	__module_get(THIS_MODULE);
	queue_work(times_wq, &times->last);
	wait_for_completion_timeout(&times->done, TIMES_WAIT);
	times_put(times);
	fput(file);
	fput(disk->io);
	disk->io = disk->file;
	disk->times = NULL;
}
