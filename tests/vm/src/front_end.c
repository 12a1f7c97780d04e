// SPDX-License-Identifier: GPL-2.0
/*
 * front_end - a front end that sends files on FUSE whose server does not answer
 *
 *	test-front_end SOCKET FILE
 *
 * The FUSE file system is mounted over FILE. Its server is a child process that
 * answers only this process. Any other user of the file blocks until the server
 * ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tap.h"

#define HANG_MS		(60000 * (int)tap_factor())

enum {
	GET_FEATURES = 1, SET_FEATURES = 2, SET_OWNER = 3, SET_VRING_CALL = 13,
	SET_PROTOCOL_FEATURES = 16, ADD_MEM_REG = 37, REM_MEM_REG = 38,
};

#define NEED_REPLY	(1u << 3)
#define FEATURES	(1ULL << 32 | 1ULL << 30)
#define REPLY_ACK	(1ULL << 3)
#define MEM_SLOTS	(1ULL << 15)

/* Number of requests that the server holds back, in shared memory */
static volatile unsigned int *held;

static void fuse_answer(int dev, uint64_t unique, int error, const void *data,
			size_t size)
{
	char buf[256] = { 0 };
	struct fuse_out_header *out = (void *)buf;

	out->len = sizeof(*out) + size;
	out->error = error;
	out->unique = unique;
	if (size)
		memcpy(buf + sizeof(*out), data, size);
	/* ENOENT: the request was interrupted meanwhile. */
	if (write(dev, buf, out->len) < 0 && errno != ENOENT)
		_exit(1);
}

static void fuse_serve(int dev, pid_t friend)
{
	static char buf[1 << 17];

	for (;;) {
		struct fuse_in_header *in = (void *)buf;
		struct fuse_init_out init = {
			.major = FUSE_KERNEL_VERSION, .minor = 31,
			.max_write = 4096,
		};
		struct fuse_open_out open_out = { .fh = 1 };
		struct fuse_attr_out attr = { .attr = {
			.ino = 1, .size = 1 << 20, .mode = S_IFREG | 0600,
			.nlink = 1 } };

		if (read(dev, buf, sizeof(buf)) < 0) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			_exit(0);
		}
		if (in->opcode == FUSE_INIT)
			fuse_answer(dev, in->unique, 0, &init, sizeof(init));
		else if (in->pid && in->pid != (uint32_t)friend)
			(*held)++;
		else if (in->opcode == FUSE_OPEN)
			fuse_answer(dev, in->unique, 0, &open_out,
				    sizeof(open_out));
		else if (in->opcode == FUSE_GETATTR)
			fuse_answer(dev, in->unique, 0, &attr, sizeof(attr));
		else if (in->opcode == FUSE_FLUSH)
			fuse_answer(dev, in->unique, 0, NULL, 0);
		else if (in->opcode != FUSE_FORGET)
			fuse_answer(dev, in->unique, -ENOSYS, NULL, 0);
	}
}

/*
 * Opens the file; *@server is the server's pid. Returns -1 if there is no FUSE.
 */
static int fuse_file(const char *path, pid_t *server)
{
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC), fd;
	pid_t self = getpid();
	char options[96];

	if (dev < 0)
		return -1;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100600,user_id=0,group_id=0", dev);
	MUST(!mount("test", path, "fuse", 0, options));
	fflush(stdout);
	*server = fork();
	MUST(*server >= 0);
	if (!*server)
		fuse_serve(dev, self);
	close(dev);
	fd = open(path, O_RDWR | O_CLOEXEC);
	MUST(fd >= 0);
	return fd;
}

static int dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	MUST(fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void tell(int sock, uint32_t request, uint32_t flags, const void *payload,
		 uint32_t size, int fd)
{
	uint32_t header[3] = { request, 1 | flags, size };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov[2] = {
		{ header, sizeof(header) }, { (void *)payload, size },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd >= 0) {
		hdr.msg_control = control.space;
		hdr.msg_controllen = sizeof(control.space);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	MUST(sendmsg(sock, &hdr, MSG_NOSIGNAL) == (ssize_t)(12 + size));
}

static void tell_u64(int sock, uint32_t request, uint64_t value)
{
	tell(sock, request, 0, &value, sizeof(value), -1);
}

/* Returns the u64 in the reply to @request, or -1 if there is no reply. */
static int64_t answer(int sock, uint32_t request)
{
	struct { uint32_t request, flags, size, value[2]; } back;
	struct pollfd p = { sock, POLLIN, 0 };

	if (poll(&p, 1, HANG_MS) != 1 ||
	    recv(sock, &back, sizeof(back), MSG_WAITALL) != sizeof(back) ||
	    back.request != request)
		return -1;
	return back.value[0] | (int64_t)back.value[1] << 32;
}

static int begin(const char *path)
{
	int sock = dial(path);

	tell(sock, SET_OWNER, 0, NULL, 0, -1);
	tell_u64(sock, SET_PROTOCOL_FEATURES, REPLY_ACK | MEM_SLOTS);
	tell_u64(sock, SET_FEATURES, FEATURES);
	return sock;
}

static void test_fuse(const char *path, int fd)
{
	const uint64_t region[5] = { 0, 0, 65536, 0x10000000, 0 };
	uint64_t queue = 0;
	int sock = begin(path);

	tell(sock, ADD_MEM_REG, NEED_REPLY, region, sizeof(region), fd);
	ok(answer(sock, ADD_MEM_REG) > 0, "FUSE: no guest memory");
	tell(sock, REM_MEM_REG, NEED_REPLY, region, sizeof(region), fd);
	ok(answer(sock, REM_MEM_REG) > 0, "FUSE: a descriptor that is not used");
	for (int i = 0; i < 3; i++)
		tell(sock, SET_VRING_CALL, 0, &queue, sizeof(queue), fd);
	tell(sock, GET_FEATURES, 0, NULL, 0, -1);
	ok(answer(sock, GET_FEATURES) > 0,
	   "FUSE: one descriptor takes the place of another");
	/*
	 * A descriptor with a message that may have none ends the connection.
	 */
	tell(sock, GET_FEATURES, 0, NULL, 0, fd);
	ok(answer(sock, GET_FEATURES) < 0, "FUSE: a descriptor too many");
	close(sock);
	sock = begin(path);
	tell(sock, GET_FEATURES, 0, NULL, 0, -1);
	ok(answer(sock, GET_FEATURES) > 0, "FUSE: the next front end is served");
	close(sock);
}

int main(int argc, char **argv)
{
	pid_t server = -1;
	int fd;

	if (argc != 3)
		return 2;
	tap_begin(300);
	held = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(held != MAP_FAILED);
	fd = fuse_file(argv[2], &server);
	if (fd < 0) {
		skip("FUSE", "no /dev/fuse");
		return tap_end();
	}
	test_fuse(argv[1], fd);
	for (int i = 0; i < HANG_MS && !*held; i++)
		usleep(1000);
	ok(*held > 0, "FUSE: somebody waits for the server");
	diag("%u requests were held back", *held);
	close(fd);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	ok(!umount2(argv[2], MNT_DETACH), "FUSE: the file system is unmounted");
	return tap_end();
}
