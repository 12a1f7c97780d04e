/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap - queues of taps and macvtaps, each an open file
 *
 * Functions return 0 or a descriptor, which is O_CLOEXEC and O_NONBLOCK, or -errno.
 */
#ifndef TOOLS_LIB_TAP_H
#define TOOLS_LIB_TAP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "link.h"

struct tap_info {
	char name[IFNAMSIZ];
	bool multi;		/* may have several queues */
};

/*
 * Whether the tap @name, which exists, may have several queues. -ENODEV if there is
 * none of that name, -EINVAL if it is no tap.
 */
int tap_find(const char *name, bool *multi);
/*
 * One more queue of the tap @name, which exists. @multi: as tap_find() says. -EBUSY if
 * all its queues are taken.
 */
int tap_open(const char *name, bool multi);
/* The first queue of a new tap, which is gone with its last queue. -EEXIST */
int tap_create(const char *name, bool multi);
/* One more queue of the macvtap @name. -EINVAL if it is none. */
int tap_open_macvtap(const char *name, bool multi);
/*
 * An open queue that another program made. -EINVAL if it is no queue of a tap with
 * Ethernet frames, -EPROTO if it has no virtio header.
 */
int tap_get_info(int fd, struct tap_info *info);
/* Attaches or detaches a queue of a tap that may have several; what waits in it is
 * dropped when it is detached.
 */
int tap_set_queue(int fd, bool attached);
/*
 * Makes header, byte order and offloads those of virtio-net @features that driver and
 * device agreed on.
 */
int tap_agree(int fd, uint64_t features);
/* Sends a RARP request from @mac to all, as if the guest had sent it. */
int tap_send_rarp(int fd, const uint8_t mac[LINK_MAC_LEN]);

#endif
