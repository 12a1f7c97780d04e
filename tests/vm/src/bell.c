// SPDX-License-Identifier: GPL-2.0
/*
 * bell - the counting doorbell: each rule of its calls, and exact counts while
 * other threads ring, wire, hang up and close
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vhost_doorbell.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096UL
#define BAD		((void *)0x1000)
#define THREADS		4

static const char *const modes[] = { "hook", "worker", "inline" };

static int control;

static int mkbell(__u32 mode)
{
	struct vhost_doorbell_bell arg = { .mode = mode };
	int fd = ioctl(control, VHOST_DOORBELL_CREATE_BELL, &arg);

	MUST(fd >= 0);
	return fd;
}

static int mkevent(int flags)
{
	int fd = eventfd(0, EFD_NONBLOCK | flags);

	MUST(fd >= 0);
	return fd;
}

static int wire(int bell, int fd)
{
	struct vhost_doorbell_bell_wire arg = { .fd = fd };

	return ioctl(bell, VHOST_DOORBELL_BELL_WIRE, &arg) ? errno : 0;
}

static int unwire(int bell, int fd)
{
	struct vhost_doorbell_bell_wire arg = { .fd = fd };

	return ioctl(bell, VHOST_DOORBELL_BELL_UNWIRE, &arg) ? errno : 0;
}

static void ring(int bell, __u64 n)
{
	MUST(!ioctl(bell, VHOST_DOORBELL_BELL_RING, &n));
}

static void signal_event(int fd, __u64 n)
{
	MUST(write(fd, &n, sizeof(n)) == sizeof(n));
}

/* Reads all that is left in an eventfd. */
static __u64 drain_event(int fd)
{
	__u64 n, sum = 0;

	while (read(fd, &n, sizeof(n)) == sizeof(n))
		sum += n;
	MUST(errno == EAGAIN);
	return sum;
}

static void get_stats(int bell, struct vhost_doorbell_bell_stats *st)
{
	memset(st, 0xff, sizeof(*st));
	MUST(!ioctl(bell, VHOST_DOORBELL_BELL_GET_STATS, st));
}

static __u64 count_of(int bell)
{
	struct vhost_doorbell_bell_stats st;

	get_stats(bell, &st);
	return st.count;
}

/*
 * Waits until the bell has counted @n, as its worker may still be running;
 * gives up after a while.
 */
static bool counts(int bell, __u64 n)
{
	for (int i = 0; i < 2000 && count_of(bell) < n; i++)
		usleep(1000);
	usleep(1000);
	if (count_of(bell) == n)
		return true;
	diag("counted %llu, not %llu", count_of(bell), n);
	return false;
}

/* --- errors of each call --- */

struct row {
	const char	*name;
	unsigned int	 cmd;
	int		 err;
	void		*ptr;		/* NULL: use the union */
	union {
		__u64				value;
		struct vhost_doorbell_bell	bell;
		struct vhost_doorbell_bell_wire	wire;
		char				room[512];
	};
};

enum { FD_EVENT = 200, FD_WIRED, FD_WIRED_DUP, FD_PIPE, FD_PIPE_END, FD_BELL,
       FD_PATH, FD_CLOSED };

#define CREATE(...)	.cmd = VHOST_DOORBELL_CREATE_BELL, .bell = { __VA_ARGS__ }
#define WIRE(...)	.cmd = VHOST_DOORBELL_BELL_WIRE, .wire = { __VA_ARGS__ }
#define UNWIRE(...)	.cmd = VHOST_DOORBELL_BELL_UNWIRE, .wire = { __VA_ARGS__ }

