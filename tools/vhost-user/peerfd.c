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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"

#define PEERFD_STACK	(64 * 1024)	/* bytes; close() needs less, sanitizers more */

/* most threads that call close() at the same time */
#define PEERFD_THREADS	16
#define PEERFD_ENOUGH	1024	/* a session never has that many files open */

/* A descriptor that waits for a closing thread */
struct peerfd {
	struct peerfd *next;
	int	       fd;
};

static pthread_mutex_t peerfd_lock = PTHREAD_MUTEX_INITIALIZER;
/* Protected by the lock: */
static unsigned int peerfd_threads;
static unsigned int peerfd_left;	/* descriptors in the list */
static struct peerfd *peerfd_list;

bool vu_peerfd_is_memory(int fd)
{
	return fcntl(fd, F_GET_SEALS) >= 0;
}

/* The path, or a name such as "socket:[1234]" of a file without one; "" on failure. */
static void peerfd_name(int fd, char *buf, size_t size)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	buf[n < 0 ? 0 : n] = '\0';
}

/* The id of the mount that @fd is on, -1 if /proc does not say. */
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

/* The type of the file system; "" if the mount is in another namespace. */
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

bool vu_peerfd_is_unix(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       domain == AF_UNIX;
}

/*
 * close() of memory, eventfds and pipes waits for no server. close() of a socket may
 * wait (SO_LINGER); that of a Unix socket also closes the descriptors in its queue, which
 * may include such a socket. The name of a file with a path begins with a slash.
 */
static bool peerfd_is_quick(int fd)
{
	static const char * const quick[] = { "anon_inode:[eventfd]", "pipe:" };
	char name[160];

	if (vu_peerfd_is_memory(fd))
		return true;
	peerfd_name(fd, name, sizeof(name));
	for (size_t i = 0; i < sizeof(quick) / sizeof(*quick); i++)
		if (!strncmp(name, quick[i], strlen(quick[i])))
			return true;
	return false;
}

/* The next descriptor to close; -1: none, and the thread ends. */
static int peerfd_next(void)
{
	struct peerfd *p;
	int fd = -1;

	pthread_mutex_lock(&peerfd_lock);
	p = peerfd_list;
	if (p) {
		peerfd_list = p->next;
		peerfd_left--;
		fd = p->fd;
	} else {
		peerfd_threads--;
	}
	pthread_mutex_unlock(&peerfd_lock);
	free(p);
	return fd;
}

static void *peerfd_close_slowly(void *arg)
{
	int fd = (intptr_t)arg;

	while (fd >= 0) {
		close(fd);
		fd = peerfd_next();
	}
	return NULL;
}

static int peerfd_start_thread(int fd)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	if (pthread_attr_init(&attr))
		return -ENOMEM;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, PEERFD_STACK);
	/* The main thread handles signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&thread, &attr, peerfd_close_slowly,
			     (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -ret;
}

static bool peerfd_take_thread(void)
{
	bool taken;

	pthread_mutex_lock(&peerfd_lock);
	taken = peerfd_threads < PEERFD_THREADS;
	peerfd_threads += taken;
	pthread_mutex_unlock(&peerfd_lock);
	return taken;
}

/*
 * Adds @fd to the list of descriptors to close. Without memory @fd stays open: the main
 * thread must not wait in close().
 */
static void peerfd_leave(int fd, bool thread_failed)
{
	struct peerfd *p = malloc(sizeof(*p));

	pthread_mutex_lock(&peerfd_lock);
	peerfd_threads -= thread_failed;
	peerfd_left++;
	if (p) {
		p->fd = fd;
		p->next = peerfd_list;
		peerfd_list = p;
	}
	pthread_mutex_unlock(&peerfd_lock);
}

void vu_peerfd_close(int *fd)
{
	int saved = errno;

	if (*fd < 0 || peerfd_is_quick(*fd))
		fd_close(fd);
	/* close() frees the number before it waits, so RLIMIT_NOFILE does not limit threads. */
	else if (!peerfd_take_thread())
		peerfd_leave(*fd, false);
	else if (peerfd_start_thread(*fd))
		peerfd_leave(*fd, true);
	*fd = -1;
	errno = saved;
}

bool vu_peerfd_has_room(unsigned int n)
{
	unsigned int left, found = 0;
	struct rlimit limit;

	pthread_mutex_lock(&peerfd_lock);
	left = peerfd_left;
	pthread_mutex_unlock(&peerfd_lock);
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	if (limit.rlim_cur >= PEERFD_ENOUGH && !left)
		return true;
	for (rlim_t fd = 0; fd < limit.rlim_cur && found < n; fd++)
		found += fcntl(fd, F_GETFD) < 0;
	return found >= n;
}
