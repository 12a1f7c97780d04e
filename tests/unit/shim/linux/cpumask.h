/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_CPUMASK_H
#define SHIM_LINUX_CPUMASK_H

typedef struct cpumask {
	unsigned long bits[1];
} cpumask_t;

#endif
