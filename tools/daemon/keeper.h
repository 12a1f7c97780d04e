/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keeper - the parent process of --keep
 *
 * It starts the worker, which is the same program with the same arguments, holds what the
 * worker gives it by the messages of fdstore.h, and starts a new worker if that dies by a
 * signal. It reads nothing else: no byte of a front end reaches it.
 */
#ifndef TOOLS_DAEMON_KEEPER_H
#define TOOLS_DAEMON_KEEPER_H

#include <stdbool.h>

/* Whether this process is the worker of such a parent. */
bool keeper_has_us(void);
/*
 * Keeps a worker until SIGTERM or SIGINT, or until it exits. SIGHUP replaces the worker,
 * as after an upgrade. @listening is a socket for the worker, which this function owns;
 * -1: none. Returns the exit status.
 */
int keeper_run(char **argv, int listening);

#endif
