/* SPDX-License-Identifier: GPL-2.0 */
/* cpus - lists of CPUs as the kernel writes them: "0-3,8" */
#ifndef TOOLS_LIB_CPUS_H
#define TOOLS_LIB_CPUS_H

#include <sched.h>

/* Returns 0, -EINVAL if it is no list, or -ERANGE for a CPU beyond cpu_set_t. */
int cpus_parse(const char *list, cpu_set_t *set);

#endif
