// SPDX-License-Identifier: GPL-2.0
/*
 * A server that is killed before each of its system calls: the next one answers every
 * message once, and leaves the device as if there had been no kill.
 *
 * This process is the front end and the keeper, its children are the servers. The fake
 * device is in memory that they share, as the kernel's is in the kernel. The process traces
 * the system calls of a child, and kills it before the one that the test is about: between
 * two of them nothing changes that others see.
 */
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <linux/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "fd.h"
#include "loop.h"
#include "msg.h"
#include "notify.h"
#include "server.h"
#include "test_vu.h"
#include "test_vu_fake.h"

#define BIT(n)		(1ULL << (n))
#define PF_ALL		(BIT(0) | BIT(1) | BIT(3) | BIT(5) | BIT(9) | BIT(12) | BIT(13) | \
			 BIT(15) | BIT(16))
#define PAGE		4096ULL
#define MEM_USER	0x7f0000000000ULL
#define MEM_SIZE	(16 * PAGE)
#define HANG_US		20000000
#define SUBJECTS	30
/* Two of them */
#define LOG_ON		1
#define SET_LOG		27
#define AGAIN		9	/* exit status of a server that is to begin again */

static struct fake *fake;
static int front, back, parent_end, log_fd;
static int listening = -1;	/* a socket of the servers */
static int files[5];		/* memory of the guest, its log, the in-flight region */
static struct { char name[FDSTORE_NAME]; int fd; } held[FDSTORE_MAX];
static unsigned int num_held, num_puts;
static unsigned int closed, killed;
static bool device_held;	/* by the keeper */
static pid_t server_pid;

#include "test_vu_keep.h"

/* --- the front end --- */

/**
 * struct step - a message
 * @request: its kind
 * @size: bytes of @payload
 * @nfds: number of @fd
 * @answers: it has an answer of its own
 */
struct step {
	uint32_t     request;
	uint32_t     size;
	unsigned int nfds;
	int	     fd[4];
	bool	     answers;
	union {
		uint64_t u64;
		struct vu_state state;
		struct vu_addr addr;
		struct vu_memory memory;
		struct vu_mem_reg reg;
		struct vu_log_base log;
		struct vu_config config;
		struct vu_inflight_desc inflight;
	} payload;
};

