// SPDX-License-Identifier: GPL-2.0
#include "number.h"
#include "stop_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"
#include "notify.h"

#define PATIENCE	2	/* seconds before the first line */
#define REPEAT		30	/* seconds before each further line */

/* Appends "queue @q: @n" to the text. The first queues say enough if there is no room. */
static void add_queue(struct stop_watch_seen *seen, uint64_t q, uint64_t n)
{
	size_t used = strlen(seen->queues), size = sizeof(seen->queues) - sizeof(", ...");
	int ret;

	if (seen->more || !n)
		return;
	ret = snprintf(seen->queues + used, size - used, "%squeue %" PRIu64 ": %" PRIu64,
		       used ? ", " : "", q, n);
	if (ret >= 0 && used + ret < size)
		return;
	strcpy(seen->queues + used, ", ...");
	seen->more = true;
}

int stop_watch_read(FILE *f, struct stop_watch_seen *seen)
{
	static const char queue[] = "queue", key[] = " in_flight=";
	uint64_t q, number;
	const char *at, *in;
	char *line = NULL;
	size_t size = 0;
	bool told = false;

	*seen = (struct stop_watch_seen){ 0 };
	while (getline(&line, &size, f) > 0) {
		at = line + sizeof(queue) - 1;
		in = strstr(line, key);
		if (strncmp(line, queue, sizeof(queue) - 1) || !in ||
		    number_next(&at, UINT32_MAX, &q))
			continue;
		in += sizeof(key) - 1;
		if (number_next(&in, UINT64_MAX, &number))
			continue;
		seen->requests += number;
		add_queue(seen, q, number);
		told = true;
	}
	free(line);
	return told ? 0 : -ENODATA;
}

static int look_at(int device, struct stop_watch_seen *seen)
{
	char path[64];
	FILE *f;
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", device);
	f = fopen(path, "re");
	if (!f)
		return -ENODATA;
	ret = stop_watch_read(f, seen);
	fclose(f);
	return ret;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* To the log, and to the service manager, whose status of the unit shows it */
static void say_what_is_waited_for(const struct stop_watch *w, int device, time_t waited)
{
	const char *disk = w->disk ? w->disk : "the disk";
	static const char status[] = "STATUS=";
	struct stop_watch_seen seen;
	char text[1024];
	int at;

	strcpy(text, status);
	at = sizeof(status) - 1;
	/* Without a request it is a flush or write-back that the kernel started. */
	if (look_at(device, &seen) || !seen.requests)
		snprintf(text + at, sizeof(text) - at,
			 "the kernel waits for a flush or write-back that %s has not completed, for %lld s",
			 disk, (long long)waited);
	else
		snprintf(text + at, sizeof(text) - at,
			 "waiting for %llu request%s that %s has not completed, for %lld s (%s)",
			 (unsigned long long)seen.requests, seen.requests == 1 ? "" : "s",
			 disk, (long long)waited, seen.queues);
	log_warn("%s", text + at);
	notify_send(text, false);
}

/* Returns whether the call is late. */
static bool look(struct stop_watch *w, bool expired, bool stop)
{
	time_t waited;
	bool late;
	int device;

	pthread_mutex_lock(&w->lock);
	if (expired && w->waiting)
		w->late = true;
	late = w->late;
	device = w->device;
	waited = seconds() - w->began;
	if (late && stop)
		w->give_up(w->context);
	pthread_mutex_unlock(&w->lock);
	if (late && expired)
		say_what_is_waited_for(w, device, waited);
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
		/* While no call is late the main thread handles @stop. */
		if (poll(p, late ? 2 : 1, -1) < 0)
			continue;
		/*
		 * If the call has returned meanwhile the timer was set again,
		 * and the read fails.
		 */
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
	w->began = seconds();
	w->waiting = true;
	pthread_mutex_unlock(&w->lock);
	set_timer(w, PATIENCE);
}

void stop_watch_end(struct stop_watch *w)
{
	time_t waited;
	bool late;

	if (w->timer < 0)
		return;
	set_timer(w, 0);
	pthread_mutex_lock(&w->lock);
	late = w->late;
	waited = seconds() - w->began;
	w->waiting = false;
	w->late = false;
	pthread_mutex_unlock(&w->lock);
	if (!late)
		return;
	log_info("%s has answered after %lld s", w->disk ? w->disk : "the disk",
		 (long long)waited);
	notify_send("STATUS=The disk answers again", false);
}
