/* SPDX-License-Identifier: GPL-2.0 */
/* run - read what another program prints; no shell in between */
#ifndef DOORBELLCTL_RUN_H
#define DOORBELLCTL_RUN_H

#include <stdio.h>
#include <sys/types.h>

struct run {
	pid_t	 pid;
	FILE	*out;
};

/*
 * Starts @argv[0], looked for in PATH and where administrators' programs are.
 * Its stdin and stderr are /dev/null. Returns 0 or -errno.
 */
int run_start(struct run *run, const char *const argv[]);
/* Returns the exit status, 127: it is not there, or -errno. */
int run_end(struct run *run);

#endif