static const struct row control_rows[] = {
	{ "CREATE_BELL: mode past the last", CREATE(.mode = 3), .err = EINVAL },
	{ "CREATE_BELL: last mode", CREATE(.mode = ~0U), .err = EINVAL },
	{ "CREATE_BELL: flags not zero", CREATE(.flags = 1), .err = EINVAL },
	{ "CREATE_BELL: last flag", CREATE(.flags = 1U << 31), .err = EINVAL },
	{ "CREATE_BELL: reserved[0] not zero", CREATE(.reserved = { 1 }),
	  .err = EINVAL },
	{ "CREATE_BELL: reserved[1] not zero", CREATE(.reserved = { 0, 1 }),
	  .err = EINVAL },
	{ "CREATE_BELL: reserved[2] not zero",
	  CREATE(.reserved = { 0, 0, 1ULL << 63 }), .err = EINVAL },
	{ "CREATE_BELL: bad pointer", CREATE(), .ptr = BAD, .err = EFAULT },
	{ "CREATE_BELL of another size",
	  .cmd = _IOW(0xBE, 0x20, struct vhost_doorbell_info), .err = ENOTTY },
	{ "BELL_RING on a device", .cmd = VHOST_DOORBELL_BELL_RING, .value = 1,
	  .err = ENOTTY },
	{ "BELL_WIRE on a device", WIRE(.fd = FD_EVENT), .err = ENOTTY },
	{ "BELL_UNWIRE on a device", UNWIRE(.fd = FD_EVENT), .err = ENOTTY },
	{ "BELL_SET_MARK on a device", .cmd = VHOST_DOORBELL_BELL_SET_MARK,
	  .err = ENOTTY },
	{ "BELL_GET_STATS on a device", .cmd = VHOST_DOORBELL_BELL_GET_STATS,
	  .err = ENOTTY },
};

static const struct row bell_rows[] = {
	{ "CREATE_BELL on a bell", CREATE(), .err = ENOTTY },
	{ "SET_OWNER on a bell", .cmd = VHOST_SET_OWNER, .err = ENOTTY },
	{ "GET_INFO on a bell", .cmd = VHOST_DOORBELL_GET_INFO, .err = ENOTTY },
	{ "unknown number on a bell", .cmd = _IOW(0xBE, 0x26, __u64),
	  .err = ENOTTY },
	{ "BELL_RING of another size", .cmd = _IOW(0xBE, 0x21, __u32),
	  .err = ENOTTY },
	{ "BELL_RING: nothing", .cmd = VHOST_DOORBELL_BELL_RING, .err = EINVAL },
	{ "BELL_RING: bad pointer", .cmd = VHOST_DOORBELL_BELL_RING, .ptr = BAD,
	  .err = EFAULT },
	{ "BELL_SET_MARK: bad pointer", .cmd = VHOST_DOORBELL_BELL_SET_MARK,
	  .ptr = BAD, .err = EFAULT },
	{ "BELL_GET_STATS: bad pointer", .cmd = VHOST_DOORBELL_BELL_GET_STATS,
	  .ptr = BAD, .err = EFAULT },
	{ "BELL_WIRE: bad pointer", WIRE(), .ptr = BAD, .err = EFAULT },
	{ "BELL_WIRE: flags not zero", WIRE(.fd = FD_EVENT, .flags = 1),
	  .err = EINVAL },
	{ "BELL_WIRE: reserved not zero", WIRE(.fd = FD_EVENT, .reserved = 1),
	  .err = EINVAL },
	{ "BELL_WIRE: not open", WIRE(.fd = FD_CLOSED), .err = EBADF },
	{ "BELL_WIRE: negative", WIRE(.fd = -1), .err = EBADF },
	{ "BELL_WIRE: an O_PATH descriptor", WIRE(.fd = FD_PATH), .err = EBADF },
	{ "BELL_WIRE: a pipe", WIRE(.fd = FD_PIPE), .err = EINVAL },
	{ "BELL_WIRE: the bell itself", WIRE(.fd = FD_BELL), .err = EINVAL },
	{ "BELL_WIRE: twice", WIRE(.fd = FD_WIRED), .err = EEXIST },
	{ "BELL_WIRE: twice, by another descriptor", WIRE(.fd = FD_WIRED_DUP),
	  .err = EEXIST },
	{ "BELL_UNWIRE: bad pointer", UNWIRE(), .ptr = BAD, .err = EFAULT },
	{ "BELL_UNWIRE: flags not zero", UNWIRE(.fd = FD_WIRED, .flags = 1),
	  .err = EINVAL },
	{ "BELL_UNWIRE: reserved not zero",
	  UNWIRE(.fd = FD_WIRED, .reserved = 1ULL << 63), .err = EINVAL },
	{ "BELL_UNWIRE: not open", UNWIRE(.fd = FD_CLOSED), .err = EBADF },
	{ "BELL_UNWIRE: a pipe", UNWIRE(.fd = FD_PIPE), .err = EINVAL },
	{ "BELL_UNWIRE: a stranger", UNWIRE(.fd = FD_EVENT), .err = ENOENT },
};

