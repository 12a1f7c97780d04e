/* SPDX-License-Identifier: GPL-2.0 */
/* common_options - what the command lines of the two daemons share */
#ifndef TOOLS_DAEMON_COMMON_OPTIONS_H
#define TOOLS_DAEMON_COMMON_OPTIONS_H

#include <getopt.h>
#include <linux/vhost_doorbell.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)		(1ull << (n))

#define EXIT_USAGE	2

enum {
	OPT_SOCKET_PATH = 256,
	OPT_FD,
	OPT_CONNECT,
	OPT_FEATURES,
	OPT_QUEUE_SIZE,
	OPT_MODE,
	OPT_POLL_US,
	OPT_POLL_SHARE,
	OPT_COALESCE_US,
	OPT_COALESCE_COUNT,
	OPT_CPUS,
	OPT_DEVICE,
	OPT_VERBOSE,
	OPT_PRINT_CAPABILITIES,
	OPT_HELP,
	OPT_VERSION,
	OPT_OWN,		/* the first of a daemon's own */
};

#define COMMON_USAGE_SOCKET						\
"  --socket-path=PATH    make and listen on the vhost-user socket PATH\n" \
"  --fd=N                use descriptor N, a listening or connected socket\n" \
"  --connect=PATH        connect to PATH, where the VMM listens (server=on), as\n" \
"                        soon as it does, and again when it has gone\n"

#define COMMON_USAGE_END						\
"  --mode=MODE           auto, worker, inline or poll (default auto);\n" \
"                        poll needs CAP_SYS_NICE\n"			\
"  --poll-us=N           poll: microseconds to look for more (default 50)\n" \
"  --poll-share=PERCENT  poll: of a CPU, for each queue (default 50)\n" \
"  --coalesce-us=N       microseconds that an interrupt may wait for more\n" \
"                        completions (default 0)\n"			\
"  --coalesce-count=N    completions after which it waits no more (default 32)\n" \
"  --cpus=LIST           CPUs of this process and of the kernel's worker\n" \
"                        threads, such as 0-3,8\n"			\
"  --device=PATH         device node (default /dev/vhost-doorbell)\n"	\
"  --verbose             log every vhost-user message\n"		\
"  --print-capabilities  print what this back end can do as JSON, and exit\n" \
"  --help                print this text, and exit\n"			\
"  --version             print the version, and exit\n"

struct common_options {
	const char  *program;		/* set by the daemon, as the next two */
	unsigned int queue_size_min;
	unsigned int queue_size;
	const char  *socket_path;
	int	     fd;		/* -1: none */
	const char  *connect;
	const char  *device;
	struct vhost_doorbell_exec exec;
	bool	     pin_cpus;
	cpu_set_t    cpus;
};

/* Says what is wrong with the command line: @fmt with @arg. EXIT_USAGE. */
int common_options_usage(const char *program, const char *fmt, const char *arg);
/* A number in decimal digits, from @min to @max. */
bool common_options_number(const char *text, unsigned int min, unsigned int max,
			   unsigned int *value);
/* Says why a feature was not switched: @ret and @at are of feature_switch(). */
int common_options_features(const char *program, int ret, const char *at);
/*
 * Gives @take each option, of the @n that are the daemon's own and of the common ones.
 * 0, or what @take returned, or EXIT_USAGE after a message.
 */
int common_options_parse(const char *program, int argc, char **argv,
			 const struct option *own, size_t n,
			 int (*take)(void *options, int opt, char *arg),
			 void *options);
/*
 * Takes an option that getopt_long() gave; --features and those that end the program
 * are the daemon's to handle. 0, or EXIT_USAGE after a message.
 */
int common_options_take(struct common_options *o, int opt, const char *arg);
/* To be called when all were taken. 0, or EXIT_USAGE after a message. */
int common_options_check(const struct common_options *o);
/*
 * Looks for the options that end the program, which ignore all others, valid or not.
 * @capabilities prints them and returns an exit status. *@status: the program's.
 */
bool common_options_ending(int argc, char **argv, const char *program,
			   const char *usage_text, int (*capabilities)(void),
			   int *status);

#endif
