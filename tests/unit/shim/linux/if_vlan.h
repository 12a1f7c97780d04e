/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_IF_VLAN_H
#define SHIM_LINUX_IF_VLAN_H

#include <linux/skbuff.h>

#define VLAN_HLEN	4
#define VLAN_ETH_HLEN	18

#define skb_vlan_tag_present(skb)	((skb)->vlan_present)
#define skb_vlan_tag_get(skb)		((skb)->vlan_tci)

#endif
