/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_NOSPEC_H
#define SHIM_LINUX_NOSPEC_H

#include <linux/types.h>

#endif
