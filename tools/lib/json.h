/* SPDX-License-Identifier: GPL-2.0 */
/*
 * json - writes JSON to a stream
 *
 * The caller passes a key inside an object, and NULL inside an array and for the outermost
 * value. The functions indent, write commas and escape strings; they write bytes that are
 * not UTF-8 as U+FFFD, so the output is always valid. json_end() returns errors of the
 * stream.
 *
 *	struct json j;
 *
 *	json_begin(&j, stdout);
 *	json_object(&j, NULL);
 *	json_u64(&j, "capacity", 4096);
 *	json_array(&j, "queues");
 *	json_str(&j, NULL, "first");
 *	json_array_end(&j);
 *	json_object_end(&j);
 *	ret = json_end(&j);
 */
#ifndef TOOLS_LIB_JSON_H
#define TOOLS_LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE		*out;
	unsigned int	 depth;
	/* The next value needs a comma before it */
	bool		 filled;
	bool		 line;		/* everything on one line */
};

void json_begin(struct json *j, FILE *out);
/* As json_begin(), but with no line breaks: one value per line of output. */
void json_begin_line(struct json *j, FILE *out);
/* Ends the output with a newline and flushes it. Returns 0 or -errno. */
int json_end(struct json *j);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

/* A NULL @value becomes null. */
void json_str(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
/* Writes @digits digits after the point; nan and inf become null. */
void json_double(struct json *j, const char *key, double value, int digits);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
