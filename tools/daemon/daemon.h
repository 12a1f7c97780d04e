/* SPDX-License-Identifier: GPL-2.0 */
/* daemon - what the two daemons do alike around their server; all of it may print */
#ifndef TOOLS_DAEMON_DAEMON_H
#define TOOLS_DAEMON_DAEMON_H

#include <stdint.h>

struct common_options;
struct vu_server;

/* To be called first: keeps lines of the log from doing harm. */
void daemon_guard_output(void);
/* The module's threads take the CPUs of the thread that starts them. 0 or -errno. */
int daemon_pin_cpus(const struct common_options *o);
/* The socket, as the options say. 0 or -errno. */
int daemon_open_socket(const struct common_options *o, struct vu_server *server);
/* Says that the device node does not do, by the error of the call that failed. */
void daemon_say_device_failed(const struct common_options *o, int err);
/*
 * Prints the first of the options to give QEMU, up to the chardev, whose name is
 * "doorbell"; the caller goes on in that line.
 */
void daemon_print_qemu(const struct common_options *o);

#endif
