// SPDX-License-Identifier: GPL-2.0
/*
 * optparse - command lines, by a table
 */
#include "optparse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_number(const char *text, uint64_t *value)
{
	static const char units[] = "kMGT";
	const char *unit;
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *text == '-')
		return -EINVAL;
	if (!*end)
		return 0;
	unit = strchr(units, *end == 'K' ? 'k' : *end);
	if (!unit || end[1])
		return -EINVAL;
	for (const char *p = units; p <= unit; p++)
		if (__builtin_mul_overflow(*value, 1024u, value))
			return -EINVAL;
	return 0;
}

static int parse_choice(const char *words, const char *text, uint64_t *value)
{
	size_t len = strlen(text);

	*value = 0;
	for (;;) {
		size_t n = strcspn(words, "|");

		if (n == len && !strncmp(words, text, n))
			return 0;
		if (!words[n])
			return -EINVAL;
		words += n + 1;
		(*value)++;
	}
}

static int store(void *base, const struct optparse *d, const char *value)
{
	char *at = (char *)base + d->offset;
	int ret = 0;

	switch (d->kind) {
	case OPT_FLAG:
		*(bool *)at = true;
		break;
	case OPT_STRING:
		*(const char **)at = value;
		break;
	case OPT_CHOICE:
		ret = parse_choice(d->arg, value, (uint64_t *)at);
		break;
	case OPT_NUMBER:
		ret = parse_number(value, (uint64_t *)at);
		if (!ret && (*(uint64_t *)at < d->min ||
			     *(uint64_t *)at > d->max))
			ret = -ERANGE;
		break;
	}
	return ret;
}

static const struct optparse *find(const struct optparse *table, size_t n,
				   const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(table[i].name) == len &&
		    !strncmp(table[i].name, name, len))
			return &table[i];
	return NULL;
}

int optparse_complain(const char *what, const char *why)
{
	fprintf(stderr, "doorbell-bench: %s: %s\n", what, why);
	return -EINVAL;
}

int optparse(const struct optparse *table, size_t n, void *base,
	     int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct optparse *d = NULL;
		const char *arg = argv[i], *value = NULL;
		size_t len = strcspn(arg, "=");

		if (!strcmp(arg, "-h"))
			arg = "--help", len = 6;
		if (len > 2 && arg[0] == '-' && arg[1] == '-')
			d = find(table, n, arg + 2, len - 2);
		if (!d)
			return optparse_complain(argv[i], "unknown option");
		if (arg[len] == '=')
			value = arg + len + 1;
		if (d->kind == OPT_FLAG && value)
			return optparse_complain(argv[i], "takes no value");
		if (d->kind != OPT_FLAG && !value && ++i < argc)
			value = argv[i];
		if (d->kind != OPT_FLAG && !value)
			return optparse_complain(arg, "needs a value");
		if (store(base, d, value))
			return optparse_complain(arg, "bad value");
	}
	return 0;
}

void optparse_help(const struct optparse *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct optparse *d = &table[i];
		int len = printf("  --%s%s%s", d->name, d->arg ? " " : "",
				 d->arg ? d->arg : "");

		printf("%*s%s\n", len < 28 ? 28 - len : 2, "", d->help);
	}
}
