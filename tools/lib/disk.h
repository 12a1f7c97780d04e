/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk - open a guest's disk in such a way that no other program writes to it
 *
 * A claim keeps other programs away. It is a second open file: the kernel refuses O_EXCL
 * on a block device that is mounted, part of a volume, or open with O_EXCL elsewhere.
 * Files and block devices are locked as by QEMU, see disk_lock.h. A claim lasts as long
 * as its open file, to which the kernel module has a reference, too. While a guest moves
 * from one VMM to another, both daemons have the disk open and one has the claim.
 */
#ifndef TOOLS_LIB_DISK_H
#define TOOLS_LIB_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_locking {
	DISK_LOCKING_AUTO,	/* without locks where the file system has none */
	DISK_LOCKING_ON,	/* fails where the file system has none */
	DISK_LOCKING_OFF,
};

/* @path, @read_only and @locking are the arguments of disk_open(). */
struct disk {
	int	    fd;		/* owned; -1: closed, reopening failed */
	int	    claim;	/* owned; -1: no claim */
	bool	    claimed;	/* disk_reopen() claims the disk again */
	bool	    is_block;
	bool	    direct;	/* does not use the page cache */
	bool	    read_only;
	bool	    is_other;	/* not what the arguments name: see disk_inherit() */
	enum disk_locking locking;
	/* -errno of the lock that failed; 0: none failed */
	int	    lock_error;
	uint64_t    size;	/* bytes */
	const char *path;
};

/*
 * Opens the disk without a claim. @path must outlive @d. Returns 0, -ENOMEDIUM: the block
 * device has no size; -EINVAL: neither a block device nor a regular file; or the -errno
 * of open().
 */
int disk_open(struct disk *d, const char *path, bool read_only,
	      enum disk_locking locking);
/*
 * As disk_open(), of descriptors that an earlier process has opened, which @d owns from now
 * on; @claim -1: none. @d->is_other: @path is another disk by now, or @read_only was not
 * so; @d->read_only is as it was.
 */
int disk_inherit(struct disk *d, const char *path, bool read_only,
		 enum disk_locking locking, int fd, int claim);
void disk_close(struct disk *d);

/*
 * Claims the disk; does nothing if it is claimed already. Returns 0, -EBUSY: the block
 * device is in use; -EAGAIN: another program has a lock; -ENOLCK: no locks with
 * DISK_LOCKING_ON, and @d->lock_error says why; or the -errno of open().
 */
int disk_claim(struct disk *d);
void disk_unclaim(struct disk *d);

/* Whether the block device was removed, or the file server lost the file. */
bool disk_is_gone(const struct disk *d);

/*
 * Opens the path again, as disk_open(), and claims the disk if it was claimed. Also
 * -ENOTBLK: it is a file and was a block device, or the other way round. After an error
 * @d is closed, and the caller may try again.
 */
int disk_reopen(struct disk *d);

/*
 * Whether the disk has a volatile write cache, so that it loses unflushed writes with the
 * power. True also if the kernel does not tell.
 */
bool disk_has_cache(const struct disk *d);

#endif