static void test_rows(int fd, const struct row *rows, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct row row = rows[i];
		int ret;

		errno = 0;
		ret = ioctl(fd, row.cmd, row.ptr ?: &row.room);
		ok(ret < 0 && errno == row.err, "%s: %s", row.name,
		   strerror(row.err));
		if (ret >= 0 || errno != row.err)
			diag("gave %d, %m", ret);
	}
}

static bool mmap_fails(int bell, size_t len, int flags, off_t off)
{
	errno = 0;
	return mmap(NULL, len, PROT_READ | PROT_WRITE, flags, bell, off) ==
	       MAP_FAILED && errno == EINVAL;
}

static void test_rules(void)
{
	int bell = mkbell(VHOST_DOORBELL_BELL_HOOK), fds[2], fd;
	__u64 n;

	fd = open("/tmp", O_PATH);
	MUST(fd >= 0 && dup2(fd, FD_PATH) == FD_PATH && !close(fd));
	MUST(dup2(mkevent(0), FD_EVENT) == FD_EVENT);
	MUST(dup2(mkevent(0), FD_WIRED) == FD_WIRED);
	MUST(dup2(FD_WIRED, FD_WIRED_DUP) == FD_WIRED_DUP);
	MUST(!pipe(fds) && dup2(fds[0], FD_PIPE) == FD_PIPE);
	MUST(dup2(bell, FD_BELL) == FD_BELL);
	MUST(!wire(bell, FD_WIRED));

	test_rows(control, control_rows, ARRAY_SIZE(control_rows));
	test_rows(bell, bell_rows, ARRAY_SIZE(bell_rows));
	ok(read(bell, &n, 7) < 0 && errno == EINVAL, "read: less than 8 bytes");
	ok(read(bell, BAD, 8) < 0 && errno == EFAULT, "read: bad pointer");
	ok(write(bell, &n, 8) < 0 && errno == EINVAL, "write: not possible");
	ok(mmap_fails(bell, PAGE, MAP_PRIVATE, 0), "mmap: private");
	ok(mmap_fails(bell, PAGE, MAP_SHARED, PAGE), "mmap: the second page");
	ok(mmap_fails(bell, 2 * PAGE, MAP_SHARED, 0), "mmap: two pages");
	ok(fcntl(bell, F_GETFD) == FD_CLOEXEC, "a bell is close-on-exec");

	signal_event(FD_WIRED, 3);
	ok(counts(bell, 3), "after all that it still counts");
	ok(!unwire(bell, FD_WIRED_DUP), "unwired by another descriptor");
	ok(unwire(bell, FD_WIRED) == ENOENT, "unwired twice: a stranger");
	for (fd = FD_EVENT; fd <= FD_PATH; fd++)
		close(fd);
	close(fds[0]);
	close(fds[1]);
	close(bell);
}

/* --- counting --- */

