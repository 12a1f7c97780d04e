// SPDX-License-Identifier: GPL-2.0
#include "peerfd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"

#define PEERFD_STACK	(64 * 1024)	/* for close(), with room for sanitizers */

bool vu_peerfd_is_memory(int fd)
{
	return fcntl(fd, F_GET_SEALS) >= 0;
}

/* A path, or for what has none, words such as "socket:[1234]"; "" on failure. */
static void peerfd_name(int fd, char *buf, size_t size)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	buf[n < 0 ? 0 : n] = '\0';
}

/* The mount that @fd was opened in, -1 if /proc does not tell. */
static int peerfd_mount(int fd)
{
	char path[40], line[128];
	int mount = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (mount < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "mnt_id: %d", &mount) != 1)
			mount = -1;
	fclose(f);
	return mount;
}

/* The type of the file system; "" if the mount is of another namespace. */
static void peerfd_type(int mount, char *buf, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;

	*buf = '\0';
	if (!f)
		return;
	while (!*buf && getline(&line, &room, f) > 0) {
		char *type = strstr(line, " - ");
		int id;

		if (!type || sscanf(line, "%d", &id) != 1 || id != mount)
			continue;
		type += strlen(" - ");
		snprintf(buf, size, "%.*s", (int)strcspn(type, " "), type);
	}
	free(line);
	fclose(f);
}

void vu_peerfd_describe(int fd, char *buf, size_t size)
{
	char name[160], type[32];

	peerfd_name(fd, name, sizeof(name));
	peerfd_type(peerfd_mount(fd), type, sizeof(type));
	if (*name != '/')
		snprintf(buf, size, "no file but %s", *name ? name : "unknown");
	else
		snprintf(buf, size, "a file on %s, %s",
			 *type ? type : "another file system", name);
}

/*
 * Memory, eventfds and pipes have no server to wait for, nor do Unix sockets linger.
 * The name of a file that has a path begins with a slash.
 */
static bool peerfd_is_quick(int fd)
{
	static const char * const quick[] = { "anon_inode:", "pipe:" };
	socklen_t len = sizeof(int);
	char name[160];
	int domain;

	if (vu_peerfd_is_memory(fd))
		return true;
	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		return domain == AF_UNIX;
	peerfd_name(fd, name, sizeof(name));
	for (size_t i = 0; i < sizeof(quick) / sizeof(*quick); i++)
		if (!strncmp(name, quick[i], strlen(quick[i])))
			return true;
	return false;
}

static void *peerfd_close_slowly(void *arg)
{
	close((intptr_t)arg);
	return NULL;
}

/* The thread ends when close() returns; RLIMIT_NOFILE bounds their number. */
static int peerfd_hand_over(int fd)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	if (pthread_attr_init(&attr))
		return -ENOMEM;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, PEERFD_STACK);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&thread, &attr, peerfd_close_slowly,
			     (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -ret;
}

void vu_peerfd_close(int *fd)
{
	int saved = errno;

	/* Without a thread, waiting is better than a leak. */
	if (*fd < 0 || peerfd_is_quick(*fd) || peerfd_hand_over(*fd))
		fd_close(fd);
	*fd = -1;
	errno = saved;
}
