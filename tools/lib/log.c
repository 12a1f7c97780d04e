// SPDX-License-Identifier: GPL-2.0
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum log_level log_level = LOG_LEVEL_INFO;

void log_print(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (level > log_level)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* One write per line: other programs may share the stream. */
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, line);
}
