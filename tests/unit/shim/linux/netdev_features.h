/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_NETDEV_FEATURES_H
#define SHIM_LINUX_NETDEV_FEATURES_H

#include <linux/types.h>

typedef u64 netdev_features_t;

#define NETIF_F_HW_CSUM	(1ULL << 0)
#define NETIF_F_TSO	(1ULL << 1)
#define NETIF_F_TSO6	(1ULL << 2)
#define NETIF_F_TSO_ECN	(1ULL << 3)

#endif
