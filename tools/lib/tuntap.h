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
 * Opens a queue of the existing tap @name; *@multi: the tap may have several. -ENODEV if no
 * interface has the name, -EINVAL if it is no tap, -EBUSY if all its queues are in use.
 */
int tuntap_open(const char *name, bool *multi);
/* Opens one more queue of a tap that may have several. */
int tuntap_open_next(const char *name);
/*
 * Opens the first queue of a new tap, which is removed with its last queue.
 * -EEXIST: in use.
 */
int tuntap_create(const char *name, bool multi);
/* Opens a queue of the macvtap @name. -EINVAL if it is none. */
int tuntap_open_macvtap(const char *name, bool multi);
/*
 * Reads about a queue that another program opened. -EINVAL if it is no queue of a tap with
 * Ethernet frames, -EPROTO if its frames have no virtio header.
 */
int tuntap_get_info(int fd, struct tuntap_info *info);
/*
 * Attaches or detaches a queue of a tap that may have several. Detaching drops the frames
 * in the queue.
 */
int tuntap_set_queue(int fd, bool attached);
/*
 * Sets header, byte order and offloads as the negotiated @features of virtio-net say.
 */
int tuntap_agree(int fd, uint64_t features);
/* Sends a RARP request from @mac to all, as if the guest had sent it. */
int tuntap_send_rarp(int fd, const uint8_t mac[LINK_MAC_LEN]);

#endif
