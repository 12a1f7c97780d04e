/* SPDX-License-Identifier: GPL-2.0 */
/* run - run another program, without a shell, and read its output */
#ifndef DOORBELLCTL_RUN_H
#define DOORBELLCTL_RUN_H

#include <stdio.h>
#include <sys/types.h>

struct run {
	pid_t	 pid;
	FILE	*out;
};

/*
 * Starts @argv[0], found in PATH, /usr/sbin or /sbin. Its stdin and stderr are
 * /dev/null. Returns 0 or -errno.
 */
int run_start(struct run *run, const char *const argv[]);
/* Returns the exit status, 127 if there is no such program, or -errno. */
int run_end(struct run *run);

#endif
