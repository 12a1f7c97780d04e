// SPDX-License-Identifier: GPL-2.0
#include "number.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define NS_DIGITS	9

static const char digits[] = "0123456789abcdef";

/* The value of digit @c; -1: it is no digit of @base */
static int digit_of(char c, unsigned int base)
{
	const char *at;

	if (c >= 'A' && c <= 'F')
		c += 'a' - 'A';
	at = c ? memchr(digits, c, base) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Reads the number that *@at begins with, in digits of @base. */
static int take(const char **at, unsigned int base, uint64_t max, uint64_t *value)
{
	const char *p = *at;
	bool over = false;
	uint64_t v = 0;
	int digit;

	for (; (digit = digit_of(*p, base)) >= 0; p++)
		over |= __builtin_mul_overflow(v, base, &v) ||
			__builtin_add_overflow(v, digit, &v);
	if (p == *at)
		return -EINVAL;
	if (over || v > max)
		return -ERANGE;
	*at = p;
	*value = v;
	return 0;
}

static int take_any(const char **at, uint64_t *value)
{
	const char *p = *at;
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
	int ret;

	p += hex ? 2 : 0;
	ret = take(&p, hex ? 16 : 10, UINT64_MAX, value);
	if (!ret)
		*at = p;
	return ret;
}

int number_next(const char **at, uint64_t max, uint64_t *value)
{
	return take(at, 10, max, value);
}

static int whole(const char *end, uint64_t max, uint64_t v, uint64_t *value)
{
	if (*end)
		return -EINVAL;
	if (v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

int number_decimal(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v;
	int ret = take(&text, 10, UINT64_MAX, &v);

	return ret ? ret : whole(text, max, v, value);
}

int number_any(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v;
	int ret = take_any(&text, &v);

	return ret ? ret : whole(text, max, v, value);
}

int number_u32(const char *text, uint32_t *value)
{
	uint64_t v;
	int ret = number_any(text, UINT32_MAX, &v);

	if (!ret)
		*value = v;
	return ret;
}

int number_size(const char *text, uint64_t max, uint64_t *value)
{
	static const char units[] = "kMGT";
	const char *unit = NULL;
	uint64_t v;
	int ret = take_any(&text, &v);

	if (ret)
		return ret;
	if (*text)
		unit = strchr(units, *text == 'K' ? 'k' : *text);
	if (unit && whole(text + 1, UINT64_MAX, 0, &(uint64_t){ 0 }))
		return -EINVAL;
	for (const char *p = units; unit && p <= unit; p++)
		if (__builtin_mul_overflow(v, 1024u, &v))
			return -ERANGE;
	return whole(unit ? text + 1 : text, max, v, value);
}

int number_seconds(const char *text, uint64_t max, uint64_t *ns)
{
	uint64_t v, part = 0;
	const char *point;
	int ret = take(&text, 10, UINT64_MAX, &v);

	if (ret)
		return ret;
	if (*text == '.') {
		point = ++text;
		ret = take(&text, 10, UINT64_MAX, &part);
		if (ret || text - point > NS_DIGITS)
			return -EINVAL;
		for (ptrdiff_t n = text - point; n < NS_DIGITS; n++)
			part *= 10;
	}
	if (*text)
		return -EINVAL;
	if (__builtin_mul_overflow(v, 1000000000u, &v) ||
	    __builtin_add_overflow(v, part, &v))
		return -ERANGE;
	return whole(text, max, v, ns);
}

int number_bool(const char *text, bool *value)
{
	static const char * const words[] = {
		"no", "yes", "off", "on", "false", "true",
	};

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]))
			continue;
		*value = i & 1;
		return 0;
	}
	return -EINVAL;
}
