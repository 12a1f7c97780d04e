/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_SEQ_FILE_H
#define SHIM_LINUX_SEQ_FILE_H

#include <stdarg.h>
#include <stdio.h>

#include <linux/fs.h>

/* Keeps the text for the test. */
struct seq_file {
	size_t	len;
	char	text[1 << 14];
};

static inline __printf(2, 3) void seq_printf(struct seq_file *m,
					     const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(m->text + m->len, sizeof(m->text) - m->len, fmt, ap);
	va_end(ap);
	if (n < 0 || m->len + n >= sizeof(m->text))
		shim_die("no room for the text of a seq_file");
	m->len += n;
}

static inline void seq_puts(struct seq_file *m, const char *s)
{
	seq_printf(m, "%s", s);
}

static inline void seq_putc(struct seq_file *m, char c)
{
	seq_printf(m, "%c", c);
}

static inline int seq_file_path(struct seq_file *m, struct file *file,
				const char *escape)
{
	return 0;
}

#endif
