/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk_watch - learn that a disk may have another size
 *
 * The kernel announces it of a block device. Of a file nobody does: SIGHUP asks
 * for a look, at either.
 */
#ifndef TOOLS_LIB_DISK_WATCH_H
#define TOOLS_LIB_DISK_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

struct disk_watch {
	int   fd;	/* readable: disk_watch_take() */
	int   hangup;	/* signalfd */
	int   events;	/* of the kernel; -1: a file, or not to be had here */
	dev_t dev;	/* of the block device */
};

/* @disk is open; SIGHUP does nothing else from here on. Returns 0 or -errno. */
int disk_watch_open(struct disk_watch *w, int disk);
/* @disk was opened in place of the former, which was of the same kind. */
void disk_watch_follow(struct disk_watch *w, int disk);
/* Empties @fd; whether what was there is about this disk. */
bool disk_watch_take(struct disk_watch *w);
void disk_watch_close(struct disk_watch *w);

#endif
