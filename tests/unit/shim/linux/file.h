/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_FILE_H
#define SHIM_LINUX_FILE_H

#include <linux/fs.h>

struct file *fget(unsigned int fd);
void fput(struct file *file);

#endif
