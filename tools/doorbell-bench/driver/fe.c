// SPDX-License-Identifier: GPL-2.0
/*
 * fe - the front end's side of the vhost-user socket
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"
#include "fe.h"

#define FE_VERSION	0x1u
#define FE_REPLY	0x4u
#define FE_NEED_REPLY	0x8u
#define FE_NO_FD	0x100u	/* vring fd message: no descriptor attached */

struct fe_region {
	uint64_t	gpa;
	uint64_t	size;
	uint64_t	user_addr;
	uint64_t	mmap_offset;
};

struct fe_msg {
	uint32_t	request;
	uint32_t	flags;
	uint32_t	size;
	union {
		uint64_t	u64;
		struct {
			uint32_t	index;
			uint32_t	num;
		} state;
		struct {
			uint32_t	index;
			uint32_t	flags;
			uint64_t	desc;
			uint64_t	used;
			uint64_t	avail;
			uint64_t	log;
		} addr;
		struct {
			uint32_t		nregions;
			uint32_t		padding;
			struct fe_region	region[FE_TABLE_MAX];
		} table;
		struct {
			uint64_t		padding;
			struct fe_region	region;
		} add;
		struct {
			uint64_t	size;
			uint64_t	offset;
		} log;
		struct {
			uint32_t	offset;
			uint32_t	size;
			uint32_t	flags;
			uint8_t		data[FE_CONFIG_MAX];
		} config;
	} u;
} __attribute__((packed));

#define FE_HEADER	offsetof(struct fe_msg, u)

static const char * const fe_names[] = {
	[FE_GET_FEATURES]		= "GET_FEATURES",
	[FE_SET_FEATURES]		= "SET_FEATURES",
	[FE_SET_OWNER]			= "SET_OWNER",
	[FE_SET_MEM_TABLE]		= "SET_MEM_TABLE",
	[FE_SET_LOG_BASE]		= "SET_LOG_BASE",
	[FE_SET_VRING_NUM]		= "SET_VRING_NUM",
	[FE_SET_VRING_ADDR]		= "SET_VRING_ADDR",
	[FE_SET_VRING_BASE]		= "SET_VRING_BASE",
	[FE_GET_VRING_BASE]		= "GET_VRING_BASE",
	[FE_SET_VRING_KICK]		= "SET_VRING_KICK",
	[FE_SET_VRING_CALL]		= "SET_VRING_CALL",
	[FE_SET_VRING_ERR]		= "SET_VRING_ERR",
	[FE_GET_PROTOCOL_FEATURES]	= "GET_PROTOCOL_FEATURES",
	[FE_SET_PROTOCOL_FEATURES]	= "SET_PROTOCOL_FEATURES",
	[FE_GET_QUEUE_NUM]		= "GET_QUEUE_NUM",
	[FE_SET_VRING_ENABLE]		= "SET_VRING_ENABLE",
	[FE_GET_CONFIG]			= "GET_CONFIG",
	[FE_SET_CONFIG]			= "SET_CONFIG",
	[FE_RESET_DEVICE]		= "RESET_DEVICE",
	[FE_GET_MAX_MEM_SLOTS]		= "GET_MAX_MEM_SLOTS",
	[FE_ADD_MEM_REG]		= "ADD_MEM_REG",
	[FE_SET_STATUS]			= "SET_STATUS",
	[FE_GET_STATUS]			= "GET_STATUS",
};

const char *fe_name(enum fe_request request)
{
	if ((size_t)request < ARRAY_SIZE(fe_names) && fe_names[request])
		return fe_names[request];
	return "connect";
}

static int fe_connect_once(struct fe *fe, const struct sockaddr_un *addr)
{
	/* Limits the wait for each reply. */
	struct timeval tv = { .tv_sec = 60 };

	fe->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fe->sock < 0)
		return -errno;
	setsockopt(fe->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fe->sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fe->sock, (const void *)addr, sizeof(*addr))) {
		int ret = -errno;

		fe_close(fe);
		return ret;
	}
	return 0;
}

