/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap - results of a test program
 *
 * A program that hangs is ended, and that is its last result.
 */
#ifndef TESTS_VM_TAP_H
#define TESTS_VM_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned int tap_results;

/* How much slower than usual this kernel is. */
static inline unsigned int tap_factor(void)
{
	const char *factor = getenv("TIME_FACTOR");

	return factor ? atoi(factor) : 1;
}

__attribute__((format(printf, 1, 2)))
static inline void diag(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok - ", good ? "" : "not ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	tap_results++;
	return good;
}

static inline void skip(const char *name, const char *reason)
{
	ok(true, "%s # SKIP %s", name, reason);
}

/* What the tests stand on does not hold: nothing more can be said. */
#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			ok(false, "%s:%d: %s: %m", __FILE__, __LINE__,	\
			   #cond);					\
			exit(1);					\
		}							\
	} while (0)

static inline void tap_begin(unsigned int seconds)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(seconds * tap_factor());
}

static inline int tap_end(void)
{
	printf("1..%u\n", tap_results);
	return 0;
}

#endif
