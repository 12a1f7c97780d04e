/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_tap - taps and macvtaps by file descriptor, interfaces by name
 *
 * All return 0 or -errno.
 */
#ifndef NET_TAP_H
#define NET_TAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens a queue of the tap @name, which is made if it does not exist. If @name
 * begins with a slash it is the device file of a macvtap. Returns a file
 * descriptor.
 */
int net_tap_open(const char *name, bool multi_queue);
/* The name of the tap's interface; @ifname has IFNAMSIZ bytes. */
int net_tap_name(int fd, char *ifname);

/*
 * The interface's IPv4 address in network order; gives it one if it has none.
 */
int net_if_address(const char *ifname, uint32_t *ip);
/* Adds a static neighbour entry, so that no ARP request is sent. */
int net_if_neighbour(const char *ifname, uint32_t ip, const uint8_t *mac);
/* 12 if these features need the longer virtio header, else 10. */
unsigned int net_header_size(uint64_t features);

#endif
