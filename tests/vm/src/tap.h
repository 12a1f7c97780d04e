/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap - results of a test program
 *
 * A program that runs too long is killed by SIGALRM. Before that the kernel stacks of all
 * threads of its case are printed.
 */
#ifndef TESTS_VM_TAP_H
#define TESTS_VM_TAP_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "args.h"

static unsigned int tap_results;

/* The factor by which this kernel is slower than usual. */
static inline unsigned int tap_factor(void)
{
	const char *factor = getenv("TIME_FACTOR");

	return factor ? arg_number("TIME_FACTOR", factor, 1000) : 1;
}

__attribute__((format(printf, 1, 2)))
static inline void diag(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok - ", good ? "" : "not ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	tap_results++;
	return good;
}

static inline void skip(const char *name, const char *reason)
{
	ok(true, "%s # SKIP %s", name, reason);
}

/* Ends the program if a precondition of its tests does not hold. */
#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			ok(false, "%s:%d: %s: %m", __FILE__, __LINE__,	\
			   #cond);					\
			exit(1);					\
		}							\
	} while (0)

/*
 * Another process waits, as a handler of SIGALRM would not run while the program hangs
 * in the kernel.
 */
static inline void tap_watch(unsigned int seconds)
{
	pid_t program = getpid();
	pid_t watcher = fork();

	MUST(watcher >= 0);
	if (watcher)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "tap-watch");
	sleep(seconds);
	if (getppid() != program)
		_exit(0);
	if (system("\"$VM_DIR/stacks\""))
		diag("no stacks");
	kill(program, SIGALRM);
	_exit(0);
}

static inline void tap_begin(unsigned int seconds)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	tap_watch(seconds * tap_factor());
}

static inline int tap_end(void)
{
	printf("1..%u\n", tap_results);
	return 0;
}

#endif
