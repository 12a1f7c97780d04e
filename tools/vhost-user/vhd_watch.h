/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhd_watch - a vhd_device whose calls that wait for the disk are watched
 */
#ifndef TOOLS_VHOST_USER_VHD_WATCH_H
#define TOOLS_VHOST_USER_VHD_WATCH_H

#include "stop_watch.h"
#include "vhd_device.h"

/**
 * struct vhd_watch - such a device
 * @vhd: the device; the session's is @vhd.base
 * @stops: started by the program
 * @ops: those of @vhd, with @stops around what waits
 * @inner: those of @vhd
 */
struct vhd_watch {
	struct vhd_device	    vhd;
	struct stop_watch	    stops;
	struct vu_device_ops	    ops;
	const struct vu_device_ops *inner;
};

/* After vhd_device_init(). */
void vhd_watch_init(struct vhd_watch *w);

#endif
