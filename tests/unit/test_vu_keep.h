/* SPDX-License-Identifier: GPL-2.0 */
/* test_vu_keep - the keeper and the servers of test_vu_keep.c, whose variables it uses */
#ifndef TESTS_UNIT_TEST_VU_KEEP_H
#define TESTS_UNIT_TEST_VU_KEEP_H

/* --- the keeper --- */

/* The kernel closes a device that neither the keeper nor a server has. */
static void close_device(void)
{
	if (device_held || server_pid)
		return;
	fake->open = false;
	memset(fake->queue, 0, sizeof(fake->queue));
}

static void drop(const char *name)
{
	for (unsigned int i = 0; i < num_held; i++) {
		if (strcmp(held[i].name, name))
			continue;
		device_held &= strcmp(name, FDSTORE_PREFIX VU_KEEP_DEVICE) != 0;
		close_device();
		fd_close(&held[i].fd);
		held[i] = held[--num_held];
		return;
	}
}

static void hear(void)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char text[256];
	ssize_t n;

	for (;;) {
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr hdr = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.space,
			.msg_controllen = sizeof(control.space),
		};
		char *name;
		int fd = -1;

		n = recvmsg(parent_end, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return;
		text[n] = '\0';
		if (hdr.msg_controllen)
			memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), sizeof(fd));
		name = strstr(text, "FDNAME=");
		if (!name) {
			fd_close(&fd);
			continue;
		}
		name += strlen("FDNAME=");
		drop(name);
		if (!strncmp(text, "FDSTORE=1\nFDPOLL=0\n", 19) && fd >= 0) {
			strcpy(held[num_held].name, name);
			held[num_held++].fd = fd;
			num_puts++;
			device_held |= !strcmp(name, FDSTORE_PREFIX VU_KEEP_DEVICE);
		} else {
			CHECK(!strncmp(text, "FDSTOREREMOVE=1", 15) && fd < 0);
		}
	}
}

/* --- the server --- */

static struct vu_server server;
static struct fdstore store;

static void serve(int notify)
{
	char address[16];

	snprintf(address, sizeof(address), NOTIFY_BY_FD "%d", notify);
	setenv("NOTIFY_SOCKET", address, 1);
	for (unsigned int i = 0; i < num_held; i++) {
		strcpy(store.entry[i].name, held[i].name + strlen(FDSTORE_PREFIX));
		store.entry[i].fd = held[i].fd;
	}
	store.num = num_held;
	server = (struct vu_server){
		.stop = eventfd(0, EFD_CLOEXEC), .dev = &fake->base,
		.socket.sock = -1, .keep.store = &store,
	};
	if (listening >= 0) {
		server.renews = true;
		vu_server_inherit(&server, dup(listening));
	} else if (!num_held) {
		vu_server_inherit(&server, dup(back));
	}
	vu_server_run(&server);
	_exit(server.again ? AGAIN : 0);
}

/* Starts a server; @trace: it stops before its first call. */
static pid_t start(bool trace)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		abort();
	pid = fork();
	if (!pid) {
		/* The front end's death is seen only if no server has its end. */
		close(front);
		close(pair[0]);
		dup2(log_fd, STDERR_FILENO);
		if (trace) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
		}
		serve(pair[1]);
	}
	close(pair[1]);
	fd_close(&parent_end);
	parent_end = pair[0];
	server_pid = pid;
	return pid;
}

/* The keeper always listens, or the server would wait. */
static void await(pid_t pid, int *status, int flags)
{
	while (waitpid(pid, status, flags | WNOHANG) != pid) {
		hear();
		usleep(20);
	}
	hear();
	server_pid = 0;
	close_device();
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	await(pid, &status, 0);
}

/* Is the process, which has stopped at a system call, about to sleep in poll()? */
static bool is_poll(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
#ifdef SYS_poll
	if (info.entry.nr == SYS_poll)
		return true;
#endif
	return info.entry.nr == SYS_ppoll;
}

static unsigned int calls;	/* that the last server of kill_at() has made */

/*
 * Runs a server up to the begin or the end of a system call, which is the @n-th of these,
 * and kills it there. Returns false if it has handled its one message before: the second
 * poll() finds none.
 */
static bool kill_at(unsigned int n)
{
	pid_t pid = start(true);
	unsigned int polls = 0;
	int status;

	if (waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD))
		abort();
	for (calls = 0; calls < n && polls < 2; calls++) {
		hear();
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) ||
		    waitpid(pid, &status, 0) != pid)
			abort();
		if (!WIFSTOPPED(status)) {
			hear();
			return false;
		}
		polls += is_poll(pid);
	}
	end(pid);
	return polls < 2;
}

#endif
