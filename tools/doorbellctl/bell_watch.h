/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_watch - print a line for each bell whose counter moves
 *
 * It prints at most one line per second and bell. Between two lines it does not
 * wait for the bell, so a ring wakes no process. While nothing rings it does
 * not run.
 */
#ifndef DOORBELLCTL_BELL_WATCH_H
#define DOORBELLCTL_BELL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct bell_watch_bell {
	int		fd;	/* descriptor of the bell; the caller's */
	uint64_t	id;	/* of the bell */
	/* Private members: */
	uint64_t	shown;
	uint64_t	due;	/* do not wait for the bell until then; 0: waiting */
};

struct bell_watch {
	unsigned int		 num;
	struct bell_watch_bell	*bell;	/* the caller's; one per vector */
	bool			 json;
	/* Private members. If @epoll is readable, call bell_watch_step(). */
	int			 epoll;
	int			 timer;
};

/* The caller has set @num, @bell and @json. Returns 0 or -errno. */
int bell_watch_open(struct bell_watch *w);
/*
 * Prints the bells whose counter has changed. Returns 0, or -errno of standard
 * output or of a bell.
 */
int bell_watch_step(struct bell_watch *w);
/* Prints the bells that moved since they were last shown. Returns as above. */
int bell_watch_close(struct bell_watch *w);

#endif
