/* SPDX-License-Identifier: GPL-2.0 */
/* config - a file of settings, whose keys are the long options of a program */
#ifndef TOOLS_DAEMON_CONFIG_H
#define TOOLS_DAEMON_CONFIG_H

struct optparse;

/*
 * Reads @path and takes its settings, in their order. A line is empty, begins with '#',
 * or is KEY = VALUE; of an option without an argument the value is yes or no. The values
 * are parts of *@text, which is allocated and must last as long as they do.
 * Returns 0, or after a message -EINVAL for what is wrong in the file, and another -errno
 * for a file that cannot be read.
 */
int config_read(struct optparse *p, const char *path, char **text);

#endif
