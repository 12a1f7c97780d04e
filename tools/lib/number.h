/* SPDX-License-Identifier: GPL-2.0 */
/*
 * number - numbers, sizes, times and yes or no, as people and the kernel write them
 *
 * The only place that turns text into numbers. No function takes a sign, white space, an
 * empty text, or anything behind the number: those fail with -EINVAL. A number
 * that is too large fails with -ERANGE. *@value is changed only on success.
 */
#ifndef TOOLS_LIB_NUMBER_H
#define TOOLS_LIB_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads decimal digits. */
int number_decimal(const char *text, uint64_t max, uint64_t *value);
/*
 * Read decimal digits, or "0x" and hexadecimal digits; the second one of 32
 * bits at most.
 */
int number_any(const char *text, uint64_t max, uint64_t *value);
int number_u32(const char *text, uint32_t *value);
/* As number_any(), with a unit allowed: k or K, M, G, T are powers of 1024. */
int number_size(const char *text, uint64_t max, uint64_t *value);
/*
 * Reads seconds, with up to nine digits after a point, and returns nanoseconds.
 */
int number_seconds(const char *text, uint64_t max, uint64_t *ns);
/* Reads yes, on or true; no, off or false. */
int number_bool(const char *text, bool *value);

/* Reads the decimal number that *@at begins with, and moves *@at behind it. */
int number_next(const char **at, uint64_t max, uint64_t *value);

#endif
