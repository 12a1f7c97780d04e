// SPDX-License-Identifier: GPL-2.0
#include "stop_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"

#define PATIENCE	2	/* seconds before the first word */
#define REPEAT		30	/* and before each other */

int stop_watch_in_flight(int device, unsigned long long *n)
{
	static const char key[] = " in_flight=";
	char *line = NULL, path[64], *at;
	size_t size = 0;
	bool told = false;
	FILE *f;

	*n = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", device);
	f = fopen(path, "re");
	if (!f)
		return -ENODATA;
	while (getline(&line, &size, f) > 0) {
		at = strstr(line, key);
		if (strncmp(line, "queue", 5) || !at)
			continue;
		*n += strtoull(at + sizeof(key) - 1, NULL, 10);
		told = true;
	}
	free(line);
	fclose(f);
	return told ? 0 : -ENODATA;
}

static void say_what_is_waited_for(int device)
{
	unsigned long long n;

	/* Of no request is a flush or a write-back of the kernel's own. */
	if (stop_watch_in_flight(device, &n) || !n)
		log_warn("the kernel waits for what the disk has not completed");
	else
		log_warn("waiting for %llu requests that the disk has not completed",
			 n);
}

/* Returns whether the program is in a call that takes long. */
static bool look(struct stop_watch *w, bool expired, bool stop)
{
	bool late;
	int device;

	pthread_mutex_lock(&w->lock);
	if (expired && w->waiting)
		w->late = true;
	late = w->late;
	device = w->device;
	if (late && stop)
		w->give_up(w->context);
	pthread_mutex_unlock(&w->lock);
	if (late && expired)
		say_what_is_waited_for(device);
	return late;
}

static void *stop_watch_run(void *arg)
{
	struct stop_watch *w = arg;
	struct pollfd p[] = {
		{ .fd = w->timer, .events = POLLIN },
		{ .fd = w->stop, .events = POLLIN },
	};
	bool late = false, expired, stop;
	uint64_t ticks;

	for (;;) {
		/* Outside of a call that takes long, the program hears @stop. */
		if (poll(p, late ? 2 : 1, -1) < 0)
			continue;
		/* The timer of a call that has returned cannot be read. */
		expired = p[0].revents & POLLIN &&
			  read(w->timer, &ticks, sizeof(ticks)) > 0;
		stop = late && p[1].revents;
		if (expired || stop)
			late = look(w, expired, stop);
	}
	return NULL;
}

static void set_timer(struct stop_watch *w, time_t first)
{
	struct itimerspec t = {
		.it_value.tv_sec = first,
		.it_interval.tv_sec = first ? REPEAT : 0,
	};

	timerfd_settime(w->timer, 0, &t, NULL);
}

int stop_watch_start(struct stop_watch *w)
{
	int ret;

	pthread_mutex_init(&w->lock, NULL);
	w->waiting = false;
	w->late = false;
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->timer < 0)
		return -errno;
	ret = pthread_create(&w->thread, NULL, stop_watch_run, w);
	if (ret)
		fd_close(&w->timer);
	return -ret;
}

void stop_watch_begin(struct stop_watch *w, int device)
{
	if (w->timer < 0)
		return;
	pthread_mutex_lock(&w->lock);
	w->device = device;
	w->waiting = true;
	pthread_mutex_unlock(&w->lock);
	set_timer(w, PATIENCE);
}

void stop_watch_end(struct stop_watch *w)
{
	if (w->timer < 0)
		return;
	set_timer(w, 0);
	pthread_mutex_lock(&w->lock);
	w->waiting = false;
	w->late = false;
	pthread_mutex_unlock(&w->lock);
}
