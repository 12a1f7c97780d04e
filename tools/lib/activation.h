/* SPDX-License-Identifier: GPL-2.0 */
/* activation - the socket that the service manager passes (sd_listen_fds(3)) */
#ifndef TOOLS_LIB_ACTIVATION_H
#define TOOLS_LIB_ACTIVATION_H

#include <stdbool.h>

/*
 * The variable with the first descriptor that is passed; without it that is 3. The parent
 * of --keep sets it.
 */
#define ACTIVATION_FIRST	"VHD_LISTEN_FIRST"

int activation_first(void);

/*
 * Takes the one socket that the service manager passes to this process, and removes the
 * variables of the protocol. Returns the descriptor, O_CLOEXEC, which the caller owns;
 * -ENOENT if there is none; -E2BIG if there are several; -EINVAL if the variables are no
 * numbers; -EBADF if the descriptor is not open.
 */
int activation_take(void);

/*
 * Sets the variables again for the program that this process executes: the socket @fd, or
 * none if it is -1. @by_parent: the parent of --keep has started this process.
 */
void activation_give(int fd, bool by_parent);

#endif
