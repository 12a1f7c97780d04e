/* SPDX-License-Identifier: GPL-2.0 */
/* options - the options of doorbellctl, and which subcommands take them */
#ifndef DOORBELLCTL_OPTIONS_H
#define DOORBELLCTL_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct ctl_options;

/* Arguments and options that a subcommand takes */
enum {
	TAKES_DEVICE	= 1 << 0,
	TAKES_TIME	= 1 << 1,
	TAKES_SORT	= 1 << 2,
	TAKES_SOCKET	= 1 << 3,
	TAKES_IVSHMEM	= 1 << 4,
	TAKES_BELLS	= 1 << 5,
	TAKES_ALL	= 1 << 6,
	TAKES_SETTINGS	= 1 << 7,
};

struct options_given {
	bool		help;
	bool		version;
	unsigned int	takes;	/* TAKES_* of the options that were given */
	int		first;	/* index in argv of the first other argument */
};

/* Parses all options and moves the other arguments to the end.
 * Complains on stderr; returns CTL_OK or CTL_USAGE.
 */
int options_parse(int argc, char **argv, struct ctl_options *o,
		  struct options_given *given);
/* The name of an option that is in @takes, such as "--count" */
const char *options_name(unsigned int takes);
/* Prints a line for each option that a subcommand with @takes has. */
void options_help(FILE *to, unsigned int takes);

#endif
