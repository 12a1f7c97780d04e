// SPDX-License-Identifier: GPL-2.0
#include "conn.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fd.h"
#include "peerfd.h"

/*
 * Room for as many descriptors as a peer can send at once (SCM_MAX_FD). The kernel
 * would close those that do not fit in this thread, and such a close() may hang.
 */
#define CONN_CONTROL_FDS	253

static void conn_close_fds(struct vu_msg *m)
{
	for (unsigned int i = 0; i < m->nfds; i++)
		vu_peerfd_close(&m->fds[i]);
	m->nfds = 0;
}

void vu_conn_init(struct vu_conn *c, int sock)
{
	int on = 1;

	/*
	 * Without SO_OOBINLINE the kernel skips an urgent byte and closes the
	 * descriptors that came with it in this thread, where the close() may hang.
	 */
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	c->sock = sock;
	c->have = 0;
	vu_msg_init(&c->msg);
}

void vu_conn_close(struct vu_conn *c)
{
	conn_close_fds(&c->msg);
	vu_conn_drop(&c->sock);
}

void vu_conn_drop(int *sock)
{
	int unread;

	if (*sock < 0)
		return;
	/* From here on the peer reads end of file, and its sends fail. */
	shutdown(*sock, SHUT_RDWR);
	if (!ioctl(*sock, FIONREAD, &unread) && !unread)
		fd_close(sock);
	else
		vu_peerfd_close(sock);
}

/* Gives each received descriptor an owner: the message, or close(). */
static int conn_take_fds(struct vu_conn *c, struct msghdr *hdr)
{
	int ret = hdr->msg_flags & MSG_CTRUNC ? -EMFILE : 0;
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(hdr); cm; cm = CMSG_NXTHDR(hdr, cm)) {
		size_t n, i;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(fd), sizeof(fd));
			if (c->msg.nfds < VU_MAX_FDS) {
				c->msg.fds[c->msg.nfds++] = fd;
			} else {
				vu_peerfd_close(&fd);
				ret = -EMFILE;
			}
		}
	}
	return ret;
}

/* Reads up to @size bytes. Returns how many, or -errno, which may be -EAGAIN. */
static ssize_t conn_read(struct vu_conn *c, void *buf, size_t size)
{
	union {
		char space[CMSG_SPACE(CONN_CONTROL_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;
	int ret;

	if (!vu_peerfd_has_room(CONN_CONTROL_FDS))
		return -EMFILE;
	do
		n = recvmsg(c->sock, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	ret = conn_take_fds(c, &hdr);
	if (ret)
		return ret;
	return n ? n : -ECONNRESET;
}

int vu_conn_recv(struct vu_conn *c, struct vu_msg *msg)
{
	ssize_t n;
	int ret;

	while (c->have < VU_HEADER_SIZE) {
		n = conn_read(c, c->header + c->have,
			      VU_HEADER_SIZE - c->have);
		if (n < 0)
			return n;
		c->have += n;
	}
	/* Parsed again by each call: the bytes in the buffer stay until then. */
	ret = vu_msg_read_header(&c->msg, c->header);
	if (ret)
		return ret;
	while (c->have < VU_HEADER_SIZE + c->msg.size) {
		size_t at = c->have - VU_HEADER_SIZE;

		n = conn_read(c, c->msg.payload.bytes + at, c->msg.size - at);
		if (n < 0)
			return n;
		c->have += n;
	}
	*msg = c->msg;
	vu_msg_init(&c->msg);
	c->have = 0;
	return 0;
}

int vu_conn_send(int sock, const struct vu_msg *msg)
{
	uint8_t buf[VU_HEADER_SIZE + VU_MAX_PAYLOAD];
	size_t size = VU_HEADER_SIZE + msg->size;
	ssize_t n;

	vu_msg_write_header(msg, buf);
	memcpy(buf + VU_HEADER_SIZE, msg->payload.bytes, msg->size);
	do
		n = send(sock, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EAGAIN;
}
