/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhd_watch - a vhd_device with a stop_watch around the calls that wait for the disk
 */
#ifndef TOOLS_VHOST_USER_VHD_WATCH_H
#define TOOLS_VHOST_USER_VHD_WATCH_H

#include "stop_watch.h"
#include "vhd_device.h"

/**
 * struct vhd_watch - a watched device
 * @vhd: the device; the session uses @vhd.base
 * @stops: the watch; the program starts it
 * @ops: the calls that the session uses, which watch those of @inner
 * @inner: the calls of the vhd_device
 */
struct vhd_watch {
	struct vhd_device	    vhd;
	struct stop_watch	    stops;
	struct vu_device_ops	    ops;
	const struct vu_device_ops *inner;
};

/* The daemon calls this after vhd_device_init(): adds the watch to the device's calls. */
void vhd_watch_init(struct vhd_watch *w);

#endif
