// SPDX-License-Identifier: GPL-2.0
/* number.c: texts that are valid numbers, and texts that are not */
#include <errno.h>
#include <string.h>

#include "number.h"
#include "test_vu.h"

/* Value that must stay in place after an error */
#define UNTOUCHED	0x5afe

struct row {
	const char *text;
	int	    ret;
	uint64_t    value;
};

static int seconds(const char *text, uint64_t max, uint64_t *value)
{
	return number_seconds(text, max, value);
}

static void check_rows(int (*parse)(const char *text, uint64_t max, uint64_t *value),
		       uint64_t max, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = UNTOUCHED;
		int ret = parse(rows[i].text, max, &value);

		if (ret != rows[i].ret ||
		    value != (ret ? UNTOUCHED : rows[i].value))
			printf("# '%s'\n", rows[i].text);
		CHECK_EQ(ret, rows[i].ret);
		CHECK_EQ(value, ret ? UNTOUCHED : rows[i].value);
	}
}

#define ROWS(parse, max, rows) \
	check_rows(parse, max, rows, sizeof(rows) / sizeof(*(rows)))

static void test_decimal(void)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "7", 0, 7 },
		{ "010", 0, 10 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ " 7", -EINVAL, 0 },
		{ "7 ", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "0x7", -EINVAL, 0 },
		{ "7k", -EINVAL, 0 },
		{ "7.5", -EINVAL, 0 },
		{ "a", -EINVAL, 0 },
	};
	static const struct row limited[] = {
		{ "64", 0, 64 },
		{ "65", -ERANGE, 0 },
		{ "65x", -EINVAL, 0 },
	};

	ROWS(number_decimal, UINT64_MAX, rows);
	ROWS(number_decimal, 64, limited);
}

static void test_any(void)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "010", 0, 10 },
		{ "0x10", 0, 16 },
		{ "0XaF", 0, 0xaf },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
		{ "0x10000000000000000", -ERANGE, 0 },
		{ "0x", -EINVAL, 0 },
		{ "x10", -EINVAL, 0 },
		{ "0xg", -EINVAL, 0 },
		{ "0x1g", -EINVAL, 0 },
		{ "af", -EINVAL, 0 },
		{ "-0x1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};
	uint32_t small = UNTOUCHED;

	ROWS(number_any, UINT64_MAX, rows);
	CHECK_EQ(number_u32("0x100000000", &small), -ERANGE);
	CHECK_EQ(number_u32("-1", &small), -EINVAL);
	CHECK_EQ(small, UNTOUCHED);
	CHECK_EQ(number_u32("4294967295", &small), 0);
	CHECK_EQ(small, UINT32_MAX);
}

static void test_size(void)
{
	static const struct row rows[] = {
		{ "512", 0, 512 },
		{ "4k", 0, 4096 },
		{ "4K", 0, 4096 },
		{ "0x10M", 0, 16 << 20 },
		{ "3G", 0, 3ull << 30 },
		{ "16777215T", 0, 16777215ull << 40 },
		{ "16777216T", -ERANGE, 0 },
		{ "18446744073709551615k", -ERANGE, 0 },
		{ "k", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "4kB", -EINVAL, 0 },
		{ "4k ", -EINVAL, 0 },
		{ "4kk", -EINVAL, 0 },
		{ "4 k", -EINVAL, 0 },
		{ "4m", -EINVAL, 0 },
		{ "4P", -EINVAL, 0 },
		{ "-4k", -EINVAL, 0 },
		{ "1.5k", -EINVAL, 0 },
	};
	static const struct row limited[] = {
		{ "1G", 0, 1 << 30 },
		{ "1048577k", -ERANGE, 0 },
	};

	ROWS(number_size, UINT64_MAX, rows);
	ROWS(number_size, 1 << 30, limited);
}

static void test_seconds(void)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1000000000 },
		{ "0.01", 0, 10000000 },
		{ "1.5", 0, 1500000000 },
		{ "0.000000001", 0, 1 },
		{ "86400", 0, 86400000000000 },
		{ "86400.000000001", -ERANGE, 0 },
		{ "18446744074", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "0.0000000001", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "1.5.5", -EINVAL, 0 },
		{ "1,5", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1s", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "0x1", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	ROWS(seconds, 86400000000000, rows);
}

static void test_bool(void)
{
	static const char * const neither[] = { "", "y", "YES", "1", "0", "yes " };
	static const char * const words[] = {
		"no", "yes", "off", "on", "false", "true",
	};
	bool value;

	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i++) {
		value = !(i & 1);
		CHECK_EQ(number_bool(words[i], &value), 0);
		CHECK_EQ(value, i & 1);
	}
	value = true;
	for (unsigned int i = 0; i < sizeof(neither) / sizeof(*neither); i++)
		CHECK_EQ(number_bool(neither[i], &value), -EINVAL);
	CHECK(value);
}

static void test_next(void)
{
	const char *text = "12,0x3", *at = text;
	uint64_t value = 0;

	CHECK_EQ(number_next(&at, 12, &value), 0);
	CHECK_EQ(value, 12);
	CHECK(at == text + 2);
	CHECK_EQ(number_next(&at, 12, &value), -EINVAL);
	CHECK(at == text + 2);
	at = text;
	CHECK_EQ(number_next(&at, 11, &value), -ERANGE);
	CHECK(at == text);
	at = text + 3;
	CHECK_EQ(number_next(&at, 12, &value), 0);
	CHECK(!value && *at == 'x');
}

static const struct test tests[] = {
	{ "decimal numbers", test_decimal },
	{ "hexadecimal ones, and those of 32 bits", test_any },
	{ "sizes and their units", test_size },
	{ "seconds", test_seconds },
	{ "yes and no", test_bool },
	{ "numbers that a text begins with", test_next },
};

TEST_MAIN(tests)
