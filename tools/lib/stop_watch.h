/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stop_watch - a thread that logs and handles signals while the main thread waits
 *
 * The kernel stops a queue when its requests are completed, and a slow disk makes that
 * call wait. The thread sleeps until a call has taken some seconds. Then it logs what
 * the call waits for, and waits for the signals that the main thread cannot handle.
 */
#ifndef TOOLS_LIB_STOP_WATCH_H
#define TOOLS_LIB_STOP_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/**
 * struct stop_watch - the thread, and the call that it watches
 * @stop: from stop_open()
 * @give_up: called by the thread when @stop is readable during a late call; ends the
 *	process
 * @context: for @give_up
 * @disk: its name, for the log; NULL: none
 * @timer: a timerfd that expires during a late call; -1: there is no thread
 * @thread: reads @timer
 * @lock: protects the members below
 * @device: the open /dev/vhost-doorbell of the call
 * @began: when the call did, in seconds
 * @waiting: the main thread is in a call
 * @late: the call has taken some seconds
 */
struct stop_watch {
	int		stop;
	void	      (*give_up)(void *context);
	void	       *context;
	const char     *disk;
	int		timer;
	pthread_t	thread;
	pthread_mutex_t lock;
	int		device;
	time_t		began;
	bool		waiting;
	bool		late;
};

/*
 * The caller has set @stop, @give_up and @context. The thread runs until the process
 * ends. Returns 0 or -errno.
 */
int stop_watch_start(struct stop_watch *w);

/* Called before and after a call that may wait. @device: -1 if it is not open yet. */
void stop_watch_begin(struct stop_watch *w, int device);
void stop_watch_end(struct stop_watch *w);

/**
 * struct stop_watch_seen - what a device waits for
 * @requests: in flight in all queues
 * @queues: which queues have some, and how many, such as "queue 0: 2, queue 3: 1"
 * @more: there was no room for all
 */
struct stop_watch_seen {
	uint64_t requests;
	char	 queues[160];
	bool	 more;
};

/* Reads the fdinfo of a device. Returns -ENODATA if that has no line of a queue. */
int stop_watch_read(FILE *f, struct stop_watch_seen *seen);

#endif
