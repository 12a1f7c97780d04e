/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_IF_ETHER_H
#define SHIM_LINUX_IF_ETHER_H

#include_next <linux/if_ether.h>

#define ETH_MIN_MTU	68
#define ETH_MAX_MTU	0xFFFFU

#endif
