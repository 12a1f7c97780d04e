// SPDX-License-Identifier: GPL-2.0
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

int64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int loop_add(struct loop *l, int fd, short events,
	     void (*ready)(void *data, short events), void *data)
{
	if (l->num == LOOP_MAX)
		return -ENOSPC;
	l->poll[l->num] = (struct pollfd){ .fd = fd, .events = events };
	l->fd[l->num++] = (struct loop_fd){ fd, ready, data };
	return 0;
}

void loop_remove(struct loop *l, int fd)
{
	for (unsigned int i = 0; i < l->num; i++)
		if (l->fd[i].fd == fd)
			l->fd[i].fd = l->poll[i].fd = -1;
}

void loop_pause(struct loop *l, int fd, bool pause)
{
	for (unsigned int i = 0; i < l->num; i++)
		if (l->fd[i].fd == fd)
			l->poll[i].fd = pause ? -1 : fd;
}

void loop_set_timer(struct loop *l, struct loop_timer *t, int64_t ms)
{
	struct loop_timer **at = &l->timers;

	loop_stop_timer(l, t);
	t->at = loop_now() + ms;
	t->set = true;
	while (*at && (*at)->at <= t->at)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void loop_stop_timer(struct loop *l, struct loop_timer *t)
{
	struct loop_timer **at = &l->timers;

	if (!t->set)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->set = false;
}

void loop_end(struct loop *l, int result)
{
	l->ended = true;
	l->result = result;
}

/*
 * Time for poll() until the first timer expires, in milliseconds; -1: no timer
 */
static int loop_timeout(const struct loop *l)
{
	int64_t left;

	if (!l->timers)
		return -1;
	left = l->timers->at - loop_now();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
}

/* Removed entries leave the table between two passes only: indices are steady. */
static void loop_compact(struct loop *l)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->num; i++) {
		if (l->fd[i].fd < 0)
			continue;
		l->fd[kept] = l->fd[i];
		l->poll[kept++] = l->poll[i];
	}
	l->num = kept;
}

/*
 * Calls ready() of each descriptor with an event. An entry that a callback adds
 * has no event yet; one that a callback removes is skipped.
 */
static int loop_serve_fds(struct loop *l)
{
	for (unsigned int i = 0; i < l->num && !l->ended; i++) {
		short events = l->poll[i].revents;

		if (l->poll[i].fd < 0 || !events)
			continue;
		if (events & POLLNVAL)
			return -EBADF;
		l->fd[i].ready(l->fd[i].data, events);
	}
	return 0;
}

/* Calls at most one timer's callback: it may set or stop any other timer. */
static void loop_serve_timer(struct loop *l)
{
	struct loop_timer *t = l->timers;

	if (!t || l->ended || t->at > loop_now())
		return;
	loop_stop_timer(l, t);
	t->expired(t->data);
}

int loop_run(struct loop *l)
{
	int ret = 0;

	while (!ret && !l->ended) {
		loop_compact(l);
		if (poll(l->poll, l->num, loop_timeout(l)) >= 0)
			ret = loop_serve_fds(l);
		else if (errno != EINTR)
			ret = -errno;
		if (!ret)
			loop_serve_timer(l);
	}
	return ret ? ret : l->result;
}
