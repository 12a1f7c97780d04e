/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ETHERDEVICE_H
#define SHIM_LINUX_ETHERDEVICE_H

#include <linux/if_ether.h>

#endif
