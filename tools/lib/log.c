// SPDX-License-Identifier: GPL-2.0
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS	".conf"

enum log_level log_level = LOG_LEVEL_INFO;
static char instance[256];

/* A parent that writes to the journal may have given us other files. */
bool log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(fd, &st) && st.st_dev == dev && st.st_ino == ino;
}

/* Bytes of @text that are one control character: of ASCII, or U+0080 to U+009F */
static int control(const unsigned char *text)
{
	if (*text < ' ' || *text == 0x7f)
		return 1;
	return *text == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

static void escape(char *to, size_t size, const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t at = 0;

	while (*from && at + sizeof("\\xNN\\xNN") <= size) {
		int n = control(from);

		if (!n)
			to[at++] = *from++;
		for (; n; n--)
			at += sprintf(to + at, "\\x%02x", *from++);
	}
	to[at] = '\0';
}

static void set_name(const char *name, size_t n)
{
	char text[NAME_MAX + 1];

	if (*instance)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)n, name);
	escape(instance, sizeof(instance), text);
}

void log_name(const char *name)
{
	set_name(name, strlen(name));
}

void log_name_of_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name), end = strlen(SETTINGS);

	if (n > end && !strcmp(name + n - end, SETTINGS))
		n -= end;
	set_name(name, n);
}

static bool begins_with_name(const char *text)
{
	size_t n = strlen(instance);

	return !strncmp(text, instance, n) && (!n || text[n] == ':');
}

void log_print(enum log_level level, const char *fmt, ...)
{
	static const char priority[] = "3467";	/* of syslog(3) */
	char raw[1024], text[1024], begin[300];
	va_list ap;

	if (level > log_level)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	escape(text, sizeof(text), raw);
	if (log_is_journal(STDERR_FILENO))
		snprintf(begin, sizeof(begin), "<%c>", priority[level]);
	else
		snprintf(begin, sizeof(begin), "%s: ",
			 program_invocation_short_name);
	/* One write per line: other programs may share the stream. */
	if (begins_with_name(text))
		fprintf(stderr, "%s%s\n", begin, text);
	else
		fprintf(stderr, "%s%s: %s\n", begin, instance, text);
}
