/* SPDX-License-Identifier: GPL-2.0 */
/*
 * optparse - command lines of "--name value" and "--name=value", by a table
 *
 * A row of the table says where in a structure of the caller's the value goes:
 * a flag to a bool, a number or the place of a word among the choices to a
 * uint64_t, a string to a const char *. Numbers take k, M, G, T.
 */
#ifndef OPTPARSE_H
#define OPTPARSE_H

#include <stddef.h>
#include <stdint.h>

enum optparse_kind {
	OPT_FLAG,
	OPT_NUMBER,
	OPT_STRING,
	OPT_CHOICE,
};

struct optparse {
	const char		*name;
	enum optparse_kind	kind;
	size_t			offset;
	const char		*arg;	/* for OPT_CHOICE: the words, by '|' */
	const char		*help;
	uint64_t		min;
	uint64_t		max;
};

/* argv[0] is skipped. 0, or -EINVAL after saying why. -h is --help. */
int optparse(const struct optparse *table, size_t n, void *base,
	     int argc, char **argv);
/* One line each. */
void optparse_help(const struct optparse *table, size_t n);

/* Says "doorbell-bench: WHAT: WHY"; gives -EINVAL. */
int optparse_complain(const char *what, const char *why);

#endif
