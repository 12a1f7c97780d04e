// SPDX-License-Identifier: GPL-2.0
#include "disk_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"

#define GROUP_KERNEL	1	/* what the kernel sends, not udev */
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

/* Where there are no such events, in some containers, SIGHUP has to do. */
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

static int add(struct disk_watch *w, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(w->fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_all(struct disk_watch *w, int disk)
{
	struct stat st;
	int ret;

	w->fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	w->hangup = open_hangup();
	if (w->hangup < 0)
		return w->hangup;
	ret = add(w, w->hangup);
	if (ret)
		return ret;
	if (fstat(disk, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return 0;
	w->dev = st.st_rdev;
	w->events = open_events();
	return w->events < 0 ? 0 : add(w, w->events);
}

int disk_watch_open(struct disk_watch *w, int disk)
{
	int ret;

	*w = (struct disk_watch){ .fd = -1, .hangup = -1, .events = -1 };
	ret = open_all(w, disk);
	if (ret)
		disk_watch_close(w);
	return ret;
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
	fd_close(&w->fd);
}

/* Strings of "KEY=value", @len bytes with the NUL of the last: "" if not there. */
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

/* One event; -1: there is none. */
static int take_event(const struct disk_watch *w)
{
	char event[EVENT_SIZE];
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(w->events, event, sizeof(event) - 1, 0,
			     (struct sockaddr *)&from, &size);

	/* Some were lost: one may have been ours. */
	if (n < 0)
		return errno == ENOBUFS ? 1 : -1;
	event[n] = 0;
	/* Port 0 is the kernel's. */
	return !from.nl_pid && is_ours(w, event, (size_t)n + 1);
}

bool disk_watch_take(struct disk_watch *w)
{
	struct signalfd_siginfo info;
	bool ours = false;
	int ret;

	while (read(w->hangup, &info, sizeof(info)) == sizeof(info))
		ours = true;
	if (w->events < 0)
		return ours;
	while ((ret = take_event(w)) >= 0)
		ours |= ret;
	return ours;
}