static void test_counts(__u32 mode)
{
	int bell = mkbell(mode), a = mkevent(0), b = mkevent(0);
	int s = mkevent(EFD_SEMAPHORE), other = mkbell(mode);
	struct vhost_doorbell_bell_stats st;
	const char *name = modes[mode];
	__u64 n;

	signal_event(a, 5);
	MUST(!wire(bell, a) && !wire(bell, b));
	ok(counts(bell, 5), "%s: what was in the eventfd before", name);
	signal_event(a, 1000000000000);
	signal_event(b, 7);
	ring(bell, 3);
	ok(counts(bell, 1000000000015), "%s: N adds N, from all sides", name);
	ok(!drain_event(a) && !drain_event(b), "%s: nothing is left", name);
	MUST(!unwire(bell, a));
	signal_event(a, 4);
	ok(counts(bell, 1000000000015) && drain_event(a) == 4,
	   "%s: unwired, it keeps what is written", name);

	signal_event(s, 60);
	MUST(!wire(bell, s));
	ok(counts(bell, 1000000000075), "%s: a semaphore", name);
	signal_event(s, 100);
	usleep(10000);
	n = count_of(bell) - 1000000000075;
	ok(n == 64 && drain_event(s) == 36, "%s: 64 of a semaphore at once",
	   name);

	MUST(!wire(other, b));
	signal_event(b, 10);
	usleep(10000);
	ok(count_of(bell) + count_of(other) == 1000000000149,
	   "%s: two bells on one eventfd: one gets it", name);

	get_stats(bell, &st);
	ok(st.wires == 2 && !st.hangups && st.rings >= 5 && st.handled &&
	   st.handled <= st.rings && st.cycles_khz && !st.reserved[0] &&
	   !st.reserved[3], "%s: statistics", name);
	ok(!!st.worker_pid == (mode != VHOST_DOORBELL_BELL_HOOK),
	   "%s: process id of the worker", name);
	ok(read(bell, &n, 8) == 8 && n == st.count, "%s: read", name);
	close(a);
	close(b);
	close(s);
	close(bell);
	close(other);
}

static void test_hangup(__u32 mode)
{
	int bell = mkbell(mode), a = mkevent(0), b = dup(a);
	struct vhost_doorbell_bell_stats st;

	MUST(b >= 0 && !wire(bell, a));
	close(a);
	signal_event(b, 2);
	get_stats(bell, &st);
	ok(counts(bell, 2) && st.wires == 1 && !st.hangups,
	   "%s: one of two descriptors closed", modes[mode]);
	close(b);
	get_stats(bell, &st);
	ok(!st.wires && st.hangups == 1, "%s: a hang-up ends the wire",
	   modes[mode]);
	ok(counts(bell, 2), "%s: what was counted stays", modes[mode]);
	close(bell);
}

static void test_page(__u32 mode)
{
	int bell = mkbell(mode), a = mkevent(0);
	struct vhost_doorbell_bell_stats st;
	volatile struct vhost_doorbell_bell_page *page;
	__u64 samples, sum = 0;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bell, 0);
	MUST(page != MAP_FAILED && !wire(bell, a));
	signal_event(a, 1);
	MUST(counts(bell, 1));
	get_stats(bell, &st);
	ok(page->count == 1 && page->entered, "%s: the page", modes[mode]);
	ok(st.samples == (mode != VHOST_DOORBELL_BELL_HOOK),
	   "%s: without a stamp, from the signal if that is not now",
	   modes[mode]);
	samples = st.samples;
	page->stamp = __builtin_ia32_rdtsc();
	signal_event(a, 1);
	MUST(counts(bell, 2));
	get_stats(bell, &st);
	for (unsigned int i = 0; i < VHOST_DOORBELL_BELL_BUCKETS; i++)
		sum += st.hist[i];
	ok(st.samples == samples + 1 && sum == st.samples && st.min_ns &&
	   st.min_ns <= st.max_ns && st.sum_ns >= st.max_ns &&
	   st.max_ns < 10000000000ULL, "%s: with a stamp", modes[mode]);
	ok(!page->stamp, "%s: the stamp is taken", modes[mode]);
	page->stamp = ~0ULL;
	signal_event(a, 1);
	MUST(counts(bell, 3));
	samples = st.samples;
	get_stats(bell, &st);
	ok(st.samples == samples, "%s: a stamp of the future is no time",
	   modes[mode]);
	close(bell);
	ok(page->count == 3, "%s: a mapping keeps the bell", modes[mode]);
	signal_event(a, 1);
	for (int i = 0; i < 2000 && page->count < 4; i++)
		usleep(1000);
	ok(page->count == 4, "%s: which goes on counting", modes[mode]);
	munmap((void *)page, PAGE);
	signal_event(a, 1);
	ok(drain_event(a) == 1, "%s: and not after that", modes[mode]);
	close(a);
}

