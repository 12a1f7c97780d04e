/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhd_device - the device of a session: an open /dev/vhost-doorbell
 */
#ifndef TOOLS_VHOST_USER_VHD_DEVICE_H
#define TOOLS_VHOST_USER_VHD_DEVICE_H

#include <linux/vhost_doorbell.h>

#include "device.h"

/**
 * struct vhd_device - /dev/vhost-doorbell with a back end that the program attaches
 * @base: the part that the session uses
 * @path: path of the device node, NULL: /dev/vhost-doorbell
 * @num_queues: number of queues of the back end
 * @withheld: features of the device that are not offered
 * @exec: how the queues are served
 * @attach: gives the open device its back end; 0 or -errno
 * @claim: keeps other programs from the disk, or lets them use it; 0 or -errno.
 *	NULL: nothing to do
 * @keep: has the keeper hold what the program has opened; NULL: nothing
 * @context: for @attach, @claim and @keep
 * @resumed: written to the config space when a queue resumes where a device of another
 *	process stopped; NULL: nothing
 * @fd: the open device, -1 when closed
 * @sectors: size of the disk in the config space, in 512 bytes
 * @written: the last write to the config space, repeated on the next device; size 0:
 *	there was none
 * @began: a queue has started from index 0 here: no earlier process served this guest
 */
struct vhd_device {
	struct vu_device	   base;
	const char		  *path;
	unsigned int		   num_queues;
	uint64_t		   withheld;
	struct vhost_doorbell_exec exec;
	int			 (*attach)(int fd, const void *context);
	int			 (*claim)(int fd, const void *context, bool claim);
	int			 (*keep)(struct fdstore *store, const void *context);
	const void		  *context;
	const struct vhost_doorbell_config *resumed;
	int			   fd;
	uint64_t		   sectors;
	struct vhost_doorbell_config written;
	bool			   began;
};

/* What the calls save and adopt of vu_device_ops have of it, at the beginning */
struct vhd_saved {
	uint64_t sectors;
	uint32_t num_queues;
	uint32_t began;
	uint64_t accepted;
	struct vhost_doorbell_config written;
};

/* Sets @base and @fd; the caller sets the rest. Does not open the device. */
void vhd_device_init(struct vhd_device *d);

#endif
