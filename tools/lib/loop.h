/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loop - a table of file descriptors and a list of timers, served by one thread
 *
 * loop_run() sleeps in poll() until a descriptor is ready or a timer expires: a loop
 * without timers makes no system call until then. A callback may add and remove
 * descriptors and timers, its own too. A struct of zeroes is an empty loop.
 */
#ifndef TOOLS_LIB_LOOP_H
#define TOOLS_LIB_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_MAX	32

/**
 * struct loop_fd - a descriptor and its callback
 * @fd: the descriptor; -1: removed, and the entry ends with this pass
 * @ready: called with what poll() says of the descriptor
 * @data: for @ready
 */
struct loop_fd {
	int    fd;
	void (*ready)(void *data, short events);
	void  *data;
};

/**
 * struct loop_timer - a timer, in memory of the caller
 * @expired: called once when the timer expires; then the timer is no longer set
 * @data: for @expired
 * @at: when it expires, in milliseconds as loop_now()
 * @set: it is in the loop's list of timers
 * @next: next timer in that list
 */
struct loop_timer {
	void		 (*expired)(void *data);
	void		  *data;
	int64_t		   at;
	bool		   set;
	struct loop_timer *next;
};

/**
 * struct loop - a loop
 * @fd: table of descriptors, in the order of loop_add()
 * @poll: argument of poll(), with the same indices; fd -1: paused or removed
 * @num: used entries of @fd and @poll
 * @timers: sorted by @at
 * @ended: loop_end() was called
 * @result: result of loop_run() after loop_end()
 */
struct loop {
	struct loop_fd	   fd[LOOP_MAX];
	struct pollfd	   poll[LOOP_MAX];
	unsigned int	   num;
	struct loop_timer *timers;
	bool		   ended;
	int		   result;
};

/* The present time of CLOCK_MONOTONIC, in milliseconds */
int64_t loop_now(void);

/*
 * Calls @ready when poll() finds one of @events, an error or a hang-up at @fd. The
 * caller keeps @fd. Returns 0 or -ENOSPC.
 */
int loop_add(struct loop *l, int fd, short events,
	     void (*ready)(void *data, short events), void *data);
/* Call it before @fd is closed. No function is called for @fd any more. */
void loop_remove(struct loop *l, int fd);
/*
 * @pause true: the loop keeps @fd in the table but does not poll it; false: it
 * polls @fd again. @fd may be in that state already.
 */
void loop_pause(struct loop *l, int fd, bool pause);

/* Sets the timer to expire after @ms, also if it is set already. */
void loop_set_timer(struct loop *l, struct loop_timer *t, int64_t ms);
void loop_stop_timer(struct loop *l, struct loop_timer *t);

/*
 * Serves until loop_end(). Returns its result; -EBADF if a descriptor was closed that
 * is in the table, which would keep the loop busy; -ENOMEM if poll() has no memory.
 */
int loop_run(struct loop *l);
/* No callback is called after the one that calls this. */
void loop_end(struct loop *l, int result);

#endif
