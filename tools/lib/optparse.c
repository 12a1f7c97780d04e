// SPDX-License-Identifier: GPL-2.0
#include "optparse.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/*
 * Value that getopt_long() returns for the first row; short options and errors
 * have lower ones.
 */
#define FIRST_ROW	256

int optparse_complain(const char *program, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", program, what, why);
	return -EINVAL;
}

int optparse_refuse(const struct optparse *p, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", p->program);
	if (p->place)
		fprintf(stderr, "%s: ", p->place);
	fprintf(stderr, "%s%s: ", p->bare ? "" : "--", p->row->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -EINVAL;
}

/* --- rows of the tables --- */

/*
 * Row @i of all tables together, and the structure of its table; NULL after the
 * last row.
 */
static const struct optparse_row *row_at(const struct optparse *p, size_t i,
					 void **base)
{
	for (size_t t = 0; t < p->num_tables; t++) {
		if (i < p->table[t].num) {
			*base = p->table[t].base;
			return &p->table[t].row[i];
		}
		i -= p->table[t].num;
	}
	return NULL;
}

static const struct optparse_row *find(const struct optparse *p, const char *name,
				       char letter, void **base)
{
	const struct optparse_row *r;

	for (size_t i = 0; (r = row_at(p, i, base)); i++) {
		if (!r->name)
			continue;
		if (name ? !strcmp(r->name, name) : r->letter == letter)
			return r;
	}
	return NULL;
}

/* --- values of options --- */

static void store(const struct optparse_row *r, void *base, uint64_t value)
{
	void *at = (char *)base + r->offset;

	switch (r->size) {
	case 0:		/* An option that ends the program stores nothing. */
		break;
	case sizeof(bool):
		*(bool *)at = value;
		break;
	case sizeof(uint16_t):
		*(uint16_t *)at = value;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)at = value;
		break;
	case sizeof(uint64_t):
		*(uint64_t *)at = value;
		break;
	default:
		abort();
	}
}

static int refuse_choice(const struct optparse *p, const char *value)
{
	const char *words = p->row->arg;
	char text[128];
	size_t at = 0;

	for (; *words && at < sizeof(text) - 4; words++) {
		if (*words != '|')
			text[at++] = *words;
		else if (strchr(words + 1, '|'))
			text[at++] = ',', text[at++] = ' ';
		else
			at += (size_t)sprintf(text + at, " or ");
	}
	text[at] = '\0';
	return optparse_refuse(p, "'%s' is not %s", value, text);
}

static int take_choice(const struct optparse *p, void *base, const char *value)
{
	const char *words = p->row->arg;
	size_t len = strlen(value);

	for (uint64_t i = 0;; i++) {
		size_t n = strcspn(words, "|");

		if (n == len && !strncmp(words, value, n)) {
			store(p->row, base, i);
			return 0;
		}
		if (!words[n])
			return refuse_choice(p, value);
		words += n + 1;
	}
}

/* A limit in the form in which people write it, for messages */
static const char *limit(const struct optparse_row *r, uint64_t value, char *text,
			 size_t size)
{
	static const char * const units[] = { "", "k", "M", "G", "T" };
	unsigned int unit = 0;

	if (r->kind == OPTPARSE_SECONDS) {
		snprintf(text, size, "%g", (double)value / 1e9);
		return text;
	}
	for (; r->kind == OPTPARSE_SIZE && value && !(value % 1024) && unit < 4; unit++)
		value /= 1024;
	snprintf(text, size, "%" PRIu64 "%s", value, units[unit]);
	return text;
}

static int refuse_number(const struct optparse *p, const char *value)
{
	const struct optparse_row *r = p->row;
	char from[32], to[32];
	const char *what = r->kind == OPTPARSE_SECONDS ? "number of seconds" :
			   r->power_of_2 ? "power of 2" : "number";

	limit(r, r->min, from, sizeof(from));
	limit(r, r->max, to, sizeof(to));
	if (r->max != UINT64_MAX)
		return optparse_refuse(p, "'%s' is not a %s from %s to %s", value,
				       what, from, to);
	if (r->min)
		return optparse_refuse(p, "'%s' is not a %s from %s on", value, what,
				       from);
	return optparse_refuse(p, "'%s' is not a %s", value, what);
}

static int take_number(const struct optparse *p, void *base, const char *value)
{
	const struct optparse_row *r = p->row;
	uint64_t v;
	int ret;

	switch (r->kind) {
	case OPTPARSE_NUMBER:
		ret = number_decimal(value, r->max, &v);
		break;
	case OPTPARSE_SIZE:
		ret = number_size(value, r->max, &v);
		break;
	default:
		ret = number_seconds(value, r->max, &v);
	}
	if (ret || v < r->min || (r->power_of_2 && v & (v - 1)))
		return refuse_number(p, value);
	store(r, base, v);
	return 0;
}

static int take_string(const struct optparse *p, void *base, const char *value)
{
	const struct optparse_row *r = p->row;

	if (r->max && strlen(value) > r->max)
		return optparse_refuse(p, "'%s' is longer than %" PRIu64 " bytes",
				       value, r->max);
	*(const char **)((char *)base + r->offset) = value;
	return 0;
}

/* Takes a flag; a flag on a command line has no value, and @value is NULL. */
static int take_flag(const struct optparse *p, void *base, const char *value)
{
	bool on = true;

	if (value && number_bool(value, &on))
		return optparse_refuse(p, "'%s' is not yes or no", value);
	store(p->row, base, on);
	return 0;
}

