/* SPDX-License-Identifier: GPL-2.0 */
/* cgroup - put the module's worker threads where this process is */
#ifndef TOOLS_LIB_CGROUP_H
#define TOOLS_LIB_CGROUP_H

#include <sys/types.h>

/*
 * Moves thread @pid to the cgroup (version 2) of the calling process. Kernel
 * threads start in the root cgroup, where the limits set for this process
 * would not hold them. Returns 0 or -errno; without the right to do so, or
 * with no cgroup v2, nothing changes.
 */
int cgroup_adopt(pid_t pid);

#endif
