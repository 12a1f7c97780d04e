// SPDX-License-Identifier: GPL-2.0
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "activation.h"
#include "common_options.h"
#include "fdstore.h"
#include "keep.h"
#include "keeper.h"
#include "listen.h"
#include "log.h"
#include "notify.h"
#include "server.h"
#include "vhd.h"

/*
 * The program that reads the log may end before this process, and the caller may have
 * closed descriptor 2. A line of the log must not kill this process, and must not go to
 * a file that was opened as descriptor 2.
 */
void daemon_guard_output(void)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int daemon_pin_cpus(const struct common_options *o)
{
	int ret;

	if (!o->pin_cpus || !sched_setaffinity(0, sizeof(o->cpus), &o->cpus))
		return 0;
	ret = -errno;
	log_err("--cpus: %s", strerror(-ret));
	return ret;
}

#define BARRIER_MS	5000

/*
 * The last process was killed when it had just begun to store a session, or to remove one.
 * What else is stored would be in our own way: the disk is claimed, the tap is in use. The
 * front end's connection stays, which may still wait for its first answer.
 */
static void drop_unfinished(struct fdstore *store)
{
	int ret;

	if (!store->num || daemon_resumes(store))
		return;
	fdstore_remove_others(store, VU_KEEP_FRONT);
	ret = notify_barrier(BARRIER_MS);
	if (ret)
		log_warn("the service manager: %s", strerror(-ret));
}

struct fdstore *daemon_begin_keep(void)
{
	static struct fdstore store;

	if (!fdstore_is_there())
		return NULL;
	fdstore_begin(&store);
	drop_unfinished(&store);
	return &store;
}

char **daemon_copy_args(int argc, char **argv)
{
	char **copy = calloc(argc + 1, sizeof(*copy));

	for (int i = 0; copy && i < argc; i++) {
		copy[i] = strdup(argv[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

int daemon_be_parent(const struct common_options *o, char **argv)
{
	struct listen socket = { .sock = o->passed ? o->fd : -1 };
	int ret;

	if (!argv) {
		log_err("%s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	if (o->socket_path) {
		ret = listen_open(&socket, o->socket_path, LISTEN_BACKLOG);
		if (ret) {
			log_err("%s: %s", o->socket_path, strerror(-ret));
			return EXIT_FAILURE;
		}
	}
	ret = keeper_run(argv, socket.sock);
	listen_remove(&socket);
	return ret;
}

bool daemon_resumes(const struct fdstore *store)
{
	return store && fdstore_has(store, VU_KEEP_FRONT) &&
	       fdstore_has(store, VU_KEEP_STATE) && fdstore_has(store, VU_KEEP_DEVICE);
}

int daemon_options_status(const struct fdstore *store, int status)
{
	return status && daemon_resumes(store) ? EXIT_FAILURE : status;
}

void daemon_begin_again(const struct common_options *o, const struct vu_server *server,
			char **argv)
{
	if (!argv)
		return;
	if (o->worker || o->passed)
		activation_give(server->socket.sock, o->worker);
	else if (server->socket.sock >= 0)
		fcntl(server->socket.sock, F_SETFD, 0);
	/* By its name: that may be a newer program, and ps shows it. */
	execvp(*argv, argv);
	execv("/proc/self/exe", argv);
	log_err("%s: %s", *argv, strerror(errno));
}

int daemon_open_socket(const struct common_options *o, struct vu_server *server)
{
	int ret;

	if (o->connect) {
		vu_server_connect(server, o->connect);
		return 0;
	}
	if (o->fd < 0)
		ret = vu_server_listen(server, o->socket_path);
	else
		ret = vu_server_inherit(server, o->fd);
	if (ret && o->fd < 0)
		log_err("%s: %s", o->socket_path, strerror(-ret));
	else if (ret)
		log_err("--fd=%d: %s", o->fd, strerror(-ret));
	return ret;
}

static const char *device_hint(int err, uint32_t mode)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return " (is the vhost_doorbell module loaded?)";
	case -ENOTTY:
	case -EPROTONOSUPPORT:
		return " (module and program are not of the same version)";
	case -EPERM:
		return mode == VHOST_DOORBELL_MODE_POLL ?
		       " (--mode=poll needs CAP_SYS_NICE)" : "";
	}
	return "";
}

void daemon_say_device_failed(const struct common_options *o, int err)
{
	log_err("%s: %s%s", o->device ? o->device : VHD_DEV_PATH, strerror(-err),
		device_hint(err, o->exec.mode));
}

bool daemon_prints(const struct common_options *o)
{
	return (o->fd < 0 || o->socket_path) && !log_is_journal(STDOUT_FILENO);
}

void daemon_print_qemu(const struct common_options *o)
{
	const char *given = o->connect ? o->connect : o->socket_path;
	char *path = realpath(given, NULL);

	printf("  -object memory-backend-memfd,id=mem,size=SIZE,share=on \\\n"
	       "  -machine q35,accel=kvm,memory-backend=mem -m SIZE \\\n"
	       "  -chardev socket,id=doorbell,path=%s%s \\\n",
	       path ? path : given, o->connect ? ",server=on" : "");
	free(path);
}
