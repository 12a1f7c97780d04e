/* SPDX-License-Identifier: GPL-2.0 */
/* test_ctl - print the results of the tests of the tools as TAP */
#ifndef TEST_CTL_H
#define TEST_CTL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tests, failures;

__attribute__((format(printf, 2, 3)))
static void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%sok %u - ", good ? "" : "not ", ++tests);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	failures += !good;
}

#endif
