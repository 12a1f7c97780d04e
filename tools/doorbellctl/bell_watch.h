/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_watch - a line for each bell whose counter moves
 *
 * At most one a second of each bell. In between nobody waits for the bell, so
 * that whoever rings wakes nobody; while nothing rings, nothing runs.
 */
#ifndef DOORBELLCTL_BELL_WATCH_H
#define DOORBELLCTL_BELL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct bell_watch_bell {
	int		fd;	/* of the bell; the caller's */
	uint64_t	id;	/* of the bell */
	/* Ours. */
	uint64_t	shown;
	uint64_t	due;	/* until then it is not waited for; 0: it is */
};

struct bell_watch {
	unsigned int		 num;
	struct bell_watch_bell	*bell;	/* the caller's; one per vector */
	bool			 json;
	/* Ours; readable: call bell_watch_step(). */
	int			 epoll;
	int			 timer;
};

/* @num, @bell and @json are set. Returns 0 or -errno. */
int bell_watch_open(struct bell_watch *w);
/* Prints what has moved. Returns 0 or -errno of standard output, or of a bell. */
int bell_watch_step(struct bell_watch *w);
/* Prints what has moved since, whenever that was. Returns as above. */
int bell_watch_close(struct bell_watch *w);

#endif
