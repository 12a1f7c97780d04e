/* SPDX-License-Identifier: GPL-2.0 */
/*
 * count - how many executions of a target got as far as a ring
 *
 * A target counts each execution at its end, and the sum is printed when the
 * program exits: inputs that fail before a ring starts test little.
 */
#ifndef TESTS_FUZZ_COUNT_H
#define TESTS_FUZZ_COUNT_H

#include <stdbool.h>
#include <stdio.h>

static unsigned long fuzz_executions, fuzz_rings;

static inline void fuzz_count(bool ring)
{
	fuzz_executions++;
	fuzz_rings += ring;
}

/* Both engines end by exit(). */
__attribute__((destructor)) static void fuzz_print_count(void)
{
	printf("# rings: %lu of %lu\n", fuzz_rings, fuzz_executions);
}

#endif
