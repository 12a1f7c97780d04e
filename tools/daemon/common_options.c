// SPDX-License-Identifier: GPL-2.0
#include "common_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation.h"
#include "config.h"
#include "cpus.h"
#include "fdstore.h"
#include "json.h"
#include "keeper.h"
#include "log.h"
#include "optparse.h"
#include "version.h"
#include "vhd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int take_cpus(struct optparse *p, void *base, char *value)
{
	struct common_options *o = base;

	if (cpus_parse(value, &o->cpus))
		return optparse_refuse(p, "'%s' is not a list of CPUs, such as 0-3,8",
				       value);
	o->pin_cpus = true;
	return 0;
}

static int take_config(struct optparse *p, void *base, char *value)
{
	struct common_options *o = base;

	if (o->config)
		return optparse_refuse(p, "given twice");
	log_name_of_file(value);
	return config_read(p, value, &o->config);
}

#define OPTPARSE_TYPE	struct common_options

static const struct optparse_row common[] = {
	OPT_STRING("socket-path", socket_path, "PATH",
		   "make and listen on the vhost-user socket PATH"),
	OPT_NUMBER("fd", fd, "N", 0, INT32_MAX,
		   "use descriptor N, a listening or connected socket"),
	OPT_STRING("connect", connect, "PATH",
		   "connect to PATH, where the VMM listens (server=on), as "
		   "soon as it does, and again when it has gone"),
	OPT_TEXT("None of the three is needed if systemd passes a listening socket."),
	OPT_FLAG("keep", keep,
		 "a parent process keeps the front end's connection and the device: if "
		 "this one dies, another goes on"),
	OPT_CHOICE("mode", exec.mode, VHD_MODE_WORDS,
		   "how the queues are served (default auto); poll needs "
		   "CAP_SYS_NICE"),
	OPT_NUMBER("poll-us", exec.poll_us, "N", 1, VHOST_DOORBELL_MAX_POLL_US,
		   "poll: microseconds to look for more (default 50)"),
	OPT_NUMBER("poll-share", exec.poll_share, "PERCENT", 1, 100,
		   "poll: of a CPU, for each queue (default 50)"),
	OPT_NUMBER("coalesce-us", exec.coalesce_us, "N", 0,
		   VHOST_DOORBELL_MAX_COALESCE_US,
		   "microseconds that an interrupt may wait for more "
		   "completions (default 0)"),
	OPT_NUMBER("coalesce-count", exec.coalesce_count, "N", 1, 65535,
		   "completions after which it waits no more (default 32)"),
	OPT_CALL("cpus", take_cpus, "LIST",
		 "CPUs of this process and of the kernel's worker threads, "
		 "such as 0-3,8"),
	OPT_CALL("config", take_config, "FILE",
		 "take options from FILE, lines such as mode = worker",
		 .no_setting = true),
	OPT_STRING("device", device, "PATH", "device node (default " VHD_DEV_PATH ")"),
	OPT_FLAG("verbose", verbose, "log every vhost-user message"),
	OPT_END("print-capabilities", 0,
		"print what this back end can do as JSON, and exit"),
	OPT_END("help", 'h', "print this text, and exit"),
	OPT_END("version", 'V', "print the version, and exit"),
};

int common_options_usage(const struct common_program *p, const char *what,
			 const char *why)
{
	optparse_complain(p->name, what, why);
	return EXIT_USAGE;
}

static int print_capabilities(const struct common_program *p)
{
	struct json j;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "type", p->type);
	json_array(&j, "features");
	for (const char * const *name = p->features; *name; name++)
		json_str(&j, NULL, *name);
	json_array_end(&j);
	json_object_end(&j);
	return json_end(&j) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * Does what an option that ends the program asks for, such as --help. Returns
 * the exit status.
 */
static int end(const struct common_program *p, const struct optparse *options,
	       const char *name)
{
	if (!strcmp(name, "print-capabilities"))
		return print_capabilities(p);
	if (!strcmp(name, "help")) {
		fputs(p->intro, stdout);
		optparse_help(options, stdout, 0);
	} else {
		printf("%s " VHOST_DOORBELL_VERSION "\n", p->name);
	}
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

bool common_options_parse(const struct common_program *p, struct common_options *o,
			  void *own, int argc, char **argv, int *status)
{
	const struct optparse_table tables[] = {
		{ p->rows, p->num_rows, own },
		{ common, ARRAY_SIZE(common), o },
	};
	struct optparse options = {
		.program = p->name,
		.table = tables,
		.num_tables = ARRAY_SIZE(tables),
	};
	const struct optparse_row *ending = optparse_ending(&options, argc, argv);
	int ret;

	if (ending) {
		*status = end(p, &options, ending->name);
		return false;
	}
	ret = optparse_run(&options, argc, argv, NULL);
	if (o->verbose)
		log_level = LOG_LEVEL_DEBUG;
	*status = !ret ? 0 : ret == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	return !ret;
}

/*
 * Use the socket that systemd passes as if --fd named it; --fd may name the
 * same one.
 */
static int check_passed(const struct common_program *p, struct common_options *o,
			int passed)
{
	switch (passed) {
	case -ENOENT:
		return 0;
	case -E2BIG:
		return common_options_usage(p, "systemd's socket",
					    "more than one socket; pass one");
	case -EINVAL:
	case -EBADF:
		return common_options_usage(p, "systemd's socket", strerror(-passed));
	}
	if (o->socket_path || o->connect)
		return common_options_usage(p, "systemd passes the socket", o->connect ?
					    "leave out --connect" :
					    "leave out --socket-path");
	if (o->fd >= 0 && o->fd != passed)
		return common_options_usage(p, "systemd passes the socket",
					    "it is descriptor 3; leave out --fd");
	o->fd = passed;
	o->passed = true;
	return 0;
}

/* The parent has checked the options, and passes the socket that it has made. */
static int take_from_parent(struct common_options *o)
{
	int fd = activation_take();

	if (fd >= 0)
		o->fd = fd;
	return 0;
}

int common_options_check(const struct common_program *p, struct common_options *o)
{
	int ret, ways;

	o->worker = keeper_has_us();
	if (o->worker)
		return take_from_parent(o);
	if (o->keep && fdstore_is_there())
		return common_options_usage(p, "--keep", "the service manager holds the front "
					    "end already; leave it out");
	ret = check_passed(p, o, activation_take());
	ways = !!o->socket_path + !!o->connect + (o->fd >= 0);
	if (ret || ways == 1)
		return ret;
	return common_options_usage(p, "the socket", "give one of --socket-path, "
				    "--connect and --fd, or start it by a systemd "
				    "socket unit");
}
