/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tuntap - queues of taps and macvtaps, each an open file
 *
 * Functions return 0 or a descriptor, which is O_CLOEXEC and O_NONBLOCK, or -errno.
 */
#ifndef TOOLS_LIB_TUNTAP_H
#define TOOLS_LIB_TUNTAP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "link.h"

struct tuntap_info {
	char name[IFNAMSIZ];
	bool multi;		/* may have several queues */
};

/*
 * A queue of the tap @name, which exists; *@multi: it may have several. -ENODEV if
 * there is no such interface, -EINVAL if it is no tap, -EBUSY if all its queues are
 * taken.
 */
int tuntap_open(const char *name, bool *multi);
/* One more queue of a tap that may have several. */
int tuntap_open_next(const char *name);
/* The first queue of a new tap, which is gone with its last queue. -EEXIST */
int tuntap_create(const char *name, bool multi);
/* A queue of the macvtap @name. -EINVAL if it is none. */
int tuntap_open_macvtap(const char *name, bool multi);
/*
 * An open queue that another program made. -EINVAL if it is no queue of a tap with
 * Ethernet frames, -EPROTO if it has no virtio header.
 */
int tuntap_get_info(int fd, struct tuntap_info *info);
/* Attaches or detaches a queue of a tap that may have several; what waits in it is
 * dropped when it is detached.
 */
int tuntap_set_queue(int fd, bool attached);
/*
 * Makes header, byte order and offloads those of virtio-net @features that driver and
 * device agreed on.
 */
int tuntap_agree(int fd, uint64_t features);
/* Sends a RARP request from @mac to all, as if the guest had sent it. */
int tuntap_send_rarp(int fd, const uint8_t mac[LINK_MAC_LEN]);

#endif
