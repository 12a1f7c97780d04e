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
 * A queue of the tap @name, which is made if it is not there; or of the macvtap whose
 * device file is @name, if that begins with a slash. Returns a file descriptor.
 */
int net_tap_open(const char *name, bool multi_queue);
/* Its interface's name; room for IFNAMSIZ bytes. */
int net_tap_name(int fd, char *ifname);

/* The IPv4 address, which it is given if it has none; in network order. */
int net_if_address(const char *ifname, uint32_t *ip);
/* Who has @ip there, so that nobody needs to ask. */
int net_if_neighbour(const char *ifname, uint32_t ip, const uint8_t *mac);
/* By a virtio header of 12 bytes that these features ask for, else of 10. */
unsigned int net_header_size(uint64_t features);

#endif