static void tell(const struct step *s, uint32_t flags)
{
	uint32_t header[3] = { s->request, VU_VERSION | flags, s->size };
	union {
		char space[CMSG_SPACE(sizeof(s->fd))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov[2] = {
		{ header, sizeof(header) }, { (void *)&s->payload, s->size },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t bytes = s->nfds * sizeof(int);

	if (s->nfds) {
		hdr.msg_control = control.space;
		hdr.msg_controllen = CMSG_SPACE(bytes);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(&control.align), s->fd, bytes);
	}
	if (sendmsg(front, &hdr, MSG_NOSIGNAL) < 0)
		CHECK(errno == EPIPE);
}

/* The next reply; false: the connection was closed, or the server hangs. */
static bool reads(uint32_t *request, uint8_t *payload, uint32_t *size)
{
	struct pollfd p = { front, POLLIN, 0 };
	uint32_t header[3];

	for (int i = 0; i < HANG_US && poll(&p, 1, 0) != 1; i += 20) {
		hear();
		usleep(20);
	}
	if (recv(front, header, sizeof(header), MSG_WAITALL | MSG_DONTWAIT) !=
	    sizeof(header))
		return false;
	*request = header[0];
	*size = header[2];
	return !*size || recv(front, payload, *size, MSG_WAITALL) == (ssize_t)*size;
}

static struct step u64(uint32_t request, uint64_t value)
{
	return (struct step){ .request = request, .size = 8, .payload.u64 = value };
}

static struct step state(uint32_t request, uint32_t index, uint32_t num)
{
	return (struct step){ .request = request, .size = 8,
			      .payload.state = { index, num } };
}

static struct step event(uint32_t request, uint64_t value)
{
	struct step s = u64(request, value);

	s.nfds = 1;
	s.fd[0] = eventfd(0, EFD_CLOEXEC);
	return s;
}

static struct vu_region region(unsigned int i)
{
	return (struct vu_region){ i * MEM_SIZE, MEM_SIZE, MEM_USER + i * MEM_SIZE, PAGE };
}

static struct step table(unsigned int n)
{
	struct step s = { .request = VU_SET_MEM_TABLE, .size = 8 + 32 * n, .nfds = n };

	s.payload.memory.nregions = n;
	for (unsigned int i = 0; i < n; i++) {
		s.payload.memory.regions[i] = region(i);
		s.fd[i] = files[i];
	}
	return s;
}

static struct step mem_reg(uint32_t request, unsigned int i)
{
	struct step s = { .request = request, .size = sizeof(struct vu_mem_reg) };

	s.payload.reg.region = region(i);
	s.nfds = request == VU_ADD_MEM_REG;
	s.fd[0] = files[i];
	return s;
}

static struct step addr(unsigned int q)
{
	uint64_t user = MEM_USER + q * 3 * PAGE;

	return (struct step){
		.request = VU_SET_VRING_ADDR, .size = sizeof(struct vu_addr),
		.payload.addr = { .index = q, .desc = user, .avail = user + PAGE,
				  .used = user + 2 * PAGE },
	};
}

static struct step none(uint32_t request)
{
	return (struct step){ .request = request, .answers = true };
}

static void drop_event(struct step *s)
{
	if (s->request == VU_SET_VRING_KICK || s->request == VU_SET_VRING_CALL ||
	    s->request == VU_SET_VRING_ERR || s->request == VU_SET_BACKEND_REQ_FD)
		fd_close(&s->fd[0]);
}

static void do_step(struct step s)
{
	uint8_t payload[400];
	uint32_t request, size;

	tell(&s, 0);
	drop_event(&s);
	if (s.answers)
		CHECK(reads(&request, payload, &size) && request == s.request);
}

static struct step inflight(uint32_t request)
{
	return (struct step){
		.request = request, .size = sizeof(struct vu_inflight_desc),
		.payload.inflight = { .size = 4 * PAGE, .num_queues = 2, .queue_size = 128 },
	};
}

static struct step set_inflight(void)
{
	struct step s = inflight(VU_SET_INFLIGHT_FD);

	s.nfds = 1;
	s.fd[0] = files[4];
	return s;
}

/* Up to a queue that runs, and another that does not */
static void set_up(void)
{
	do_step(none(VU_GET_FEATURES));
	do_step(u64(VU_SET_PROTOCOL_FEATURES, PF_ALL));
	do_step((struct step){ .request = VU_SET_OWNER });
	do_step(u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30)));
	do_step(table(2));
	do_step(set_inflight());
	for (unsigned int q = 0; q < 2; q++) {
		do_step(state(VU_SET_VRING_NUM, q, 128));
		do_step(state(VU_SET_VRING_BASE, q, 7));
		do_step(addr(q));
		do_step(event(VU_SET_VRING_CALL, q));
	}
	do_step(event(VU_SET_VRING_KICK, 0));
	do_step(state(VU_SET_VRING_ENABLE, 0, 1));
	do_step(none(VU_GET_QUEUE_NUM));
}

static struct step with_answer(struct step s)
{
	s.answers = true;
	return s;
}

/* What the test is about; each begins after set_up(). */
static struct step subject(unsigned int i)
{
	struct step s;

