// SPDX-License-Identifier: GPL-2.0
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peerfd.h"

/* Names of descriptors with an identity */
#define KEEP_NAME	"id-"

/* In place of a device number: eventfds have no inode of their own. */
#define KEEP_EVENTFD	UINT64_MAX

static bool keep_is(const struct vu_fd_id *a, const struct vu_fd_id *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static bool keep_is_none(const struct vu_fd_id *id)
{
	return !id->dev && !id->ino;
}

static void keep_name(const struct vu_fd_id *id, char name[FDSTORE_NAME])
{
	snprintf(name, FDSTORE_NAME, KEEP_NAME "%" PRIx64 "-%" PRIx64, id->dev, id->ino);
}

/* Number of an eventfd, which the kernel shows; else -ENOTSUP. Asks no file system. */
static int keep_eventfd(int fd, uint64_t *number)
{
	char path[48], name[32], line[80];
	unsigned int n = 0;
	ssize_t len;
	int ret = -EOPNOTSUPP;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, name, sizeof(name) - 1);
	name[len < 0 ? 0 : len] = '\0';
	if (strcmp(name, "anon_inode:[eventfd]"))
		return ret;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f))
		if (sscanf(line, "eventfd-id: %u", &n) == 1)
			ret = 0;
	fclose(f);
	*number = n;
	return ret;
}

static int keep_identify(int fd, struct vu_fd_id *id)
{
	struct stat st;

	if (!vu_peerfd_is_memory(fd) && !vu_peerfd_is_unix(fd)) {
		int ret = keep_eventfd(fd, &id->ino);

		if (!ret)
			id->dev = KEEP_EVENTFD;
		return ret;
	}
	if (fstat(fd, &st))
		return -errno;
	id->dev = st.st_dev;
	id->ino = st.st_ino;
	return 0;
}

static int keep_put(struct vu_keep *k, int fd, struct vu_fd_id *id)
{
	struct vu_fd_id own = { 0 };
	char name[FDSTORE_NAME];
	int ret = keep_identify(fd, &own);

	if (ret == -EOPNOTSUPP) {
		*id = (struct vu_fd_id){ 0 };
		return 0;
	}
	/* The session has the old one on. */
	if (ret)
		return ret;
	keep_name(&own, name);
	if (!k->failed && !fdstore_has(k->store, name)) {
		k->failed = fdstore_put(k->store, name, fd);
		k->puts++;
	}
	*id = own;
	return 0;
}

int vu_keep_fd(struct vu_keep *k, int fd, struct vu_fd_id *id)
{
	if (k && k->store && fd >= 0 && !vu_peerfd_is_unix(fd))
		return keep_put(k, fd, id);
	*id = (struct vu_fd_id){ 0 };
	return 0;
}

int vu_keep_sock(struct vu_keep *k, int sock, struct vu_fd_id *id)
{
	if (k && k->store)
		return keep_put(k, sock, id);
	*id = (struct vu_fd_id){ 0 };
	return 0;
}

int vu_keep_find(struct vu_keep *k, const struct vu_fd_id *id)
{
	char name[FDSTORE_NAME];
	int fd;

	if (keep_is_none(id))
		return -1;
	keep_name(id, name);
	fd = fdstore_get(k->store, name);
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static bool keep_is_named(const struct vu_saved *s, const struct vu_fd_id *id)
{
	if (keep_is(&s->log_fd, id) || keep_is(&s->backend, id) ||
	    keep_is(&s->inflight.fd, id))
		return true;
	for (unsigned int i = 0; i < s->num_queues; i++)
		if (keep_is(&s->queue[i].kick, id) || keep_is(&s->queue[i].call, id) ||
		    keep_is(&s->queue[i].err, id))
			return true;
	for (unsigned int i = 0; i < s->num_regions; i++)
		if (keep_is(&s->region[i].fd, id))
			return true;
	return false;
}

void vu_keep_sweep(struct vu_keep *k)
{
	const struct vu_saved *s = vu_state_valid(&k->map);
	struct vu_fd_id id;

	for (unsigned int i = k->store->num; i--;) {
		char name[FDSTORE_NAME];

		strcpy(name, k->store->entry[i].name);
		if (sscanf(name, KEEP_NAME "%" SCNx64 "-%" SCNx64, &id.dev,
			   &id.ino) == 2 && !keep_is_named(s, &id))
			fdstore_remove(k->store, name);
	}
}
