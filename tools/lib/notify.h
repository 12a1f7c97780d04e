/* SPDX-License-Identifier: GPL-2.0 */
/* notify - messages to the service manager (sd_notify(3)) */
#ifndef TOOLS_LIB_NOTIFY_H
#define TOOLS_LIB_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* A $NOTIFY_SOCKET that begins so is the number of an inherited descriptor. */
#define NOTIFY_BY_FD	"fd:"

/*
 * Sends @state, such as "READY=1\nSTATUS=text". Without @wait a state for which the service
 * manager has no room is lost. Returns 0 or -errno. Without $NOTIFY_SOCKET there is no
 * service manager: it returns 0.
 */
int notify_send(const char *state, bool wait);
/* As notify_send(), waits, and sends @fd with the state. */
int notify_send_fd(const char *state, int fd);
/*
 * Waits up to @ms milliseconds until the service manager has handled all messages of this
 * process. Returns 0, -ETIMEDOUT or another -errno.
 */
int notify_barrier(int ms);

/* Is there a service manager that listens? */
bool notify_is_heard(void);

/*
 * How often the service manager is to be sent WATCHDOG=1, in milliseconds: twice in the
 * time after which it would take this process for hung; 0: never.
 */
int64_t notify_watchdog(void);

#endif
