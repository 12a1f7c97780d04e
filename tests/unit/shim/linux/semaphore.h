/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SEMAPHORE_H
#define SHIM_LINUX_SEMAPHORE_H

#include <linux/types.h>

struct semaphore {
	int count;
};

#endif