	switch (i) {
	case 0: return none(VU_GET_FEATURES);
	case 1: return u64(VU_SET_FEATURES, FAKE_FEATURES | BIT(30) | BIT(26));
	case 2: return (struct step){ .request = VU_SET_OWNER };
	case 3: return (struct step){ .request = VU_RESET_OWNER };
	case 4: return table(3);
	case 5: return state(VU_SET_VRING_NUM, 1, 64);
	case 6: return addr(1);
	case 7: return state(VU_SET_VRING_BASE, 1, 9);
	case 8: return with_answer(state(VU_GET_VRING_BASE, 0, 0));
	case 9: return event(VU_SET_VRING_KICK, 0);
	case 10: return event(VU_SET_VRING_KICK, 1);
	case 11: return event(VU_SET_VRING_CALL, 0);
	case 12: return event(VU_SET_VRING_ERR, 0);
	case 13: return none(VU_GET_PROTOCOL_FEATURES);
	case 14: return u64(VU_SET_PROTOCOL_FEATURES, PF_ALL);
	case 15: return none(VU_GET_QUEUE_NUM);
	case 16: return state(VU_SET_VRING_ENABLE, 0, 0);
	case 17: return state(VU_SET_VRING_ENABLE, 0, 1);
	case 18:
		s = (struct step){ .request = VU_SET_BACKEND_REQ_FD, .nfds = 1 };
		s.fd[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		return s;
	case 19:
		s = (struct step){ .request = VU_GET_CONFIG, .size = 12 + 60, .answers = true };
		s.payload.config.size = 60;
		return s;
	case 20: return (struct step){ .request = VU_RESET_DEVICE };
	case 21: return none(VU_GET_MAX_MEM_SLOTS);
	case 22: return mem_reg(VU_ADD_MEM_REG, 2);
	case 23: return mem_reg(VU_REM_MEM_REG, 0);
	case 24: return mem_reg(VU_REM_MEM_REG, 1);
	case 25: return u64(VU_SET_STATUS, 0);
	case 26: return none(VU_GET_STATUS);
	case 27:
		s = (struct step){ .request = VU_SET_LOG_BASE, .size = 16, .nfds = 1,
				   .answers = true };
		s.payload.log.size = PAGE;
		s.fd[0] = files[3];
		return s;
	case 28: return set_inflight();
	case 29: return with_answer(inflight(VU_GET_INFLIGHT_FD));
	}
	return (struct step){ 0 };
}

/* What of the device must be as without a kill */
struct seen {
	uint64_t features, log_size;
	unsigned int regions;
	bool running[2];
	uint32_t num[2];
	uint64_t inflight[2];	/* bytes of the part that a running queue has */
};

static struct seen look(void)
{
	struct seen s = { fake->features, fake->log_size, fake->regions,
			  { fake->queue[0].running, fake->queue[1].running }, { 0 }, { 0 } };

