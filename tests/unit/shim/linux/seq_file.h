/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SEQ_FILE_H
#define SHIM_LINUX_SEQ_FILE_H

#include <linux/fs.h>

struct seq_file;

static inline void seq_puts(struct seq_file *m, const char *s)
{
}

static inline void seq_putc(struct seq_file *m, char c)
{
}

static inline __printf(2, 3) void seq_printf(struct seq_file *m,
					     const char *fmt, ...)
{
}

static inline int seq_file_path(struct seq_file *m, struct file *file,
				const char *escape)
{
	return 0;
}

#endif