static int take(struct optparse *p, const struct optparse_row *r, void *base,
		char *value)
{
	p->row = r;
	/* Such an option was looked for before, but not among letters in a row. */
	if (r->ends)
		return optparse_refuse(p, "stands by itself");
	p->given |= r->group;
	if (r->kind == OPTPARSE_FLAG)
		return take_flag(p, base, value);
	if (!value || !*value)
		return optparse_refuse(p, "needs a value, %s", r->arg);
	switch (r->kind) {
	case OPTPARSE_STRING:
		return take_string(p, base, value);
	case OPTPARSE_CHOICE:
		return take_choice(p, base, value);
	case OPTPARSE_CALL:
		return r->take(p, base, value);
	default:
		return take_number(p, base, value);
	}
}

int optparse_set(struct optparse *p, const char *name, char *value)
{
	void *base;
	const struct optparse_row *r = find(p, name, 0, &base);

	p->bare = true;
	if (r && !r->ends && !r->no_setting)
		return take(p, r, base, value);
	fprintf(stderr, "%s: %s%s%s: unknown setting\n", p->program,
		p->place ? p->place : "", p->place ? ": " : "", name);
	return -EINVAL;
}

/* --- command lines --- */

static int tell_getopt(const struct optparse *p, struct option **longs, char **letters)
{
	size_t n = 0, i = 0;
	const struct optparse_row *r;
	void *base;
	char *s;

	while (row_at(p, n, &base))
		n++;
	*longs = calloc(n + 1, sizeof(**longs));
	*letters = malloc(2 * n + 2);
	if (!*longs || !*letters)
		return -ENOMEM;
	s = *letters;
	*s++ = ':';
	for (size_t row = 0; (r = row_at(p, row, &base)); row++) {
		if (!r->name)
			continue;
		(*longs)[i++] = (struct option){
			.name = r->name,
			.has_arg = r->kind == OPTPARSE_FLAG ? no_argument :
							      required_argument,
			.val = FIRST_ROW + (int)row,
		};
		if (!r->letter)
			continue;
		*s++ = r->letter;
		if (r->kind != OPTPARSE_FLAG)
			*s++ = ':';
	}
	*s = '\0';
	return 0;
}

/*
 * Complains about an unknown option. @text is what the user typed, perhaps with
 * a value.
 */
static int unknown(const struct optparse *p, const char *text)
{
	fprintf(stderr, "%s: %.*s: unknown option, see --help\n", p->program,
		text[1] == '-' ? (int)strcspn(text, "=") : 2, text);
	return -EINVAL;
}

/*
 * The argument that getopt_long() has just read: the option, not a value that
 * stands apart.
 */
static const char *typed(char **argv)
{
	bool apart = optarg && optarg == argv[optind - 1];

	return argv[optind - 1 - apart];
}

/*
 * Does @text name the option in full? getopt_long() also takes abbreviations, a
 * settings file does not.
 */
static bool in_full(const char *text, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(text, "--", 2) && !strncmp(text + 2, name, n) &&
	       (!text[n + 2] || text[n + 2] == '=');
}

static int take_typed(struct optparse *p, int c, char **argv)
{
	const struct optparse_row *r = NULL;
	int which = c == ':' || c == '?' ? optopt : c;
	void *base;

	if (which >= FIRST_ROW)
		r = row_at(p, (size_t)(which - FIRST_ROW), &base);
	else if (which)
		r = find(p, NULL, (char)which, &base);
	if (!r && which)
		return unknown(p, (char []){ '-', (char)which, '\0' });
	if (!r || (which >= FIRST_ROW && !in_full(typed(argv), r->name)))
		return unknown(p, typed(argv));
	p->row = r;
	if (c == '?')
		return optparse_refuse(p, "takes no value");
	return take(p, r, base, c == ':' ? NULL : optarg);
}

int optparse_run(struct optparse *p, int argc, char **argv, int *first)
{
	struct option *longs = NULL;
	char *letters = NULL;
	int c, ret = tell_getopt(p, &longs, &letters);

	p->bare = false;
	p->place = NULL;
	/* Zero makes glibc begin again. */
	optind = 0;
	opterr = 0;
	while (!ret) {
		optarg = NULL;
		c = getopt_long(argc, argv, letters, longs, NULL);
		if (c == -1)
			break;
		ret = take_typed(p, c, argv);
		/*
		 * A settings file may have been read in between: set these
		 * again.
		 */
		p->bare = false;
		p->place = NULL;
	}
	if (ret == -ENOMEM && (!longs || !letters))
		optparse_complain(p->program, "options", strerror(ENOMEM));
	free(longs);
	free(letters);
	if (first)
		*first = optind;
	else if (!ret && optind < argc)
		return optparse_complain(p->program, argv[optind],
					 "unexpected argument");
	return ret;
}

const struct optparse_row *optparse_ending(const struct optparse *p, int argc,
					   char **argv)
{
	const struct optparse_row *r;
	void *base;

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		for (size_t n = 0; (r = row_at(p, n, &base)); n++) {
			char brief[] = { '-', r->letter, '\0' };

			if (r->ends && ((in_full(argv[i], r->name) &&
					 !strchr(argv[i], '=')) ||
					(r->letter && !strcmp(argv[i], brief))))
				return r;
		}
	}
	return NULL;
}

const char *optparse_peek(int argc, char **argv, const char *name)
{
	const char *value = NULL;

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!in_full(argv[i], name))
			continue;
		if (argv[i][2 + strlen(name)])
			value = argv[i] + strlen(name) + 3;
		else if (i + 1 < argc)
			value = argv[++i];
	}
	return value;
}
