/* SPDX-License-Identifier: GPL-2.0 */
/* cpus - lists of CPUs as the kernel writes them: "0-3,8" */
#ifndef TOOLS_LIB_CPUS_H
#define TOOLS_LIB_CPUS_H

#include <sched.h>

/* -EINVAL if it is no list, -ERANGE for a CPU that a cpu_set_t cannot hold. */
int cpus_parse(const char *list, cpu_set_t *set);

#endif
