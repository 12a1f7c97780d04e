/* SPDX-License-Identifier: GPL-2.0 */
/*
 * link - network interfaces by name, in the network namespace of this process
 *
 * Every function returns 0 or -errno; -ENODEV if no interface has the name.
 */
#ifndef TOOLS_LIB_LINK_H
#define TOOLS_LIB_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define LINK_MAC_LEN	6
#define LINK_MAC_TEXT	18	/* "aa:bb:cc:dd:ee:ff" */

struct link_info {
	unsigned int index;
	unsigned int mtu;
	bool	     up;
	uint8_t	     mac[LINK_MAC_LEN];
};

int link_get(const char *name, struct link_info *info);
int link_set_up(const char *name);
int link_set_mtu(const char *name, unsigned int mtu);
/* Makes @name a port of the bridge @bridge; -EOPNOTSUPP if @bridge is none. */
int link_join_bridge(const char *name, const char *bridge);
/* Writes LINK_MAC_TEXT characters, with the NUL. */
void link_mac_text(const uint8_t mac[LINK_MAC_LEN], char *to);

#endif