/* --- poll() and the mark --- */

struct waiter {
	int		bell;
	volatile bool	woken;
	bool		epoll;
};

static void *wait_thread(void *data)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct waiter *w = data;
	int ep;

	if (!w->epoll) {
		struct pollfd p = { .fd = w->bell, .events = POLLIN };

		w->woken = poll(&p, 1, -1) == 1 && p.revents == POLLIN;
		return NULL;
	}
	ep = epoll_create1(0);
	MUST(ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, w->bell, &ev));
	w->woken = epoll_wait(ep, &ev, 1, -1) == 1 && ev.events == EPOLLIN;
	close(ep);
	return NULL;
}

static bool readable(int bell)
{
	struct pollfd p = { .fd = bell, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_wait(__u32 mode, bool epoll)
{
	struct waiter w = { .bell = mkbell(mode), .epoll = epoll };
	const char *how = epoll ? "epoll" : "poll", *name = modes[mode];
	int a = mkevent(0);
	pthread_t thread;
	__u64 mark = 5, n;

	MUST(!wire(w.bell, a));
	ok(!readable(w.bell), "%s: %s: nothing yet", name, how);
	MUST(!ioctl(w.bell, VHOST_DOORBELL_BELL_SET_MARK, &mark));
	MUST(!pthread_create(&thread, NULL, wait_thread, &w));
	signal_event(a, 5);
	MUST(counts(w.bell, 5));
	usleep(50000);
	ok(!w.woken, "%s: %s: the mark is reached, not passed", name, how);
	signal_event(a, 1);
	MUST(!pthread_join(thread, NULL));
	ok(w.woken, "%s: %s: the mark is passed", name, how);
	ok(readable(w.bell), "%s: %s: and stays so", name, how);
	MUST(read(w.bell, &n, 8) == 8 && n == 6);
	ok(!readable(w.bell), "%s: %s: read moves the mark", name, how);

	/* Lowering the mark wakes the waiter. */
	w.woken = false;
	mark = 100;
	MUST(!ioctl(w.bell, VHOST_DOORBELL_BELL_SET_MARK, &mark));
	MUST(!pthread_create(&thread, NULL, wait_thread, &w));
	usleep(20000);
	mark = 0;
	MUST(!ioctl(w.bell, VHOST_DOORBELL_BELL_SET_MARK, &mark));
	MUST(!pthread_join(thread, NULL));
	ok(w.woken, "%s: %s: a lower mark", name, how);
	close(w.bell);
	close(a);
}

/* --- several threads --- */

struct ringer {
	int		 bell;		/* if @event is -1, ring this bell by ioctl */
	int		 event;
	unsigned long	 n;
	volatile bool	*stop;		/* if not NULL, ring until it is true */
	unsigned long	 done;
};

static void *ring_thread(void *data)
{
	struct ringer *r = data;

	while (r->stop ? !*r->stop : r->done < r->n) {
		if (r->event < 0)
			ring(r->bell, 1);
		else
			signal_event(r->event, 1);
		r->done++;
	}
	return NULL;
}

/* Half of the threads ring by ioctl, the others through an eventfd each. */
static void test_exact(__u32 mode, unsigned long total)
{
	struct ringer r[THREADS];
	pthread_t thread[THREADS];
	struct vhost_doorbell_bell_stats st;
	int bell = mkbell(mode);

	for (unsigned int i = 0; i < THREADS; i++) {
		r[i] = (struct ringer){ .bell = bell, .event = -1,
					.n = total / THREADS };
		if (i % 2) {
			r[i].event = mkevent(0);
			MUST(!wire(bell, r[i].event));
		}
		MUST(!pthread_create(&thread[i], NULL, ring_thread, &r[i]));
	}
	for (unsigned int i = 0; i < THREADS; i++)
		MUST(!pthread_join(thread[i], NULL));
	ok(counts(bell, total), "%s: %lu rings of %u threads", modes[mode],
	   total, THREADS);
	get_stats(bell, &st);
	ok(st.rings == total && st.handled <= total,
	   "%s: each of them was seen", modes[mode]);
	diag("%s: %llu rings, counted in %llu passes", modes[mode], st.rings,
	     st.handled);
	close(bell);
	for (unsigned int i = 1; i < THREADS; i += 2)
		close(r[i].event);
}

/* Two threads signal one eventfd while it is wired and unwired. */
static void test_rewire(__u32 mode, unsigned int rounds)
{
	volatile bool stop = false;
	struct ringer r[2];
	pthread_t thread[2];
	int bell = mkbell(mode), event = mkevent(0);
	__u64 left;

	for (unsigned int i = 0; i < 2; i++) {
		r[i] = (struct ringer){ .event = event, .stop = &stop };
		MUST(!pthread_create(&thread[i], NULL, ring_thread, &r[i]));
	}
	for (unsigned int i = 0; i < rounds; i++) {
		MUST(!wire(bell, event));
		MUST(!unwire(bell, event));
	}
	stop = true;
	for (unsigned int i = 0; i < 2; i++)
		MUST(!pthread_join(thread[i], NULL));
	left = drain_event(event);
	ok(counts(bell, r[0].done + r[1].done - left),
	   "%s: wired and unwired under load: none lost, none twice",
	   modes[mode]);
	diag("%s: %lu rings, %llu left in the eventfd", modes[mode],
	     r[0].done + r[1].done, left);
	close(bell);
	close(event);
}

/* Bells are closed and eventfds hang up while other threads signal. */
static void test_close(__u32 mode, unsigned int rounds)
{
	volatile bool stop = false;
	int event = mkevent(0);
	struct ringer r = { .event = event, .stop = &stop };
	pthread_t thread;
	__u64 sum = 0;

	MUST(!pthread_create(&thread, NULL, ring_thread, &r));
	for (unsigned int i = 0; i < rounds; i++) {
		int bell = mkbell(mode), fleeting = mkevent(0);

		MUST(!wire(bell, event) && !wire(bell, fleeting));
		signal_event(fleeting, 1);
		close(fleeting);
		usleep(100);
		MUST(!unwire(bell, event));
		/* Give the bell time to count all earlier signals. */
		usleep(1000);
		sum += count_of(bell) - 1;
		MUST(!wire(bell, event) && !unwire(bell, event));
		MUST(!wire(bell, event));
		close(bell);
	}
	stop = true;
	MUST(!pthread_join(thread, NULL));
	ok(sum && sum <= r.done, "%s: bells closed under load", modes[mode]);
	close(event);
}

/* The ringing process is killed while its pass is pending. */
static void test_killed(__u32 mode, unsigned int rounds)
{
	int bell = mkbell(mode), event = mkevent(0);
	bool good = true;

	MUST(!wire(bell, event));
	for (unsigned int i = 0; i < rounds; i++) {
		__u64 before = count_of(bell);
		pid_t pid = fork();

		MUST(pid >= 0);
		if (!pid) {
			for (;;)
				signal_event(event, 1);
		}
		for (int k = 0; k < 1000 && count_of(bell) == before; k++)
			usleep(1000);
		good &= count_of(bell) > before;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	ok(good && !drain_event(event), "%s: ringers killed", modes[mode]);
	close(bell);
	close(event);
}

int main(void)
{
	unsigned long slow = tap_factor() > 1 ? 50 : 1;

	tap_begin(150);
	control = open("/dev/vhost-doorbell", O_RDWR | O_CLOEXEC);
	MUST(control >= 0);
	test_rules();
	for (__u32 mode = 0; mode < ARRAY_SIZE(modes); mode++) {
		test_counts(mode);
		test_hangup(mode);
		test_page(mode);
		test_wait(mode, false);
		test_wait(mode, true);
		/* Hook mode rings fastest, so it gets the full number. */
		test_exact(mode, (mode ? 1000000 : 10000000) / slow);
		test_rewire(mode, 2000 / slow);
		test_close(mode, mode ? 50 : 200 / slow);
		test_killed(mode, 10);
	}
	close(control);
	return tap_end();
}
