/* SPDX-License-Identifier: GPL-2.0 */
/* common_options - options that the command lines of both daemons have */
#ifndef TOOLS_DAEMON_COMMON_OPTIONS_H
#define TOOLS_DAEMON_COMMON_OPTIONS_H

#include <linux/vhost_doorbell.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct optparse_row;

#define BIT(n)		(1ull << (n))

#define EXIT_USAGE	2

struct common_options {
	unsigned int queue_size;	/* set by the daemon before parsing */
	const char  *socket_path;
	int	     fd;		/* -1: none */
	bool	     passed;		/* @fd is of the service manager */
	const char  *connect;
	bool	     keep;
	bool	     worker;		/* of a parent that --keep made */
	char	    *config;		/* text of the file, allocated */
	const char  *device;
	bool	     verbose;
	struct vhost_doorbell_exec exec;
	bool	     pin_cpus;
	cpu_set_t    cpus;
};

/**
 * struct common_program - a daemon's own part of its command line
 * @name: name of the program
 * @intro: first lines of --help
 * @rows: the options that only this daemon has
 * @num_rows: number of @rows
 * @type: kind of back end in --print-capabilities, as QEMU's vhost-user.json has it
 * @features: names of its features there, the last one NULL
 */
struct common_program {
	const char		  *name;
	const char		  *intro;
	const struct optparse_row *rows;
	size_t			   num_rows;
	const char		  *type;
	const char * const	  *features;
};

/*
 * Reads a command line, and the --config file that it names: options of both daemons
 * into @o, those in @p's rows into @own, the daemon's structure. Returns false if the
 * program has to end with *@status: after a message about an error, or after printing
 * what an option such as --help asked for.
 */
bool common_options_parse(const struct common_program *p, struct common_options *o,
			  void *own, int argc, char **argv, int *status);
/*
 * The daemon calls this after it has read all options. If the service manager passes a
 * socket, this uses it as --fd. Returns 0, or EXIT_USAGE after a message.
 */
int common_options_check(const struct common_program *p, struct common_options *o);
/* Prints "PROGRAM: WHAT: WHY". Returns EXIT_USAGE. */
int common_options_usage(const struct common_program *p, const char *what,
			 const char *why);

#endif
