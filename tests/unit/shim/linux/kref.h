/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KREF_H
#define SHIM_LINUX_KREF_H

#include <linux/atomic.h>

struct kref {
	atomic_t refs;
};

#endif
