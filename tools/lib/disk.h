/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk - open what a guest shall see as a disk, and nobody else shall write
 *
 * A block device to be written is opened O_EXCL: the kernel refuses it while
 * it is mounted, part of a volume, or open the same way elsewhere. A file or block
 * device is locked as QEMU locks it, see disk_lock.h. Both last as long as any
 * reference to the open file does, the kernel module's own included.
 */
#ifndef TOOLS_LIB_DISK_H
#define TOOLS_LIB_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_locking {
	DISK_LOCKING_AUTO,	/* where there are locks */
	DISK_LOCKING_ON,	/* or not at all */
	DISK_LOCKING_OFF,
};

/* @path, @read_only and @locking are the arguments of disk_open(). */
struct disk {
	int	    fd;		/* owned; -1: it went away */
	bool	    is_block;
	bool	    direct;	/* not through the page cache */
	bool	    read_only;
	enum disk_locking locking;
	int	    lock_error;	/* -errno: there are no locks there */
	uint64_t    size;	/* bytes */
	const char *path;
};

/*
 * Keeps @path. -EBUSY: a block device in use; -ENOMEDIUM: one of no size; -EAGAIN:
 * locked by another; -EINVAL: neither a block device nor a regular file; -ENOLCK:
 * DISK_LOCKING_ON, and @d->lock_error says why not; else what open() says.
 */
int disk_open(struct disk *d, const char *path, bool read_only,
	      enum disk_locking locking);
void disk_close(struct disk *d);

/* Has the block device been removed, or the file's server forgotten the file? */
bool disk_is_gone(const struct disk *d);

/*
 * Opens what has the name now, as disk_open() did; also -ENOTBLK: a file where a block
 * device was, or the other way round. After an error @d is open no more, and the next
 * call tries again.
 */
int disk_reopen(struct disk *d);

/*
 * May what was written be lost with the power until it is flushed? True if nobody
 * knows.
 */
bool disk_has_cache(const struct disk *d);

#endif
