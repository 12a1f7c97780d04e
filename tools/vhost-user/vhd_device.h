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
 * @exec: how the queues are served
 * @attach: gives the open device its back end; 0 or -errno
 * @context: for @attach
 * @fd: the open device, -1 when closed
 * @sectors: that the config space tells, of 512 bytes
 */
struct vhd_device {
	struct vu_device	   base;
	const char		  *path;
	unsigned int		   num_queues;
	struct vhost_doorbell_exec exec;
	int			 (*attach)(int fd, const void *context);
	const void		  *context;
	int			   fd;
	uint64_t		   sectors;
};

/* Fills @base and @fd; the caller fills the rest. Opens nothing. */
void vhd_device_init(struct vhd_device *d);

#endif
