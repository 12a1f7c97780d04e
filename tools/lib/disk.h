/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk - open what a guest shall see as a disk, and nobody else shall write
 *
 * A block device to be written is opened O_EXCL: the kernel refuses it while
 * it is mounted, part of a volume, or open the same way elsewhere. A regular
 * file gets an open-file-description lock on all of it: a write lock, or a
 * read lock if it is only read; QEMU's image locks see it. Both last as long
 * as any reference to the open file does, the kernel module's own included.
 */
#ifndef TOOLS_LIB_DISK_H
#define TOOLS_LIB_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct disk {
	int	 fd;		/* owned */
	bool	 is_block;
	bool	 direct;	/* not through the page cache */
	bool	 locked;	/* or claimed: nobody else writes */
	uint64_t size;		/* bytes */
};

/*
 * -EBUSY: a block device in use; -EAGAIN: a file locked by another; -EINVAL:
 * neither a block device nor a regular file; else what open() says.
 */
int disk_open(struct disk *d, const char *path, bool read_only);
void disk_close(struct disk *d);

/*
 * May what was written be lost with the power until it is flushed? True if nobody
 * knows.
 */
bool disk_has_cache(const struct disk *d);

#endif
