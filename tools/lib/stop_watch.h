/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stop_watch - a thread that speaks for a program whose call waits for requests
 *
 * The kernel stops a queue when its requests are completed, and a disk may take its
 * time. The thread sleeps until such a call has taken some seconds. Then it says what
 * the call waits for, and listens for the signals that the program, in the call, does
 * not hear.
 */
#ifndef TOOLS_LIB_STOP_WATCH_H
#define TOOLS_LIB_STOP_WATCH_H

#include <pthread.h>
#include <stdbool.h>

/**
 * struct stop_watch - such a thread
 * @stop: of stop_open()
 * @give_up: called by the thread, with the call still waiting, when @stop is readable:
 *	ends the process
 * @context: for @give_up
 * @timer: a timerfd that runs out during calls that take long; -1: no thread
 * @thread: reads @timer
 * @lock: protects what follows
 * @device: the open /dev/vhost-doorbell of the call
 * @waiting: a call is under way
 * @late: and takes long
 */
struct stop_watch {
	int		stop;
	void	      (*give_up)(void *context);
	void	       *context;
	int		timer;
	pthread_t	thread;
	pthread_mutex_t lock;
	int		device;
	bool		waiting;
	bool		late;
};

/*
 * The caller has set @stop, @give_up and @context. The thread lasts as long as the
 * process. Returns 0 or -errno.
 */
int stop_watch_start(struct stop_watch *w);

/* Around a call that may wait for the disk. @device: -1 if it is not open yet. */
void stop_watch_begin(struct stop_watch *w, int device);
void stop_watch_end(struct stop_watch *w);

/*
 * Requests in flight, of all queues of an open device of this process. -ENODATA: the
 * kernel does not say, or @device is closed.
 */
int stop_watch_in_flight(int device, unsigned long long *n);

#endif
