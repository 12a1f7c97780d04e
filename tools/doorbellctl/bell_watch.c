// SPDX-License-Identifier: GPL-2.0
#include "bell_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "json.h"

#define NSEC_PER_SEC	1000000000ull

/* Marks the timer in epoll's data; other values are vectors. */
#define TIMER		UINT32_MAX

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static int wait_for(struct bell_watch *w, int fd, uint32_t which)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = which };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int print_json(const struct bell_watch *w, unsigned int vector,
		      uint64_t count)
{
	const struct bell_watch_bell *b = &w->bell[vector];
	struct json j;

	json_begin_line(&j, stdout);
	json_object(&j, NULL);
	json_u64(&j, "vector", vector);
	json_u64(&j, "bell", b->id);
	json_u64(&j, "count", count);
	json_u64(&j, "added", count - b->shown);
	json_object_end(&j);
	return json_end(&j);
}

static int print_text(const struct bell_watch *w, unsigned int vector,
		      uint64_t count)
{
	const struct bell_watch_bell *b = &w->bell[vector];

	printf("vector %u (bell %" PRIu64 "): %" PRIu64 " (+%" PRIu64 ")\n",
	       vector, b->id, count, count - b->shown);
	return fflush(stdout) || ferror(stdout) ? -errno : 0;
}

/* Reading the counter moves the mark, so poll() now waits for more rings. */
static int show(struct bell_watch *w, unsigned int vector)
{
	struct bell_watch_bell *b = &w->bell[vector];
	uint64_t count;
	int ret;

	if (read(b->fd, &count, sizeof(count)) != sizeof(count))
		return -errno;
	if (count == b->shown)
		return 0;
	ret = w->json ? print_json(w, vector, count) :
			print_text(w, vector, count);
	b->shown = count;
	return ret;
}

static int set_timer(struct bell_watch *w)
{
	struct itimerspec t = { 0 };
	uint64_t first = 0;

	for (unsigned int i = 0; i < w->num; i++) {
		uint64_t due = w->bell[i].due;

		if (due && (!first || due < first))
			first = due;
	}
	t.it_value.tv_sec = first / NSEC_PER_SEC;
	t.it_value.tv_nsec = first % NSEC_PER_SEC;
	return timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &t, NULL) ? -errno :
									0;
}

static int rang(struct bell_watch *w, unsigned int vector)
{
	struct bell_watch_bell *b = &w->bell[vector];

	if (epoll_ctl(w->epoll, EPOLL_CTL_DEL, b->fd, NULL))
		return -errno;
	b->due = now_ns() + NSEC_PER_SEC;
	return show(w, vector);
}

static int timer_fired(struct bell_watch *w)
{
	uint64_t now = now_ns(), times;
	int ret = 0;

	if (read(w->timer, &times, sizeof(times)) < 0 && errno != EAGAIN)
		return -errno;
	for (unsigned int i = 0; !ret && i < w->num; i++) {
		if (!w->bell[i].due || w->bell[i].due > now)
			continue;
		w->bell[i].due = 0;
		ret = wait_for(w, w->bell[i].fd, i);
	}
	return ret;
}

int bell_watch_open(struct bell_watch *w)
{
	int ret = 0;

	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->timer < 0 || w->epoll < 0)
		ret = -errno;
	if (!ret)
		ret = wait_for(w, w->timer, TIMER);
	for (unsigned int i = 0; !ret && i < w->num; i++)
		ret = wait_for(w, w->bell[i].fd, i);
	if (ret) {
		fd_close(&w->timer);
		fd_close(&w->epoll);
	}
	return ret;
}

int bell_watch_step(struct bell_watch *w)
{
	struct epoll_event e[16];
	int ret = 0, n = epoll_wait(w->epoll, e, 16, 0);

	for (int i = 0; !ret && i < n; i++)
		ret = e[i].data.u32 == TIMER ? timer_fired(w) :
					       rang(w, e[i].data.u32);
	return ret ? ret : set_timer(w);
}

int bell_watch_close(struct bell_watch *w)
{
	int ret = 0;

	fd_close(&w->timer);
	fd_close(&w->epoll);
	for (unsigned int i = 0; !ret && i < w->num; i++)
		ret = show(w, i);
	return ret;
}
