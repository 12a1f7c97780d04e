/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_CACHE_H
#define SHIM_LINUX_CACHE_H

#include <linux/align.h>
#include <linux/types.h>

#define SMP_CACHE_BYTES	64

#define __read_mostly

#endif
