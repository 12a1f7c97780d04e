/* SPDX-License-Identifier: GPL-2.0 */
/* stop - the signals that end a server, as a file descriptor for poll() */
#ifndef TOOLS_LIB_STOP_H
#define TOOLS_LIB_STOP_H

/*
 * From here on SIGTERM and SIGINT make the descriptor readable and do nothing else: they
 * end a loop between two callbacks. Returns the descriptor, O_CLOEXEC, or -errno.
 */
int stop_open(void);

#endif
