/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_IOCTL_BELL_H
#define BELL_IOCTL_BELL_H

#include <linux/compiler_types.h>

long bell_ioctl_bell_create(const void __user *arg);

#endif
