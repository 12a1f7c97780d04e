/* SPDX-License-Identifier: GPL-2.0 */
/*
 * daemon - steps that both daemons take before and after they serve; each may
 * print
 */
#ifndef TOOLS_DAEMON_DAEMON_H
#define TOOLS_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

struct common_options;
struct fdstore;
struct vu_server;

/*
 * Opens /dev/null where the standard descriptors are closed, and ignores SIGPIPE: then a
 * log line goes to no other file, and does not kill the daemon. main() calls this first.
 */
void daemon_guard_output(void);
/*
 * Pins this thread to the CPUs of --cpus: the module's threads inherit them. Returns 0
 * or -errno.
 */
int daemon_pin_cpus(const struct common_options *o);
/*
 * What the keeper passes, and where to keep; for the whole process. main() calls this
 * before it reads the options. NULL: there is no keeper.
 */
struct fdstore *daemon_begin_keep(void);
/*
 * A copy of the arguments for daemon_be_parent(), which the process keeps: reading options
 * cuts the text of some. main() calls this before. NULL: no memory.
 */
char **daemon_copy_args(int argc, char **argv);
/* With --keep this process becomes the parent. Returns the exit status. */
int daemon_be_parent(const struct common_options *o, char **argv);
/* Whether a session of an earlier process is in the store. */
bool daemon_resumes(const struct fdstore *store);
/*
 * The exit status after the options were read with @status. While a front end is held for
 * the next process it is not that of wrong settings, at which the keeper would drop it.
 */
int daemon_options_status(const struct fdstore *store, int status);
/*
 * Executes the program again, in this process, after a server that ended with @again set:
 * it reads the settings anew. Returns only if that fails.
 */
void daemon_begin_again(const struct common_options *o, const struct vu_server *server,
			char **argv);
/* Opens or takes the socket that the options name. Returns 0 or -errno. */
int daemon_open_socket(const struct common_options *o, struct vu_server *server);
/*
 * Logs that the device node cannot be used; @err is the errno of the call that
 * failed.
 */
void daemon_say_device_failed(const struct common_options *o, int err);
/* Whether to print options for QEMU: a person has started the daemon. */
bool daemon_prints(const struct common_options *o);
/*
 * Prints the first options to give to QEMU, up to that of the chardev "doorbell". The
 * caller completes the line.
 */
void daemon_print_qemu(const struct common_options *o);

#endif
