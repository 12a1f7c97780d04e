/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap - results of the tests of the module's own sources
 *
 * A test runs between tap_begin() and tap_end(); CHECK() prints the condition
 * that does not hold. Each test begins with a fresh world (see world.h) and
 * must leave nothing allocated, pinned or referenced in it.
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdio.h>

#include "world.h"

static unsigned int tap_tests, tap_failures;
static bool tap_bad;

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__,	\
			       #cond);					\
			tap_bad = true;					\
		}							\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		long long tap_a = (long long)(a);			\
		long long tap_b = (long long)(b);			\
									\
		if (tap_a != tap_b) {					\
			printf("# %s:%d: %s is %lld, not %lld\n",	\
			       __FILE__, __LINE__, #a, tap_a, tap_b);	\
			tap_bad = true;					\
		}							\
	} while (0)

static inline void tap_begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_reset();
	tap_bad = false;
}

static inline void tap_end(const char *name)
{
	const char *leak = world_leak();

	if (leak) {
		printf("# %s\n", leak);
		tap_bad = true;
	}
	printf("%sok %u - %s\n", tap_bad ? "not " : "", ++tap_tests, name);
	tap_failures += tap_bad;
}

static inline int tap_done(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failures ? 1 : 0;
}

struct tap_test {
	const char *name;
	void	  (*run)(void);
};

static inline void tap_run(const struct tap_test *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		tap_begin();
		tests[i].run();
		tap_end(tests[i].name);
	}
}

#define TAP_RUN(tests)	tap_run(tests, sizeof(tests) / sizeof(*(tests)))

#endif
