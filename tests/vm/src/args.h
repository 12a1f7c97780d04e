/* SPDX-License-Identifier: GPL-2.0 */
/* args - numbers on the command lines of these programs */
#ifndef TESTS_VM_SRC_ARGS_H
#define TESTS_VM_SRC_ARGS_H

#include <err.h>
#include <stdint.h>

#include "number.h"

/* @text, an argument that the usage calls @what, or the end with status 2. */
static inline uint64_t arg_number(const char *what, const char *text, uint64_t max)
{
	uint64_t value;

	if (number_any(text, max, &value))
		errx(2, "%s: '%s' is not a number from 0 to %llu", what, text,
		     (unsigned long long)max);
	return value;
}

#endif
