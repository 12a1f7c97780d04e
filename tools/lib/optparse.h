/* SPDX-License-Identifier: GPL-2.0 */
/*
 * optparse - command lines and lines of settings, by a table; --help from the same table
 *
 * All programs take options alike: "--name=value" or "--name value". A name is written
 * in full. If an option is given twice the last one counts. A message reads
 * "PROGRAM: --name: 'value' is not ...".
 */
#ifndef TOOLS_LIB_OPTPARSE_H
#define TOOLS_LIB_OPTPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct optparse;

/*
 * Type of an option's value, as it is stored; numbers are unsigned and of any
 * size.
 */
enum optparse_kind {
	OPTPARSE_TEXT,		/* no option: @help is a paragraph of --help */
	OPTPARSE_FLAG,		/* bool */
	OPTPARSE_NUMBER,	/* in decimal digits */
	OPTPARSE_SIZE,		/* as number_size() */
	OPTPARSE_SECONDS,	/* as number_seconds(): @min, @max and the value are in ns */
	OPTPARSE_STRING,	/* const char *; @max: its longest length, 0: any */
	OPTPARSE_CHOICE,	/* the index of the word among those of @arg */
	OPTPARSE_CALL,		/* @take handles the value */
};

/**
 * struct optparse_row - one option
 * @name: name of the option, without hyphens
 * @arg: name of the value in --help; for a choice the words, with '|' between them
 * @help: text of --help, which is broken into lines
 * @take: for OPTPARSE_CALL: handles @value, and may write to it. Returns 0, or -errno
 *	after a message
 * @min: the least number
 * @max: the largest number
 * @offset: offset of the value in the structure
 * @size: size of the value, in bytes
 * @group: bits of the groups that the option is in; 0: it may be used with any
 * @letter: its short form; 0: none
 * @kind: type of the value
 * @power_of_2: the number must be a power of 2
 * @ends: it ends the program: optparse_ending() finds it; not allowed in a settings file
 * @no_setting: not allowed in a settings file
 */
struct optparse_row {
	const char	  *name;
	const char	  *arg;
	const char	  *help;
	int		 (*take)(struct optparse *p, void *base, char *value);
	uint64_t	   min;
	uint64_t	   max;
	size_t		   offset;
	size_t		   size;
	unsigned int	   group;
	char		   letter;
	enum optparse_kind kind;
	bool		   power_of_2;
	bool		   ends;
	bool		   no_setting;
};

struct optparse_table {
	const struct optparse_row *row;
	size_t			   num;
	void			  *base;	/* the structure that @offset is in */
};

/**
 * struct optparse - the options of one program or subcommand
 * @program: its name, for messages
 * @table: its tables of options, in the order of --help
 * @num_tables: number of tables
 * @place: for messages: where a setting stands, such as "FILE:3"; NULL: on the command
 *	line
 * @given: the groups of all options that were given
 * @row: private: the option that is being read
 * @bare: private: messages show the option without hyphens
 */
struct optparse {
	const char		    *program;
	const struct optparse_table *table;
	size_t			     num_tables;
	const char		    *place;
	unsigned int		     given;
	const struct optparse_row   *row;
	bool			     bare;
};

/*
 * For tables: OPTPARSE_TYPE is the structure's type. More members may follow the help,
 * such as in OPT_FLAG("json", json, "for programs", .letter = 'j').
 */
#define OPT_AT(member)	.offset = offsetof(OPTPARSE_TYPE, member), \
			.size = sizeof(((OPTPARSE_TYPE *)0)->member)
#define OPT_FLAG(n, member, text, ...) \
	{ .name = n, .kind = OPTPARSE_FLAG, OPT_AT(member), .help = text, \
	  __VA_ARGS__ }
#define OPT_NUMBER(n, member, a, lo, hi, text, ...) \
	{ .name = n, .kind = OPTPARSE_NUMBER, OPT_AT(member), .arg = a, \
	  .min = lo, .max = hi, .help = text, __VA_ARGS__ }
#define OPT_SIZE(n, member, a, lo, hi, text, ...) \
	{ .name = n, .kind = OPTPARSE_SIZE, OPT_AT(member), .arg = a, \
	  .min = lo, .max = hi, .help = text, __VA_ARGS__ }
#define OPT_SECONDS(n, member, lo, hi, text, ...) \
	{ .name = n, .kind = OPTPARSE_SECONDS, OPT_AT(member), \
	  .arg = "SECONDS", .min = lo, .max = hi, .help = text, __VA_ARGS__ }
#define OPT_STRING(n, member, a, text, ...) \
	{ .name = n, .kind = OPTPARSE_STRING, OPT_AT(member), .arg = a, \
	  .help = text, __VA_ARGS__ }
#define OPT_CHOICE(n, member, words, text, ...) \
	{ .name = n, .kind = OPTPARSE_CHOICE, OPT_AT(member), .arg = words, \
	  .help = text, __VA_ARGS__ }
#define OPT_CALL(n, fn, a, text, ...) \
	{ .name = n, .kind = OPTPARSE_CALL, .take = fn, .arg = a, \
	  .help = text, __VA_ARGS__ }
/* An option that ends the program before any other is looked at. */
#define OPT_END(n, l, text) \
	{ .name = n, .kind = OPTPARSE_FLAG, .letter = l, .ends = true, \
	  .help = text }
#define OPT_TEXT(text) \
	{ .kind = OPTPARSE_TEXT, .help = text }

/*
 * Reads the options of a command line; argv[0] is skipped. Arguments that are no
 * options are moved to the end, and *@first is the index of the first of them; if
 * @first is NULL they are errors. Returns 0, -EINVAL after a message, or what @take of
 * a row returned.
 */
int optparse_run(struct optparse *p, int argc, char **argv, int *first);

/*
 * Applies one setting, such as a line of a settings file: @name has no hyphens. Returns
 * as optparse_run().
 */
int optparse_set(struct optparse *p, const char *name, char *value);

/* The first option on the command line that ends the program; NULL: none */
const struct optparse_row *optparse_ending(const struct optparse *p, int argc,
					   char **argv);
/*
 * The value of the last option @name on the command line, before it is parsed;
 * NULL: none
 */
const char *optparse_peek(int argc, char **argv, const char *name);

/* A line or more for each option that is in no group or in one of @groups. */
void optparse_help(const struct optparse *p, FILE *to, unsigned int groups);

/*
 * Prints a message about the option that is being read: "PROGRAM: PLACE: --name: " and
 * @fmt. Returns -EINVAL.
 */
__attribute__((format(printf, 2, 3)))
int optparse_refuse(const struct optparse *p, const char *fmt, ...);
/*
 * Prints "PROGRAM: WHAT: WHY", for errors that are not about one option. Returns -EINVAL.
 */
int optparse_complain(const char *program, const char *what, const char *why);

#endif
