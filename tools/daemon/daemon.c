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

#include "common_options.h"
#include "log.h"
#include "server.h"
#include "vhd.h"

/*
 * The log's reader may end before us, and the caller may have closed descriptor 2:
 * a line must neither kill us nor be written to a file that was opened in its place.
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

int daemon_open_socket(const struct common_options *o, struct vu_server *server)
{
	int ret;

	if (o->connect) {
		vu_server_connect(server, o->connect);
		return 0;
	}
	if (o->socket_path)
		ret = vu_server_listen(server, o->socket_path);
	else
		ret = vu_server_inherit(server, o->fd);
	if (ret && o->socket_path)
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
