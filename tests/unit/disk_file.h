/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What disk.c and disk_file.c call of the kernel and of the rest of the module, where no test
 * needs more of it. For test programs that play the file system.
 */
#ifndef DISK_FILE_H
#define DISK_FILE_H

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/stat.h>

#include "disk.h"
#include "exec.h"

int rw_verify_area(int rw, struct file *f, const loff_t *pos, size_t count)
{
	return 0;
}

int vfs_fallocate(struct file *f, int mode, loff_t pos, loff_t len)
{
	return 0;
}

int vfs_getattr(const struct path *path, struct kstat *stat, u32 mask, unsigned int how)
{
	return -EOPNOTSUPP;
}

bool filemap_range_has_page(struct address_space *m, loff_t start, loff_t end)
{
	return false;
}

bool bell_dio_wants_task(const struct kiocb *iocb)
{
	return false;
}

long bell_dio_finish(struct kiocb *iocb)
{
	return -EIO;
}

bool bell_file_asks(const struct file *f)
{
	return false;
}

void bell_disk_times_touch(struct bell_disk_times *times)
{
}

int bell_disk_bdev_open(struct bell_disk *d)
{
	return -EINVAL;
}

int blkdev_issue_flush(struct block_device *b)
{
	return -EIO;
}

void bell_exec_worker_charge(struct bell_exec *e)
{
}

void bell_exec_worker_uncharge(void)
{
}

#endif
