/* SPDX-License-Identifier: GPL-2.0 */
/*
 * driver_options - options of both emulated drivers, for disks and for network cards
 */
#ifndef DRIVER_OPTIONS_H
#define DRIVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct optparse_table;

enum driver_type {
	DRIVER_BLK,
	DRIVER_NET,
};

/*
 * Options of both drivers: the first member of struct options and struct
 * net_options
 */
struct driver_options {
	uint64_t	type;			/* enum driver_type */
	const char	*socket;
	uint64_t	connect_timeout;	/* seconds */
	enum mem_kind	mem_kind;
	const char	*mem_path;
	uint64_t	regions;
	bool		no_event_idx;
	bool		no_indirect;
	bool		legacy;
	bool		packed;
	bool		in_order;
	uint64_t	queue_size;

	uint64_t	count;
	uint64_t	seconds;
	uint64_t	seed;
	bool		verify;
	uint64_t	watchdog;		/* seconds */
	const char	*hostile;
	bool		json;
	bool		help;
};

#define DRIVER_OPTIONS_DEFAULT						\
	.connect_timeout = 10, .regions = 2, .seed = 1, .watchdog = 60

/* The type of the driver that this command line asks for (--type) */
enum driver_type driver_options_type(int argc, char **argv);
/*
 * Reads a command line: these options into @o, those of one type by its table @own.
 * Returns 0, or -EINVAL after a message on stderr.
 */
int driver_options_run(struct driver_options *o, const struct optparse_table *own,
		       int argc, char **argv);
/* Returns 0, or -EINVAL after a message on stderr. */
int driver_options_check(const struct driver_options *o);
/* Sets the limit of a run that has none: 10 seconds. */
void driver_options_limit(struct driver_options *o);
/*
 * Print --help: of these options; of @own, the options of one type, after
 * @intro.
 */
void driver_options_help(void);
void driver_options_help_own(const char *intro, const struct optparse_table *own);

#endif