	for (unsigned int i = 0; i < 2; i++) {
		s.num[i] = s.running[i] ? fake->queue[i].num : 0;
		s.inflight[i] = s.running[i] ? fake->queue[i].inflight_pinned : 0;
	}
	return s;
}

static bool migrating;		/* the log is on when the message comes */

static pid_t begin(void)
{
	int pair[2];
	pid_t pid;

	memset(fake, 0, sizeof(*fake));
	fake->base.ops = &fake_ops;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	front = pair[0];
	back = pair[1];
	pid = start(false);
	fd_close(&back);
	set_up();
	if (migrating) {
		do_step(subject(SET_LOG));
		do_step(subject(LOG_ON));
		do_step(none(VU_GET_QUEUE_NUM));
		CHECK(fake->log_size);
	}
	return pid;
}

static void finish(pid_t pid)
{
	fd_close(&front);
	/* It sees the end of the connection, releases the device, and exits. */
	await(pid, &(int){ 0 }, 0);
	CHECK_EQ(num_held, 0);
	CHECK(!fake->open);
	CHECK_EQ(fake->abuse, 0);
	fd_close(&parent_end);
	while (num_held)
		drop(held[0].name);
}

static void log_empty(void)
{
	if (ftruncate(log_fd, 0))
		abort();
	lseek(log_fd, 0, SEEK_SET);
}

static bool log_says(const char *words)
{
	static char text[1 << 16];
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	if (!*words)
		printf("# log: %s\n", text);
	return strstr(text, words);
}

/* The answers to @s and to a second message; each comes once. */
static void check_answers(const struct step *s, bool answers, const struct seen *want)
{
	struct step after = none(VU_GET_QUEUE_NUM);
	uint8_t payload[400];
	uint32_t request, size;
	struct seen now;

	tell(&after, 0);
	if (answers && reads(&request, payload, &size))
		CHECK_EQ(request, s->request);
	else if (answers)
		goto ended;
	if (s->request == VU_GET_VRING_BASE)
		CHECK_EQ(((struct vu_state *)payload)->num, fake->queue[0].base);
	if (!reads(&request, payload, &size))
		goto ended;
	CHECK_EQ(request, after.request);
	now = look();
	if (want) {
		CHECK_EQ(now.features, want->features);
		CHECK_EQ(now.log_size, want->log_size);
		CHECK_EQ(now.regions, want->regions);
		for (unsigned int i = 0; i < 2; i++) {
			CHECK_EQ(now.running[i], want->running[i]);
			CHECK_EQ(now.num[i], want->num[i]);
			CHECK_EQ(now.inflight[i], want->inflight[i]);
		}
	}
	return;
ended:
	/* It was killed when it had just answered, or was about to. */
	CHECK(log_says("while it answered"));
	closed++;
}

/* One run with a kill at @n; 0: without. False: it had nothing to do any more at @n. */
static bool run_one(unsigned int i, bool ack, unsigned int n, struct seen *want)
{
	bool more = true;
	pid_t pid = begin();
	struct step s = subject(i);

	log_empty();
	end(pid);
	tell(&s, ack ? VU_FLAG_NEED_REPLY : 0);
	drop_event(&s);
	if (n)
		more = kill_at(n);
	pid = start(false);
	check_answers(&s, s.answers || ack, n ? want : NULL);
	if (!n)
		*want = look();
	finish(pid);
	return more;
}

/* Kills at every call, or at some, which differ from message to message. */
static void kill_all(unsigned int i, bool ack, unsigned int step)
{
	unsigned int before;
	struct seen want;

	/* run_one() kills a server, too, which may have just answered. */
	do {
		before = closed;
		run_one(i, ack, 0, &want);
	} while (closed != before);
	for (unsigned int n = 1 + (7 * i + 3 * ack) % step;; n += step) {
		killed++;
		if (!run_one(i, ack, n, &want))
			return;
		if (test_failed) {
			printf("# message %u, need_reply %u, call %u\n", i, ack, n);
			log_says("");
			return;
		}
	}
}

static void test_kills(void)
{
	const char *everywhere = getenv("EVERYWHERE");
	bool all = everywhere && *everywhere != '0';

	for (unsigned int i = 0; i < SUBJECTS && !test_failed; i++) {
		struct step s = subject(i);

		drop_event(&s);
		kill_all(i, false, all ? 1 : 11);
		/* With an answer, too, if it has none of its own */
		if (!s.answers)
			kill_all(i, true, all ? 1 : 11);
	}
	printf("# %u kills, %u connections closed\n", killed, closed);
	CHECK(killed > 300 && closed < killed / 10);
	CHECK(!all || closed);
}

static int64_t since(int64_t begin)
{
	return loop_now() - begin;
}

/* Neither a guest that has its card alternate nor a front end keeps the keeper busy. */
static void test_rate(void)
{
	struct step s[2] = { event(VU_SET_VRING_CALL, 0), event(VU_SET_VRING_CALL, 0) };
	int64_t begun = loop_now();
	unsigned int before;
	pid_t pid = begin();

	hear();
	before = num_puts;
	for (unsigned int i = 0; i < 300; i++) {
		tell(&s[i % 2], 0);
		do_step(none(VU_GET_QUEUE_NUM));
	}
	printf("# 300 messages, %u stored in %lld ms\n", num_puts - before,
	       (long long)since(begun));
	CHECK(num_puts - before <= 4 + 2 * since(begun) / 1000);
	for (unsigned int i = 0; i < 2; i++)
		fd_close(&s[i].fd[0]);
	/* 1024 at once, and 100 in a second; the server's part of the time is not known. */
	begun = loop_now();
	hear();
	before = num_puts;
	for (unsigned int i = 0; i < 1250; i++) {
		do_step(event(VU_SET_VRING_CALL, 0));
		do_step(none(VU_GET_QUEUE_NUM));
		CHECK(num_held < FDSTORE_MAX);
	}
	printf("# 1250 stored in %lld ms\n", (long long)since(begun));
	hear();
	CHECK_EQ(num_puts - before, 1250);
	CHECK(since(begun) >= 1500);
	finish(pid);
}

/* What the disk's size became while no server lived is told by the next one. */
static void test_resized(void)
{
	struct step s = { .request = VU_SET_BACKEND_REQ_FD, .nfds = 1 };
	uint32_t header[3] = { 0 };
	int channel[2];
	pid_t pid = begin();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		abort();
	s.fd[0] = channel[1];
	do_step(s);
	do_step(none(VU_GET_QUEUE_NUM));
	end(pid);
	fake->resized = true;
	pid = start(false);
	do_step(none(VU_GET_QUEUE_NUM));
	CHECK_EQ(recv(channel[0], header, sizeof(header), MSG_DONTWAIT), 12);
	CHECK_EQ(header[0], VU_BACKEND_CONFIG_CHANGE);
	close(channel[0]);
	finish(pid);
}

/*
 * A second kill while the next server brings the device back: the base that it read from
 * a queue that it stopped is not lost.
 */
static void test_two_kills(void)
{
	for (unsigned int n = 1; n < 120 && !test_failed; n += 3) {
		struct step s = state(VU_SET_VRING_ENABLE, 1, 1);
		struct step get = none(VU_GET_QUEUE_NUM);
		uint32_t base, request, size;
		uint8_t payload[400];
		pid_t pid = begin();

		log_empty();
		do_step(event(VU_SET_VRING_KICK, 1));
		end(pid);
		/* It has started the queue, and dies before it commits that. */
		tell(&s, 0);
		for (unsigned int i = 1; !fake->queue[1].starts && i < 400; i += 2)
			kill_at(i);
		kill_at(n);
		base = fake->queue[1].base;
		pid = start(false);
		tell(&get, 0);
		if (!reads(&request, payload, &size)) {
			/* It was killed when it had just answered. */
			CHECK(log_says("while it answered"));
			finish(pid);
			continue;
		}
		CHECK(fake->queue[1].running);
		/* Each stop serves 5 requests. */
		CHECK(fake->queue[1].base == base || fake->queue[1].base == base + 5);
		if (test_failed)
			printf("# second kill at call %u\n", n);
		finish(pid);
	}
}

/* Is the message still in the socket that the keeper holds? */
static bool is_unread(void)
{
	int left = 0;

	for (unsigned int i = 0; i < num_held; i++)
		if (!strcmp(held[i].name, FDSTORE_PREFIX VU_KEEP_FRONT))
			ioctl(held[i].fd, FIONREAD, &left);
	return left;
}

/*
 * One run with a kill at the call @n, and another of the next server at the call @m. Returns
 * whether there were two.
 */
static bool run_two(unsigned int i, unsigned int n, unsigned int m, const struct seen *want)
{
	pid_t pid = begin();
	struct step s = subject(i);
	bool two;

	log_empty();
	end(pid);
	tell(&s, 0);
	drop_event(&s);
	two = kill_at(n) && is_unread();
	if (two)
		kill_at(m);
	pid = start(false);
	check_answers(&s, s.answers, want);
	finish(pid);
	return two;
}

/* The calls that a server makes from its start to the end of message @i */
static unsigned int calls_of(unsigned int i)
{
	pid_t pid = begin();
	struct step s = subject(i);
	unsigned int n;

	log_empty();
	end(pid);
	tell(&s, 0);
	drop_event(&s);
	CHECK(!kill_at(100000));
	n = calls;
	/* It may have answered. */
	pid = start(false);
	finish(pid);
	return n;
}

/*
 * The server is killed while it handles a message, and the next one while it brings the
 * device back or handles the message again: the third server finds in the state memfd
 * how far the message was.
 */
static void test_two_at_a_message(void)
{
	/* Those of which the device may have seen a part */
	static const unsigned int subjects[] = { 1, 4, 16, 17, 22, 23, 27, 9, 16 };
	/* The last ones come while the guest migrates. */
	static const unsigned int calm = 7;
	unsigned int both = 0, all = 0;
	struct seen want;

	for (unsigned int k = 0; k < sizeof(subjects) / sizeof(*subjects); k++) {
		unsigned int i = subjects[k], total, before;

		migrating = k >= calm;
		total = calls_of(i);
		do {
			before = closed;
			run_one(i, false, 0, &want);
		} while (closed != before);
		for (unsigned int at = 55; at < 100 && !test_failed; at += 20) {
			for (unsigned int next = 50 + k % 3; next < 130; next += 14) {
				all++;
				both += run_two(i, total * at / 100,
						total * next / 100, &want);
				if (test_failed) {
					printf("# message %u, %u calls: %u%%, %u%%\n", i,
					       total, at, next);
					break;
				}
			}
		}
	}
	migrating = false;
	printf("# %u times, %u of them killed twice\n", all, both);
	CHECK(both > all / 3);
}

/*
 * A server that took a session over begins again after it, to read the settings; a server
 * that opened the session itself serves the next front end.
 */
static void test_renews(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "" };
	socklen_t len = sizeof(a.sun_family);
	int second, status = 0;
	pid_t pid;

