// SPDX-License-Identifier: GPL-2.0
/* The socket: messages in pieces, descriptors, peers that misbehave. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "fd.h"
#include "peerfd.h"
#include "test_vu.h"

static struct vu_conn conn;
static int peer;

static void setup(void)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		abort();
	vu_conn_init(&conn, sv[0]);
	peer = sv[1];
}

static void teardown(void)
{
	vu_conn_close(&conn);
	fd_close(&peer);
}

/* Sends @size bytes with @nfds new descriptors. */
static void send_raw(const void *data, size_t size, unsigned int nfds)
{
	union {
		char space[CMSG_SPACE(253 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[253];

	for (unsigned int i = 0; i < nfds; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nfds) {
		struct cmsghdr *cm = &control.align;

		hdr.msg_control = control.space;
		hdr.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, nfds * sizeof(int));
	}
	CHECK_EQ(sendmsg(peer, &hdr, 0), size);
	for (unsigned int i = 0; i < nfds; i++)
		close(fds[i]);
}

static void close_fds(struct vu_msg *m)
{
	for (unsigned int i = 0; i < m->nfds; i++)
		fd_close(&m->fds[i]);
}

static const struct {
	uint32_t request, flags, size;
	uint32_t payload[2];
} whole = { VU_SET_VRING_NUM, 1, 8, { 3, 256 } };

static void test_whole(void)
{
	struct vu_msg m;

	setup();
	CHECK_EQ(vu_conn_recv(&conn, &m), -EAGAIN);
	send_raw(&whole, sizeof(whole), 0);
	send_raw(&whole, sizeof(whole), 1);
	CHECK_EQ(vu_conn_recv(&conn, &m), 0);
	CHECK_EQ(m.nfds, 0);
	CHECK(m.payload.state.index == 3 && m.payload.state.num == 256);
	/* The descriptor of the second message arrives with that message. */
	CHECK_EQ(vu_conn_recv(&conn, &m), 0);
	CHECK_EQ(m.nfds, 1);
	CHECK(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC);
	close_fds(&m);
	CHECK_EQ(vu_conn_recv(&conn, &m), -EAGAIN);
	teardown();
}

static void test_pieces(void)
{
	const char *bytes = (const char *)&whole;
	struct vu_msg m;

	setup();
	for (size_t i = 0; i < sizeof(whole); i++) {
		CHECK_EQ(vu_conn_recv(&conn, &m), -EAGAIN);
		/* One descriptor in the header, one in the payload. */
		send_raw(bytes + i, 1, i == 2 || i == 15);
	}
	CHECK_EQ(vu_conn_recv(&conn, &m), 0);
	CHECK_EQ(m.nfds, 2);
	CHECK_EQ(m.payload.state.num, 256);
	close_fds(&m);
	teardown();
}

static void test_fd_limit(void)
{
	static const struct {
		unsigned int nfds;
		int	     ret;
	} rows[] = {
		{ VU_MAX_FDS, 0 },	   { VU_MAX_FDS + 1, -EMFILE },
		{ 2 * VU_MAX_FDS, -EMFILE }, { 2 * VU_MAX_FDS + 1, -EMFILE },
		{ 253, -EMFILE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fds = test_count_fds();
		struct vu_msg m;

		setup();
		send_raw(&whole, sizeof(whole), rows[i].nfds);
		CHECK_EQ(vu_conn_recv(&conn, &m), rows[i].ret);
		if (!rows[i].ret)
			close_fds(&m);
		teardown();
		test_settle_fds(fds);
		CHECK_EQ(test_count_fds(), fds);
	}
}

/* A few descriptors with each byte add up to too many for one message. */
static void test_fds_add_up(void)
{
	const char *bytes = (const char *)&whole;
	struct vu_msg m;
	int ret = -EAGAIN;

	setup();
	for (size_t i = 0; i < 5; i++)
		send_raw(bytes + i, 1, 3);
	while (ret == -EAGAIN)
		ret = vu_conn_recv(&conn, &m);
	CHECK_EQ(ret, -EMFILE);
	teardown();
}

#define LINGERS		20	/* more than the number of closing threads */

/*
 * A TCP socket whose close() waits for an hour: it has unsent data, and its
 * peer @far reads nothing. The caller closes @far.
 */
static int lingering(int *far)
{
	struct linger hour = { .l_onoff = 1, .l_linger = 3600 };
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);
	char bytes[4096] = { 0 };

	if (bind(door, (struct sockaddr *)&a, len) || listen(door, 1) ||
	    getsockname(door, (struct sockaddr *)&a, &len) ||
	    connect(fd, (struct sockaddr *)&a, len) ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hour, sizeof(hour)))
		abort();
	*far = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	close(door);
	return fd;
}

/* @with: the flags of send() */
static void send_lingering(int *far, int with)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd = lingering(far);

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(peer, &hdr, with), 1);
	close(fd);
}