int fe_connect(struct fe *fe, const char *path, unsigned int timeout_ms)
{
	uint64_t end = bench_now_ns() + timeout_ms * 1000000ull;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret;

	*fe = (struct fe){ .sock = -1 };
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	for (;;) {
		ret = fe_connect_once(fe, &addr);
		if (!ret || bench_now_ns() >= end)
			return ret;
		if (ret != -ENOENT && ret != -ECONNREFUSED)
			return ret;
		usleep(50 * 1000);
	}
}

bool fe_gone(const struct fe *fe)
{
	char c;
	ssize_t n = recv(fe->sock, &c, 1, MSG_DONTWAIT);

	return !n || (n < 0 && errno != EAGAIN);
}

void fe_close(struct fe *fe)
{
	if (fe->sock >= 0)
		close(fe->sock);
	fe->sock = -1;
}

static int fe_errno(void)
{
	if (errno == EPIPE || errno == ECONNRESET)
		return -ECONNRESET;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

static int fe_write(struct fe *fe, struct fe_msg *m, const int *fds,
		    unsigned int nfds)
{
	char control[CMSG_SPACE(sizeof(int) * FE_TABLE_MAX)] = { 0 };
	struct iovec iov = { m, FE_HEADER + m->size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (nfds) {
		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	if (sendmsg(fe->sock, &h, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		return fe_errno();
	return 0;
}

static int fe_read_all(struct fe *fe, void *to, size_t size)
{
	ssize_t n = recv(fe->sock, to, size, MSG_WAITALL);

	if (n < 0)
		return fe_errno();
	return (size_t)n == size ? 0 : -ECONNRESET;
}

static int fe_read(struct fe *fe, struct fe_msg *m, uint32_t request)
{
	int ret = fe_read_all(fe, m, FE_HEADER);

	if (ret)
		return ret;
	if (m->request != request || !(m->flags & FE_REPLY) ||
	    m->size > sizeof(m->u))
		return -EPROTO;
	return fe_read_all(fe, &m->u, m->size);
}

/* Sends a message that always has a reply, and receives it. */
static int fe_ask_fd(struct fe *fe, struct fe_msg *m, const int *fds,
		     unsigned int nfds)
{
	uint32_t request = m->request;
	int ret;

	fe->last = request;
	m->flags = FE_VERSION;
	ret = fe_write(fe, m, fds, nfds);
	return ret ? ret : fe_read(fe, m, request);
}

static int fe_ask(struct fe *fe, struct fe_msg *m)
{
	return fe_ask_fd(fe, m, NULL, 0);
}

/* Sends a message that has a reply only with REPLY_ACK. */
static int fe_tell(struct fe *fe, struct fe_msg *m, const int *fds,
		   unsigned int nfds)
{
	uint32_t request = m->request;
	int ret;

	fe->last = request;
	m->flags = FE_VERSION | (fe->reply_ack ? FE_NEED_REPLY : 0);
	ret = fe_write(fe, m, fds, nfds);
	if (ret || !fe->reply_ack)
		return ret;
	ret = fe_read(fe, m, request);
	if (ret)
		return ret;
	if (m->size != sizeof(m->u.u64))
		return -EPROTO;
	return m->u.u64 ? -EIO : 0;
}

int fe_get(struct fe *fe, enum fe_request request, uint64_t *value)
{
	struct fe_msg m = { .request = request };
	int ret = fe_ask(fe, &m);

	if (ret)
		return ret;
	if (m.size != sizeof(m.u.u64))
		return -EPROTO;
	*value = m.u.u64;
	return 0;
}

int fe_send(struct fe *fe, enum fe_request request)
{
	struct fe_msg m = { .request = request };

	return fe_tell(fe, &m, NULL, 0);
}

int fe_set(struct fe *fe, enum fe_request request, uint64_t value)
{
	struct fe_msg m = { .request = request, .size = 8, .u.u64 = value };

	return fe_tell(fe, &m, NULL, 0);
}

int fe_set_vring(struct fe *fe, enum fe_request request, unsigned int queue,
		 unsigned int value)
{
	struct fe_msg m = { .request = request, .size = sizeof(m.u.state) };

	m.u.state.index = queue;
	m.u.state.num = value;
	return fe_tell(fe, &m, NULL, 0);
}

int fe_set_vring_fd(struct fe *fe, enum fe_request request,
		    unsigned int queue, int fd)
{
	struct fe_msg m = { .request = request, .size = 8, .u.u64 = queue };

	if (fd < 0)
		m.u.u64 |= FE_NO_FD;
	return fe_tell(fe, &m, &fd, fd >= 0);
}

int fe_set_vring_addr(struct fe *fe, unsigned int queue,
		      const struct fe_vring_addr *addr)
{
	struct fe_msg m = { .request = FE_SET_VRING_ADDR,
			    .size = sizeof(m.u.addr) };

	m.u.addr.index = queue;
	m.u.addr.desc = addr->desc;
	m.u.addr.used = addr->used;
	m.u.addr.avail = addr->avail;
	return fe_tell(fe, &m, NULL, 0);
}

int fe_get_vring_base(struct fe *fe, unsigned int queue, unsigned int *base)
{
	struct fe_msg m = { .request = FE_GET_VRING_BASE,
			    .size = sizeof(m.u.state) };
	int ret;

	m.u.state.index = queue;
	ret = fe_ask(fe, &m);
	if (ret)
		return ret;
	if (m.size != sizeof(m.u.state) || m.u.state.index != queue)
		return -EPROTO;
	*base = m.u.state.num;
	return 0;
}

static struct fe_region fe_region(const struct mem_region *r)
{
	return (struct fe_region){
		.gpa = r->gpa,
		.size = r->size,
		.user_addr = (uintptr_t)r->ptr,
		.mmap_offset = r->offset,
	};
}

int fe_set_mem_table(struct fe *fe, const struct mem *mem)
{
	struct fe_msg m = { .request = FE_SET_MEM_TABLE };
	int fds[FE_TABLE_MAX];

	if (mem->nregions > FE_TABLE_MAX)
		return -E2BIG;
	m.size = 8 + mem->nregions * (uint32_t)sizeof(struct fe_region);
	m.u.table.nregions = mem->nregions;
	for (unsigned int i = 0; i < mem->nregions; i++) {
		m.u.table.region[i] = fe_region(&mem->region[i]);
		fds[i] = mem->fd;
	}
	return fe_tell(fe, &m, fds, mem->nregions);
}

int fe_add_mem_regs(struct fe *fe, const struct mem *mem)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < mem->nregions; i++) {
		struct fe_msg m = { .request = FE_ADD_MEM_REG,
				    .size = sizeof(m.u.add) };

		m.u.add.region = fe_region(&mem->region[i]);
		ret = fe_tell(fe, &m, &mem->fd, 1);
	}
	return ret;
}

int fe_set_log_base(struct fe *fe, int fd, uint64_t size)
{
	struct fe_msg m = { .request = FE_SET_LOG_BASE,
			    .size = sizeof(m.u.log) };
	int ret;

	m.u.log.size = size;
	ret = fe_ask_fd(fe, &m, &fd, 1);
	if (ret)
		return ret;
	return m.size == sizeof(m.u.u64) ? 0 : -EPROTO;
}

int fe_get_config(struct fe *fe, void *config, uint32_t size)
{
	struct fe_msg m = { .request = FE_GET_CONFIG,
			    .size = sizeof(uint32_t) * 3 + size };
	int ret;

	m.u.config.size = size;
	ret = fe_ask(fe, &m);
	if (ret)
		return ret;
	/* A back end refuses with an empty reply. */
	if (m.size != sizeof(uint32_t) * 3 + size)
		return m.size ? -EPROTO : -EIO;
	memcpy(config, m.u.config.data, size);
	return 0;
}

int fe_set_config(struct fe *fe, uint32_t offset, uint8_t value)
{
	struct fe_msg m = { .request = FE_SET_CONFIG,
			    .size = sizeof(uint32_t) * 3 + sizeof(value) };

	m.u.config.offset = offset;
	m.u.config.size = sizeof(value);
	m.u.config.data[0] = value;
	return fe_tell(fe, &m, NULL, 0);
}
