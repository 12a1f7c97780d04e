/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhd_device - the device of a session that is an open /dev/vhost-doorbell
 */
#ifndef TOOLS_VHOST_USER_VHD_DEVICE_H
#define TOOLS_VHOST_USER_VHD_DEVICE_H

#include <linux/vhost_doorbell.h>

#include "device.h"

/**
 * struct vhd_device - /dev/vhost-doorbell with a back end of the program's
 * @base: what the session sees
 * @path: of the device node, NULL: the usual one
 * @num_queues: that the back end offers
 * @withheld: features that are not offered, although the device has them
 * @exec: how the queues are served
 * @attach: gives the open device its back end; 0 or -errno
 * @context: for @attach
 * @resumed: to write to the config space when a queue goes on where a device of
 *	another process stopped; NULL: nothing
 * @fd: the open device, -1 when closed
 * @sectors: that the config space of a disk tells, of 512 bytes
 * @written: what was last written to the config space, and is for the next device
 *	too; of no size: nothing
 * @began: a queue has begun here, so that no other process knows more of the guest
 */
struct vhd_device {
	struct vu_device	   base;
	const char		  *path;
	unsigned int		   num_queues;
	uint64_t		   withheld;
	struct vhost_doorbell_exec exec;
	int			 (*attach)(int fd, const void *context);
	const void		  *context;
	const struct vhost_doorbell_config *resumed;
	int			   fd;
	uint64_t		   sectors;
	struct vhost_doorbell_config written;
	bool			   began;
};

/* Fills @base and @fd; the caller fills the rest. Opens nothing. */
void vhd_device_init(struct vhd_device *d);

#endif