/*
 * Descriptors whose close() hangs must not delay this thread, whether they came
 * with a message or are left in a queue.
 */
static void test_lingers(void)
{
	int far[3 * LINGERS], n = 0;
	struct vu_msg m;

	alarm(120);
	for (int i = 0; i < LINGERS; i++) {
		setup();
		send_lingering(&far[n++], 0);
		if (i % 2)
			CHECK_EQ(vu_conn_recv(&conn, &m), -EAGAIN);
		teardown();
		/*
		 * The descriptor comes with an urgent byte, which recv() skips.
		 */
		setup();
		send_lingering(&far[n++], MSG_OOB);
		send_raw(&whole, sizeof(whole), 0);
		CHECK(vu_conn_recv(&conn, &m) != -ECONNRESET);
		teardown();
		/*
		 * The descriptor lies in the queue of a socket that itself lies
		 * in the queue
		 */
		setup();
		{
			int sv[2], inner = peer;

			if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
				abort();
			peer = sv[0];
			send_lingering(&far[n++], 0);
			peer = inner;
			close(sv[0]);
			vu_peerfd_close(&sv[1]);
		}
		teardown();
	}
	alarm(0);
	while (n)
		close(far[--n]);
}

/* The last close() does not wait, and the peer still reads what we send. */
static void test_deafen(void)
{
	int alone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), far[2];
	char byte = 'b';

	setup();
	send_lingering(&far[0], 0);
	send_lingering(&far[1], MSG_OOB);
	CHECK_EQ(vu_conn_deafen(conn.sock), 0);
	CHECK(send(peer, &byte, 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	CHECK_EQ(send(conn.sock, &byte, 1, MSG_NOSIGNAL), 1);
	CHECK_EQ(recv(peer, &byte, 1, 0), 1);
	alarm(20);
	fd_close(&conn.sock);
	alarm(0);
	close(far[0]);
	close(far[1]);
	teardown();
	/* It could listen later. */
	CHECK_EQ(vu_conn_deafen(alone), -EOPNOTSUPP);
	close(alone);
}

static void test_bad_stream(void)
{
	uint32_t header[3] = { 1, 1, 0xffffffff };
	struct vu_msg m;

	setup();
	send_raw(header, sizeof(header), 2);
	CHECK_EQ(vu_conn_recv(&conn, &m), -EMSGSIZE);
	teardown();

	setup();
	header[1] = 2;
	send_raw(header, sizeof(header), 0);
	CHECK_EQ(vu_conn_recv(&conn, &m), -EPROTO);
	teardown();

	/*
	 * The peer closes in the middle of a message that has brought a
	 * descriptor.
	 */
	setup();
	send_raw(&whole, 16, 1);
	CHECK_EQ(vu_conn_recv(&conn, &m), -EAGAIN);
	fd_close(&peer);
	CHECK_EQ(vu_conn_recv(&conn, &m), -ECONNRESET);
	teardown();
}

static void test_send(void)
{
	uint32_t back[5];
	struct vu_msg m, r;
	int ret;

	setup();
	vu_msg_init(&m);
	m.request = VU_GET_FEATURES;
	vu_msg_reply_u64(&r, &m, 7);
	CHECK_EQ(vu_conn_send(conn.sock, &r), 0);
	CHECK_EQ(recv(peer, back, sizeof(back), 0), 20);
	CHECK(back[0] == 1 && back[1] == 5 && back[2] == 8 && back[3] == 7);
	/* A peer that never reads does not block us. */
	do
		ret = vu_conn_send(conn.sock, &r);
	while (!ret);
	CHECK_EQ(ret, -EAGAIN);
	/* A peer that has closed does not kill us by SIGPIPE. */
	fd_close(&peer);
	CHECK_EQ(vu_conn_send(conn.sock, &r), -EPIPE);
	teardown();
}

static const struct test tests[] = {
	{ "whole messages, with and without a descriptor", test_whole },
	{ "a message byte by byte", test_pieces },
	{ "too many descriptors are refused and closed", test_fd_limit },
	{ "descriptors add up over the pieces", test_fds_add_up },
	{ "sockets that linger hold nobody up", test_lingers },
	{ "a socket from which nothing is read", test_deafen },
	{ "bad size, bad version, early end", test_bad_stream },
	{ "replies; a peer that does not read; one that has gone", test_send },
};

TEST_MAIN(tests)
