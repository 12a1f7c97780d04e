// SPDX-License-Identifier: GPL-2.0
/*
 * bell_serve - bells for the guests of QEMU's ivshmem-doorbell device
 *
 * The host is a peer of the guests; its eventfds ring bells, one for each
 * vector. QEMU gives the eventfds to KVM. So when a guest writes to its
 * doorbell register the bell counts, and no process but the guest runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bell.h"
#include "bell_watch.h"
#include "ctl.h"
#include "fd.h"
#include "fdinfo.h"
#include "ivshmem_server.h"
#include "json.h"
#include "peerfd.h"
#include "stop.h"
#include "vhd.h"

#define BACKLOG		16

struct serve {
	const struct ctl_options	*o;
	unsigned int			 num;	/* number of vectors */
	struct bell_watch_bell		 bell[IVSHMEM_MAX_VECTORS];
	int				 eventfd[IVSHMEM_MAX_VECTORS];
	int				 shm;
	struct bell_watch		 watch;
	struct ivshmem_server		 server;
};

static int read_id(const struct serve *s, struct bell_watch_bell *bell)
{
	struct fdinfo_bell info;
	char path[PATH_MAX];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "%s/self/fdinfo/%d", s->o->proc, bell->fd);
	file = fopen(path, "re");
	if (!file)
		return ctl_fail(path, -errno);
	ret = fdinfo_parse_bell(file, &info);
	fclose(file);
	if (ret)
		return ctl_fail(path, ret);
	bell->id = info.id;
	return CTL_OK;
}

/* Adds a vector. After an error all that it allocated is freed. */
static int add_vector(struct serve *s, int dev)
{
	_cleanup_fd_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	_cleanup_fd_ int bell = -1;
	int ret;

	if (fd < 0)
		return ctl_fail("eventfd", -errno);
	bell = vhd_create_bell(dev, s->o->mode);
	if (bell < 0)
		return ctl_fail("bell", bell);
	ret = vhd_bell_wire(bell, fd);
	if (ret)
		return ctl_fail("wire of a bell", ret);
	s->bell[s->num] = (struct bell_watch_bell){ .fd = bell };
	ret = read_id(s, &s->bell[s->num]);
	if (ret)
		return ret;
	steal_fd(&bell);
	s->eventfd[s->num++] = steal_fd(&fd);
	return CTL_OK;
}

static int make_bells(struct serve *s)
{
	_cleanup_fd_ int dev = vhd_dev_open(NULL);
	int ret = CTL_OK;

	if (dev < 0)
		return ctl_fail(VHD_DEV_PATH, dev);
	while (!ret && s->num < s->o->vectors)
		ret = add_vector(s, dev);
	return ret;
}

/*
 * The memory is sealed: if a peer could shrink it, all others that have it
 * mapped would crash.
 */
static int make_shm(struct serve *s)
{
	_cleanup_fd_ int fd = memfd_create("ivshmem",
					   MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, s->o->shm_size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return ctl_fail("shared memory", -errno);
	s->shm = steal_fd(&fd);
	return CTL_OK;
}

static int print_json(const struct serve *s, const char *chardev,
		      const char *device)
{
	struct json j;

	json_begin_line(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "mode", vhd_bell_mode_name(s->o->mode));
	json_u64(&j, "host_id", IVSHMEM_HOST_ID);
	json_u64(&j, "vectors", s->num);
	json_u64(&j, "shm_size", s->o->shm_size);
	json_array(&j, "bells");
	for (unsigned int i = 0; i < s->num; i++)
		json_u64(&j, NULL, s->bell[i].id);
	json_array_end(&j);
	json_array(&j, "qemu");
	json_str(&j, NULL, "-chardev");
	json_str(&j, NULL, chardev);
	json_str(&j, NULL, "-device");
	json_str(&j, NULL, device);
	json_array_end(&j);
	json_object_end(&j);
	return json_end(&j);
}

static void print_text(const struct serve *s, const char *chardev,
		       const char *device)
{
	printf("%u bell%s, counting in mode %s. Give QEMU:\n"
	       "  -chardev %s \\\n"
	       "  -device %s\n"
	       "A guest rings bell V of 0 to %u by writing V, as 32 bits, to offset 12 of BAR0.\n",
	       s->num, s->num == 1 ? "" : "s", vhd_bell_mode_name(s->o->mode),
	       chardev, device, s->num - 1);
}

static int print_start(const struct serve *s)
{
	char *path = realpath(s->o->ivshmem_socket, NULL);
	char chardev[PATH_MAX + 64], device[64];
	int ret;

	snprintf(chardev, sizeof(chardev), "socket,id=bell,path=%s",
		 path ? path : s->o->ivshmem_socket);
	free(path);
	snprintf(device, sizeof(device),
		 "ivshmem-doorbell,vectors=%u,chardev=bell", s->num);
	if (!s->o->json) {
		print_text(s, chardev, device);
		return ctl_finish();
	}
	ret = print_json(s, chardev, device);
	return ret ? ctl_fail("standard output", ret) : CTL_OK;
}

static int on_watch(void *context)
{
	return bell_watch_step(context);
}

static int run(struct serve *s)
{
	struct ivshmem_server *server = &s->server;
	int ret = ivshmem_init(&server->table, s->num, s->shm, s->eventfd);
	int err;

	if (ret)
		return ctl_fail("peers", ret);
	server->also = -1;
	if (s->o->watch) {
		s->watch.num = s->num;
		s->watch.bell = s->bell;
		s->watch.json = s->o->json;
		ret = bell_watch_open(&s->watch);
		server->also = s->watch.epoll;
		server->on_also = on_watch;
		server->context = &s->watch;
	}
	if (!ret)
		ret = print_start(s) ? -ECANCELED : 0;
	if (!ret)
		ret = ivshmem_server_run(server);
	if (s->o->watch) {
		err = bell_watch_close(&s->watch);
		ret = ret ? ret : err;
	}
	ivshmem_free(&server->table);
	if (ret && ret != -ECANCELED)
		ctl_fail(s->o->watch ? "watch" : "socket", ret);
	return ret ? CTL_FAILED : CTL_OK;
}

/* Opens the socket last, so that a client finds everything set up. */
static int start(struct serve *s)
{
	int ret;

	/* A closed pipe or socket must give an error, not kill us. */
	signal(SIGPIPE, SIG_IGN);
	s->server.stop = stop_open();
	if (s->server.stop < 0)
		return ctl_fail("signalfd", s->server.stop);
	ret = make_shm(s);
	if (!ret)
		ret = make_bells(s);
	if (ret)
		return ret;
	ret = listen_open(&s->server.socket, s->o->ivshmem_socket, BACKLOG);
	return ret ? ctl_fail(s->o->ivshmem_socket, ret) : CTL_OK;
}

int bell_serve(const struct ctl_options *o)
{
	struct serve s = {
		.o = o,
		.shm = -1,
		.watch = { .epoll = -1, .timer = -1 },
		.server = { .socket.sock = -1, .stop = -1 },
	};
	int ret = start(&s);

	if (!ret)
		ret = run(&s);
	listen_remove(&s.server.socket);
	vu_peerfd_close(&s.server.socket.sock);
	while (s.num > 0) {
		fd_close(&s.eventfd[--s.num]);
		fd_close(&s.bell[s.num].fd);
	}
	fd_close(&s.shm);
	fd_close(&s.server.stop);
	return ret;
}
