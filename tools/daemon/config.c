// SPDX-License-Identifier: GPL-2.0
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optparse.h"

#define SPACE	" \t\r"

/*
 * Reads the whole file into *@text and adds a zero byte. Returns 0 or -errno;
 * -EILSEQ if the file is no text.
 */
static int slurp(const char *path, char **text)
{
	size_t size = 0;
	int ret = 0;
	FILE *f;

	*text = NULL;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	/* Read up to the first zero byte; a text has none. */
	if (getdelim(text, &size, '\0', f) < 0) {
		if (ferror(f))
			ret = -errno;
		else if (*text)
			**text = '\0';
		else
			ret = -ENOMEM;
	} else if (!feof(f)) {
		ret = -EILSEQ;
	}
	fclose(f);
	return ret;
}

/* Returns @s without the white space around it. */
static char *trim(char *s)
{
	size_t n;

	s += strspn(s, SPACE);
	n = strlen(s);
	while (n && strchr(SPACE, s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int take_line(struct optparse *p, char *line)
{
	char *equals;

	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	equals = strchr(line, '=');
	if (!equals) {
		fprintf(stderr, "%s: %s: '%s' is not KEY = VALUE\n", p->program,
			p->place, line);
		return -EINVAL;
	}
	*equals = '\0';
	return optparse_set(p, trim(line), trim(equals + 1));
}

int config_read(struct optparse *p, const char *path, char **text)
{
	char place[PATH_MAX + 16], *line, *rest;
	int ret = slurp(path, text);
	unsigned int n = 0;

	if (ret) {
		optparse_complain(p->program, path, ret == -EILSEQ ?
				  "not a text file" : strerror(-ret));
		return ret == -EILSEQ ? -EINVAL : -EIO;
	}
	rest = *text;
	p->place = place;
	while (!ret && (line = strsep(&rest, "\n"))) {
		snprintf(place, sizeof(place), "%s:%u", path, ++n);
		ret = take_line(p, line);
	}
	p->place = NULL;
	return ret;
}
