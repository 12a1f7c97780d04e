// SPDX-License-Identifier: GPL-2.0
#include "disk_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "loop.h"

#define GROUP_KERNEL	1	/* events of the kernel; udev has another group */
#define EVENT_SIZE	8192

static int open_hangup(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/*
 * Opens the kernel's announcements. Returns -1 in containers that get none:
 * there only SIGHUP is left.
 */
static int open_events(void)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL,
	};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		fd_close(&fd);
	return fd;
}

void disk_watch_follow(struct disk_watch *w, int disk)
{
	struct stat st;

	if (!fstat(disk, &st) && S_ISBLK(st.st_mode))
		w->dev = st.st_rdev;
}

void disk_watch_close(struct disk_watch *w)
{
	fd_close(&w->events);
	fd_close(&w->hangup);
}

/*
 * Finds @key among strings "KEY=value" of @len bytes, with the last NUL.
 * Returns its value, or "".
 */
static const char *find(const char *event, size_t len, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = event; p < event + len; p += strlen(p) + 1)
		if (!strncmp(p, key, n) && p[n] == '=')
			return p + n + 1;
	return "";
}

static bool is_ours(const struct disk_watch *w, const char *event, size_t len)
{
	char major[16], minor[16];

	snprintf(major, sizeof(major), "%u", major(w->dev));
	snprintf(minor, sizeof(minor), "%u", minor(w->dev));
	return !strcmp(find(event, len, "ACTION"), "change") &&
	       !strcmp(find(event, len, "SUBSYSTEM"), "block") &&
	       !strcmp(find(event, len, "MAJOR"), major) &&
	       !strcmp(find(event, len, "MINOR"), minor);
}

/* Reads one event. Returns whether it is about the disk; -1: there is no event. */
static int take_event(const struct disk_watch *w)
{
	char event[EVENT_SIZE];
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(w->events, event, sizeof(event) - 1, 0,
			     (struct sockaddr *)&from, &size);

	/* ENOBUFS: events were lost, one of them perhaps about the disk. */
	if (n < 0)
		return errno == ENOBUFS ? 1 : -1;
	event[n] = 0;
	/* The kernel sends from port 0. */
	return !from.nl_pid && is_ours(w, event, (size_t)n + 1);
}

static void events_ready(void *data, short poll)
{
	struct disk_watch *w = data;
	bool ours = false;
	int ret;

	(void)poll;
	while ((ret = take_event(w)) >= 0)
		ours |= ret;
	if (ours)
		w->changed(w->context);
}

static void hangup_ready(void *data, short poll)
{
	struct disk_watch *w = data;
	struct signalfd_siginfo info;

	(void)poll;
	if (read(w->hangup, &info, sizeof(info)) == sizeof(info))
		w->changed(w->context);
}

static int open_all(struct disk_watch *w, struct loop *loop, int disk)
{
	struct stat st;
	int ret;

	w->hangup = open_hangup();
	if (w->hangup < 0)
		return w->hangup;
	ret = loop_add(loop, w->hangup, POLLIN, hangup_ready, w);
	if (ret)
		return ret;
	if (fstat(disk, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return 0;
	w->dev = st.st_rdev;
	w->events = open_events();
	return w->events < 0 ? 0 :
	       loop_add(loop, w->events, POLLIN, events_ready, w);
}

int disk_watch_open(struct disk_watch *w, struct loop *loop, int disk)
{
	int ret;

	w->hangup = w->events = -1;
	ret = open_all(w, loop, disk);
	if (ret)
		disk_watch_close(w);
	return ret;
}