	memset(fake, 0, sizeof(*fake));
	fake->base.ops = &fake_ops;
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The kernel chooses a name. */
	if (bind(listening, (struct sockaddr *)&a, len) || listen(listening, 2))
		abort();
	len = sizeof(a);
	getsockname(listening, (struct sockaddr *)&a, &len);
	second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	front = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(front, (struct sockaddr *)&a, len))
		abort();
	pid = start(false);
	set_up();
	fd_close(&front);
	front = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(front, (struct sockaddr *)&a, len))
		abort();
	set_up();
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	end(pid);
	/* It waits until the front end of the session ends, and is not served then. */
	pid = start(false);
	do_step(none(VU_GET_QUEUE_NUM));
	fd_close(&front);
	await(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == AGAIN);
	CHECK_EQ(num_held, 0);
	CHECK(!fake->open);
	/* The socket is sound. */
	CHECK(!connect(second, (struct sockaddr *)&a, len));
	fd_close(&second);
	fd_close(&parent_end);
	fd_close(&listening);
}

/* A front end does not notice that its keeper has died. */
static void test_no_keeper(void)
{
	pid_t pid = begin();

	log_empty();
	hear();
	fd_close(&parent_end);
	do_step(event(VU_SET_VRING_CALL, 0));
	do_step(event(VU_SET_VRING_KICK, 0));
	do_step(mem_reg(VU_ADD_MEM_REG, 2));
	do_step(none(VU_GET_QUEUE_NUM));
	CHECK(fake->queue[0].running);
	CHECK_EQ(fake->regions, 3);
	CHECK(log_says("cannot be kept any longer"));
	while (num_held)
		drop(held[0].name);
	finish(pid);
}

static const struct test tests[] = {
	{ "the rate at which descriptors are stored", test_rate },
	{ "settings that changed meanwhile", test_renews },
	{ "the keeper dies", test_no_keeper },
	{ "another size while no server lives", test_resized },
	{ "a second kill", test_two_kills },
	{ "two kills at a message", test_two_at_a_message },
	{ "a kill before each system call, at each message", test_kills },
};

int main(void)
{
	struct rlimit files_limit;

	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log_fd = test_memfd(0);
	parent_end = -1;
	setenv("FDSTORE", "768", 1);
	getrlimit(RLIMIT_NOFILE, &files_limit);
	files_limit.rlim_cur = files_limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files_limit);
	for (unsigned int i = 0; i < 5; i++)
		files[i] = test_memfd(MEM_SIZE + PAGE);
	return test_main(tests, sizeof(tests) / sizeof(*tests));
}
