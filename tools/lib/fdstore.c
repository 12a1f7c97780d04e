// SPDX-License-Identifier: GPL-2.0
#include "fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "activation.h"
#include "fd.h"
#include "notify.h"
#include "number.h"

bool fdstore_is_there(void)
{
	const char *max = getenv("FDSTORE");
	uint64_t n;

	return max && notify_is_heard() && !number_decimal(max, INT32_MAX, &n) && n;
}

static struct fdstore_entry *find(const struct fdstore *s, const char *name)
{
	for (unsigned int i = 0; i < s->num; i++)
		if (!strcmp(s->entry[i].name, name))
			return (struct fdstore_entry *)&s->entry[i];
	return NULL;
}

static struct fdstore_entry *add(struct fdstore *s, const char *name, int fd)
{
	struct fdstore_entry *e = &s->entry[s->num];

	if (s->num == FDSTORE_MAX || strlen(name) >= sizeof(e->name))
		return NULL;
	strcpy(e->name, name);
	e->fd = fd;
	s->num++;
	return e;
}

/* The number of descriptors passed to this process, 0 if they are another's. */
static unsigned int passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t p, n;

	if (!pid || !fds || number_decimal(pid, INT32_MAX, &p) ||
	    number_decimal(fds, INT32_MAX, &n) || (pid_t)p != getpid())
		return 0;
	return n;
}

void fdstore_begin(struct fdstore *s)
{
	const char *names = getenv("LISTEN_FDNAMES");
	unsigned int n = passed(), others = 0;
	char *copy, *rest, *name, left[16];

	s->num = 0;
	if (!n || !names)
		return;
	copy = rest = strdup(names);
	if (!copy)
		return;
	/* Sockets come first, then what was stored. */
	for (int fd = activation_first(); n--; fd++) {
		name = strsep(&rest, ":");
		if (!name || strncmp(name, FDSTORE_PREFIX, strlen(FDSTORE_PREFIX))) {
			others++;
			continue;
		}
		name += strlen(FDSTORE_PREFIX);
		if (fcntl(fd, F_SETFD, FD_CLOEXEC))
			continue;
		if (find(s, name) || !add(s, name, fd))
			close(fd);
	}
	free(copy);
	snprintf(left, sizeof(left), "%u", others);
	setenv("LISTEN_FDS", left, 1);
}

bool fdstore_has(const struct fdstore *s, const char *name)
{
	return find(s, name);
}

int fdstore_get(const struct fdstore *s, const char *name)
{
	struct fdstore_entry *e = find(s, name);

	return e ? e->fd : -1;
}

int fdstore_take(struct fdstore *s, const char *name)
{
	struct fdstore_entry *e = find(s, name);

	return e ? steal_fd(&e->fd) : -1;
}

int fdstore_put(struct fdstore *s, const char *name, int fd)
{
	char state[FDSTORE_NAME + 64];
	int ret;

	fdstore_remove(s, name);
	if (!add(s, name, -1))
		return -ENOSPC;
	/* FDPOLL=0: the keeper holds it also if the other end hangs up. */
	snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME="
		 FDSTORE_PREFIX "%s", name);
	ret = notify_send_fd(state, fd);
	if (ret)
		s->num--;
	return ret;
}

void fdstore_remove(struct fdstore *s, const char *name)
{
	struct fdstore_entry *e = find(s, name);
	char state[FDSTORE_NAME + 64];

	if (!e)
		return;
	/* Before the keeper closes its own: the last close() of a socket may wait. */
	fd_close(&e->fd);
	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME="
		 FDSTORE_PREFIX "%s", name);
	notify_send(state, true);
	*e = s->entry[--s->num];
}

void fdstore_remove_others(struct fdstore *s, const char *name)
{
	char other[FDSTORE_NAME];

	for (unsigned int i = s->num; i--;) {
		if (!strcmp(s->entry[i].name, name))
			continue;
		strcpy(other, s->entry[i].name);
		fdstore_remove(s, other);
	}
}

void fdstore_clear(struct fdstore *s, const char *last)
{
	fdstore_remove_others(s, last);
	fdstore_remove(s, last);
}

void fdstore_forget(struct fdstore *s)
{
	for (unsigned int i = 0; i < s->num; i++)
		fd_close(&s->entry[i].fd);
}
