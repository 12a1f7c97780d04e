// SPDX-License-Identifier: GPL-2.0
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void json_start(struct json *j, FILE *out, bool line)
{
	j->out = out;
	j->depth = 0;
	j->filled = false;
	j->line = line;
}

void json_begin(struct json *j, FILE *out)
{
	json_start(j, out, false);
}

void json_begin_line(struct json *j, FILE *out)
{
	json_start(j, out, true);
}

int json_end(struct json *j)
{
	putc('\n', j->out);
	if (fflush(j->out) || ferror(j->out))
		return errno ? -errno : -EIO;
	return 0;
}

static void json_newline(struct json *j)
{
	if (j->line)
		return;
	putc('\n', j->out);
	for (unsigned int i = 0; i < j->depth; i++)
		fputs("  ", j->out);
}

/*
 * Bytes of the UTF-8 character at @s, 0 if there is none: overlong forms,
 * surrogates and values past U+10FFFF are not characters.
 */
static unsigned int json_utf8(const unsigned char *s)
{
	unsigned int n, min, c;

	if (*s < 0x80)
		return 1;
	if (*s >= 0xc2 && *s <= 0xdf)
		n = 2, min = 0x80, c = *s & 0x1f;
	else if (*s >= 0xe0 && *s <= 0xef)
		n = 3, min = 0x800, c = *s & 0x0f;
	else if (*s >= 0xf0 && *s <= 0xf4)
		n = 4, min = 0x10000, c = *s & 0x07;
	else
		return 0;
	for (unsigned int i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

static void json_quote(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	unsigned int n;

	putc('"', j->out);
	for (; *s; s += n) {
		n = json_utf8(s);
		if (!n) {
			fputs("\\ufffd", j->out);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			fprintf(j->out, "\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			fprintf(j->out, "\\u%04x", *s);
		} else {
			fwrite(s, 1, n, j->out);
		}
	}
	putc('"', j->out);
}

/* Comma, indentation and key, before every value */
static void json_place(struct json *j, const char *key)
{
	if (j->filled)
		fputs(j->line ? ", " : ",", j->out);
	if (j->depth)
		json_newline(j);
	j->filled = true;
	if (key) {
		json_quote(j, key);
		fputs(": ", j->out);
	}
}

static void json_open(struct json *j, const char *key, char c)
{
	json_place(j, key);
	putc(c, j->out);
	j->depth++;
	j->filled = false;
}

static void json_close(struct json *j, char c)
{
	j->depth--;
	if (j->filled)
		json_newline(j);
	putc(c, j->out);
	j->filled = true;
}

void json_object(struct json *j, const char *key)
{
	json_open(j, key, '{');
}

void json_object_end(struct json *j)
{
	json_close(j, '}');
}

void json_array(struct json *j, const char *key)
{
	json_open(j, key, '[');
}

void json_array_end(struct json *j)
{
	json_close(j, ']');
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	json_place(j, key);
	json_quote(j, value);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	json_place(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	json_place(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_double(struct json *j, const char *key, double value, int digits)
{
	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	json_place(j, key);
	fprintf(j->out, "%.*f", digits, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	json_place(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	json_place(j, key);
	fputs("null", j->out);
}
