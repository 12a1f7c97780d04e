/* SPDX-License-Identifier: GPL-2.0 */
/* stop - the signals that end a server, as a file descriptor to poll */
#ifndef TOOLS_LIB_STOP_H
#define TOOLS_LIB_STOP_H

/*
 * SIGTERM and SIGINT make the descriptor readable and do nothing else from here
 * on, so that they end a loop between two steps, never inside one. Returns the
 * descriptor, O_CLOEXEC, or -errno.
 */
int stop_open(void);

#endif
