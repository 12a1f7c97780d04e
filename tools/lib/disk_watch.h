/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk_watch - notice that a disk may have another size
 *
 * The kernel announces changes of block devices, but not of files. SIGHUP counts as an
 * announcement for both.
 */
#ifndef TOOLS_LIB_DISK_WATCH_H
#define TOOLS_LIB_DISK_WATCH_H

#include <sys/types.h>

struct loop;

/**
 * struct disk_watch - a watch of one disk
 * @changed: called by the loop when the disk may have another size
 * @context: for @changed
 * @hangup: a signalfd
 * @events: announcements of the kernel; -1: the disk is a file, or this namespace gets
 *	none
 * @dev: number of the block device
 */
struct disk_watch {
	void (*changed)(void *context);
	void  *context;
	int    hangup;
	int    events;
	dev_t  dev;
};

/*
 * The caller has set @changed and @context; @disk is open. From here on SIGHUP does
 * nothing else. Adds to @loop, which must not run after disk_watch_close(). Returns 0
 * or -errno.
 */
int disk_watch_open(struct disk_watch *w, struct loop *loop, int disk);
/*
 * The daemon calls this after it has opened its disk again: watches @disk, which is of the
 * same kind, instead of the disk of disk_watch_open().
 */
void disk_watch_follow(struct disk_watch *w, int disk);
void disk_watch_close(struct disk_watch *w);

#endif
