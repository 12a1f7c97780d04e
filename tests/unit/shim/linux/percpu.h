/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PERCPU_H
#define SHIM_LINUX_PERCPU_H

#include <linux/mm.h>

/* There is one CPU. */
#define DEFINE_PER_CPU(type, name)	type name
#define this_cpu_read(name)		(name)
#define this_cpu_write(name, value)	((name) = (value))

#endif
