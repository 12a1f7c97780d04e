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
	/* After this the peer reads end of file, and its sends fail. */
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
static ssize_t conn_read(struct vu_conn *c, void *buf, size_t size, int flags)
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
		n = recvmsg(c->sock, &hdr, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	ret = conn_take_fds(c, &hdr);
	if (ret)
		return ret;
	return n ? n : -ECONNRESET;
}

int vu_conn_deafen(int sock)
{
	struct vu_conn c;
	socklen_t len = sizeof(int), none = 0;
	uint8_t buf[VU_MAX_PAYLOAD];
	struct sockaddr any;
	ssize_t n;
	int type;

	if (getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len))
		return -errno;
	/* One that is not connected could listen later. */
	if (type != SOCK_STREAM || getpeername(sock, &any, &none))
		return -EOPNOTSUPP;
	if (shutdown(sock, SHUT_RD))
		return -errno;
	vu_conn_init(&c, sock);
	do {
		n = conn_read(&c, buf, sizeof(buf), 0);
		conn_close_fds(&c.msg);
	} while (n > 0);
	/* The end of the stream */
	return n == -ECONNRESET || n == -EAGAIN ? 0 : n;
}

int vu_conn_recv(struct vu_conn *c, struct vu_msg *msg)
{
	ssize_t n;
	int ret;

	while (c->have < VU_HEADER_SIZE) {
		n = conn_read(c, c->header + c->have,
			      VU_HEADER_SIZE - c->have, 0);
		if (n < 0)
			return n;
		c->have += n;
	}
	/*
	 * Each call parses the header again; its bytes stay in the buffer until
	 * the message is complete.
	 */
	ret = vu_msg_read_header(&c->msg, c->header);
	if (ret)
		return ret;
	while (c->have < VU_HEADER_SIZE + c->msg.size) {
		size_t at = c->have - VU_HEADER_SIZE;

		n = conn_read(c, c->msg.payload.bytes + at, c->msg.size - at,
			      0);
		if (n < 0)
			return n;
		c->have += n;
	}
	*msg = c->msg;
	vu_msg_init(&c->msg);
	c->have = 0;
	return 0;
}

static int conn_peek_from(struct vu_conn *c, int at)
{
	return setsockopt(c->sock, SOL_SOCKET, SO_PEEK_OFF, &at, sizeof(at)) ?
	       -errno : 0;
}

/*
 * Reads @size bytes, and one more if there is one, and does not take them from the socket.
 * -EAGAIN: not all are there.
 *
 * The kernel goes on to the next piece of the stream that has descriptors, also if no byte
 * of it is wanted, and gives those. It ends at such a piece: so the descriptors belong to
 * the bytes if fewer bytes came than were asked for. Two messages with descriptors in one
 * sendmsg() cannot be told apart so, and fail.
 */
static int conn_peek(struct vu_conn *c, uint8_t *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		unsigned int nfds = c->msg.nfds;
		ssize_t n = conn_read(c, buf + have, size + 1 - have, MSG_PEEK);

		c->partial = have;
		if (n < 0)
			return n;
		have += n;
		if (have <= size)
			continue;
		while (c->msg.nfds > nfds)
			vu_peerfd_close(&c->msg.fds[--c->msg.nfds]);
	}
	return 0;
}

/*
 * Each look at a piece that has descriptors gives them again. So look at the header first,
 * which tells the size, and then at all of the message at once.
 */
static int conn_peek_msg(struct vu_conn *c)
{
	uint8_t buf[VU_HEADER_SIZE + VU_MAX_PAYLOAD + 1];
	int ret;

	ret = conn_peek_from(c, 0);
	if (!ret)
		ret = conn_peek(c, buf, VU_HEADER_SIZE);
	conn_close_fds(&c->msg);
	if (!ret)
		ret = vu_msg_read_header(&c->msg, buf);
	if (!ret)
		ret = conn_peek_from(c, 0);
	if (!ret)
		ret = conn_peek(c, buf, VU_HEADER_SIZE + c->msg.size);
	if (ret)
		return ret;
	memcpy(c->msg.payload.bytes, buf + VU_HEADER_SIZE, c->msg.size);
	return conn_peek_from(c, VU_HEADER_SIZE + c->msg.size);
}

int vu_conn_peek(struct vu_conn *c, struct vu_msg *msg)
{
	int ret = conn_peek_msg(c);

	if (ret)
		conn_close_fds(&c->msg);
	else
		*msg = c->msg;
	vu_msg_init(&c->msg);
	return ret;
}

int vu_conn_consume(struct vu_conn *c)
{
	uint8_t buf[VU_HEADER_SIZE + VU_MAX_PAYLOAD];
	socklen_t len = sizeof(int);
	ssize_t n;
	int left;

	/* The kernel counts what was looked at and is still in the socket. */
	if (getsockopt(c->sock, SOL_SOCKET, SO_PEEK_OFF, &left, &len))
		return -errno;
	for (; left > 0; left -= n) {
		n = conn_read(c, buf, (size_t)left < sizeof(buf) ? (size_t)left :
			      sizeof(buf), 0);
		conn_close_fds(&c->msg);
		if (n < 0)
			return n;
	}
	return 0;
}

/* Returns the bytes that were sent, or -errno. */
static ssize_t conn_write(int sock, const struct vu_msg *msg,
			  const struct iovec *iov)
{
	union {
		char space[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr hdr = {
		.msg_iov = (struct iovec *)iov,
		.msg_iovlen = 1,
	};
	size_t fds = msg->nfds * sizeof(int);
	ssize_t n;

	if (msg->nfds) {
		hdr.msg_control = control.space;
		hdr.msg_controllen = CMSG_SPACE(fds);
		*CMSG_FIRSTHDR(&hdr) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(fds),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&hdr)), msg->fds, fds);
	}
	do
		n = sendmsg(sock, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int vu_conn_send(int sock, struct vu_msg *msg)
{
	uint8_t buf[VU_HEADER_SIZE + VU_MAX_PAYLOAD];
	struct iovec iov = {
		.iov_base = buf, .iov_len = VU_HEADER_SIZE + msg->size,
	};
	ssize_t n;

	vu_msg_write_header(msg, buf);
	memcpy(buf + VU_HEADER_SIZE, msg->payload.bytes, msg->size);
	n = conn_write(sock, msg, &iov);
	conn_close_fds(msg);
	if (n < 0)
		return n;
	return (size_t)n == iov.iov_len ? 0 : -EAGAIN;
}
