// SPDX-License-Identifier: GPL-2.0
/*
 * faults DISK disk|all - fail each allocation and each copy of user memory once
 *
 * The kernel fails the Nth place where a call could fail (/proc/thread-self/fail-nth), for
 * N = 1, 2, 3 ... until the call has no such place left. Each such call must give an errno or
 * succeed; the same call without a fault must then succeed, and the device must serve. The
 * same is done to the thread that rings, in which the module serves requests inline, and to
 * the worker: the driver must get a status. With "disk" cards and bells are left out.
 */
#include <sys/syscall.h>

#include "driver.h"

#define LOG		0x33000000UL
#define LOG_SIZE	((GPA + MEM_LEN) / PAGE / 8)
#define KEPT		0x34000000UL
#define KEPT_SIZE	0x10000UL
/* No call has so many places. */
#define MOST		400

static int nth = -1, dev = -1, bell = -1;
static unsigned int in_all, inline_with_fault;

/* The thread is that of @fd, a file fail-nth. */
static void arm(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	MUST(pwrite(fd, text, len, 0) == len);
}

/* Ends that. Returns whether a fault was injected. */
static bool disarm(int fd)
{
	char text[16] = "";
	/*
	 * These copy user memory, too, so they can meet the fault. Then there was none
	 * before, and there will be none.
	 */
	bool known = pread(fd, text, sizeof(text) - 1, 0) > 0;

	if (pwrite(fd, "0", 1, 0) != 1)
		MUST(pwrite(fd, "0", 1, 0) == 1);
	return known && text[0] == '0';
}

/* --- calls --- */

struct step {
	const char	*name;
	int		(*call)(void);
};

static int step_open(void)
{
	dev = open("/dev/vhost-doorbell", O_RDWR | O_CLOEXEC);
	return dev < 0 ? -1 : 0;
}

static int step_owner(void)
{
	return ioctl(dev, VHOST_SET_OWNER);
}

static int step_blk(void)
{
	return set_blk(dev, FD_DISK);
}

static int step_features(void)
{
	return set_features(dev, 1ULL << VIRTIO_F_VERSION_1);
}

static int step_table(void)
{
	return ioctl(dev, VHOST_SET_MEM_TABLE, driver_table());
}

static int step_exec(void)
{
	return set_mode(dev, VHOST_DOORBELL_MODE_AUTO);
}

static int step_num(void)
{
	return set_state(dev, VHOST_SET_VRING_NUM, 0, NUM);
}

static int step_addr(void)
{
	return set_addr(dev, 0);
}

static int step_base(void)
{
	return set_state(dev, VHOST_SET_VRING_BASE, 0, 0);
}

static int step_call(void)
{
	return set_file(dev, VHOST_SET_VRING_CALL, 0, FD_CALL);
}

static int step_err(void)
{
	return set_file(dev, VHOST_SET_VRING_ERR, 0, FD_ERR);
}

static int step_kick(void)
{
	return set_file(dev, VHOST_SET_VRING_KICK, 0, FD_KICK);
}

static int step_inflight(void)
{
	struct vhost_doorbell_inflight arg = { .user_addr = KEPT, .size = KEPT_SIZE };

	return ioctl(dev, VHOST_DOORBELL_SET_INFLIGHT, &arg);
}

static int step_log(void)
{
	struct vhost_doorbell_log arg = { .user_addr = LOG, .size = LOG_SIZE };

	return ioctl(dev, VHOST_DOORBELL_SET_LOG, &arg);
}

static int step_run(void)
{
	return set_run(dev, 0, 1);
}

static int step_table_again(void)
{
	return ioctl(dev, VHOST_SET_MEM_TABLE, driver_table());
}

static int step_stats(void)
{
	struct vhost_doorbell_stats stats = { 0 };

	return ioctl(dev, VHOST_DOORBELL_GET_STATS, &stats);
}

static int step_resize(void)
{
	__u64 size;

	return ioctl(dev, VHOST_DOORBELL_RESIZE, &size);
}

static int step_stop(void)
{
	return set_run(dev, 0, 0);
}

static int step_net(void)
{
	struct vhost_doorbell_net arg = { .num_pairs = 1 };

	return ioctl(dev, VHOST_DOORBELL_SET_NET, &arg);
}

static int step_net_dev(void)
{
	struct vhost_doorbell_net_dev arg = { .name = "fault%d" };

	return ioctl(dev, VHOST_DOORBELL_SET_NET_DEV, &arg);
}

static int step_net_stats(void)
{
	struct vhost_doorbell_net_stats arg = { 0 };

	return ioctl(dev, VHOST_DOORBELL_GET_NET_STATS, &arg);
}

static int step_bell(void)
{
	struct vhost_doorbell_bell arg = { .mode = 0 };

	bell = ioctl(dev, VHOST_DOORBELL_CREATE_BELL, &arg);
	return bell < 0 ? -1 : 0;
}

static int step_wire(void)
{
	struct vhost_doorbell_bell_wire arg = { .fd = FD_ERR + 1 };

	return ioctl(bell, VHOST_DOORBELL_BELL_WIRE, &arg);
}

static int step_unwire(void)
{
	struct vhost_doorbell_bell_wire arg = { .fd = FD_ERR + 1 };

	return ioctl(bell, VHOST_DOORBELL_BELL_UNWIRE, &arg);
}

static const struct step disk_steps[] = {
	{ "open", step_open },
	{ "SET_OWNER", step_owner },
	{ "SET_BLK", step_blk },
	{ "SET_FEATURES", step_features },
	{ "SET_MEM_TABLE", step_table },
	{ "SET_EXEC", step_exec },
	{ "SET_VRING_NUM", step_num },
	{ "SET_VRING_ADDR", step_addr },
	{ "SET_VRING_BASE", step_base },
	{ "SET_VRING_CALL", step_call },
	{ "SET_VRING_ERR", step_err },
	{ "SET_VRING_KICK", step_kick },
	{ "SET_INFLIGHT", step_inflight },
	{ "SET_LOG", step_log },
	{ "SET_RUN: start", step_run },
	{ "SET_MEM_TABLE of a running queue", step_table_again },
	{ "GET_STATS", step_stats },
	{ "RESIZE", step_resize },
	{ "SET_RUN: stop", step_stop },
	{ "SET_RUN: start again", step_run },
	{ }
};

static const struct step card_steps[] = {
	{ "open", step_open },
	{ "SET_OWNER", step_owner },
	{ "SET_NET", step_net },
	{ "SET_FEATURES", step_features },
	{ "SET_MEM_TABLE", step_table },
	{ "SET_NET_DEV", step_net_dev },
	{ "SET_VRING_NUM", step_num },
	{ "SET_VRING_ADDR", step_addr },
	{ "SET_VRING_BASE", step_base },
	{ "SET_VRING_KICK", step_kick },
	{ "SET_RUN: start", step_run },
	{ "GET_NET_STATS", step_net_stats },
	{ "SET_RUN: stop", step_stop },
	{ }
};

static const struct step bell_steps[] = {
	{ "open", step_open },
	{ "CREATE_BELL", step_bell },
	{ "BELL_WIRE", step_wire },
	{ "BELL_UNWIRE", step_unwire },
	{ }
};

static void all_close(void)
{
	if (bell >= 0)
		close(bell);
	if (dev >= 0)
		close(dev);
	bell = -1;
	dev = -1;
}

static bool disk_serves(void)
{
	return driver_works(0);
}

static bool is_open(void)
{
	return dev >= 0;
}

/* Makes all calls; the Nth place of call @at fails. Returns what is wrong, or NULL. */
static const char *once(const struct step *steps, unsigned int at, unsigned int n,
			bool (*good)(void), bool *injected)
{
	const char *wrong = NULL;
	unsigned int i;
	int ret;

	driver_reset();
	memset((void *)KEPT, 0, KEPT_SIZE);
	for (i = 0; steps[i].name && !wrong; i++) {
		if (i != at) {
			if (steps[i].call())
				wrong = steps[i].name;
			continue;
		}
		arm(nth, n);
		ret = steps[i].call();
		*injected = disarm(nth);
		if (ret && !*injected)
			wrong = "an error without a fault";
		else if (ret && steps[i].call())
			wrong = "the same call without a fault fails";
	}
	if (!wrong && !good())
		wrong = "it does not serve";
	all_close();
	return wrong;
}

static void try_steps(const char *what, const struct step *steps, bool (*good)(void))
{
	unsigned int at, n;

	for (at = 0; steps[at].name; at++) {
		const char *wrong = NULL;
		bool injected = true;

		for (n = 1; n < MOST && !wrong; n++) {
			wrong = once(steps, at, n, good, &injected);
			if (!injected)
				break;
		}
		in_all += n - 1;
		ok(!wrong && n < MOST, "%s, %s: %u faults%s%s", what, steps[at].name, n - 1,
		   wrong ? ": " : "", wrong ?: "");
	}
}

/* --- requests --- */

struct request {
	const char	*name;
	__u32		type;
	__u32		offset;		/* of the data in a page */
	__u32		len;
};

static const struct request requests[] = {
	{ "a read", VIRTIO_BLK_T_IN, 0, PAGE },
	{ "a write", VIRTIO_BLK_T_OUT, 0, PAGE },
	{ "a read into no whole sectors", VIRTIO_BLK_T_IN, 100, PAGE },
	{ "a write from no whole sectors", VIRTIO_BLK_T_OUT, 100, PAGE },
	{ "a read of 512 KiB", VIRTIO_BLK_T_IN, 0, 512 << 10 },
	{ "a write of 512 KiB", VIRTIO_BLK_T_OUT, 0, 512 << 10 },
	{ "a flush", VIRTIO_BLK_T_FLUSH, 0, 0 },
	{ "GET_ID", VIRTIO_BLK_T_GET_ID, 0, 20 },
};

struct victim {
	const char	*name;
	unsigned int	mode;
	bool		worker;		/* faults hit the worker, not the thread that rings */
	bool		pinned;		/* the request's memory is pinned before */
};

/* A request whose memory is not pinned goes through the worker. */
static const struct victim victims[] = {
	{ "inline", VHOST_DOORBELL_MODE_INLINE, false, true },
	{ "auto", VHOST_DOORBELL_MODE_AUTO, false, true },
	{ "worker", VHOST_DOORBELL_MODE_WORKER, true, true },
	{ "worker that pins", VHOST_DOORBELL_MODE_WORKER, true, false },
};

/* The data are beyond the parts of the queues. */
#define LARGE	(4UL << 20)

static void add(const struct request *r)
{
	driver_add_at(0, r->type, 0, GPA, LARGE + r->offset, r->len);
}

static int worker_nth(void)
{
	char path[64];
	int fd;

	MUST(UNTIL(get_stats(dev, 0).worker_pid));
	snprintf(path, sizeof(path), "/proc/%1$llu/task/%1$llu/fail-nth",
		 (unsigned long long)get_stats(dev, 0).worker_pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	MUST(fd >= 0);
	return fd;
}

static const char *ring_once(const struct request *r, const struct victim *v, unsigned int n,
			     bool *injected)
{
	const char *wrong = NULL;
	int status, fd = nth;
	__u64 passes;

	dev = dev_new(READY);
	MUST(!set_mode(dev, v->mode));
	MUST(!set_run(dev, 0, 1));
	if (v->pinned) {
		add(r);
		eventfd_write(FD_KICK, 1);
		MUST(driver_wait(0) == VIRTIO_BLK_S_OK);
	}
	if (v->worker)
		fd = worker_nth();
	passes = get_stats(dev, 0).inline_passes;
	add(r);
	arm(fd, n);
	status = eventfd_write(FD_KICK, 1);
	/* Inline the request has been submitted now. The worker completes it, too. */
	if (v->worker)
		UNTIL(driver_done(0));
	*injected = disarm(fd);
	inline_with_fault += get_stats(dev, 0).inline_passes > passes;
	if (v->worker)
		close(fd);
	/* The signal itself has a place that fails. */
	if (status)
		eventfd_write(FD_KICK, 1);
	status = driver_wait(0);
	if (status != VIRTIO_BLK_S_OK && (!*injected || status != VIRTIO_BLK_S_IOERR))
		wrong = status < 0 ? "no answer" : "another status";
	else if (!driver_works(0))
		wrong = "it does not serve";
	all_close();
	return wrong;
}

static void try_ring(const struct request *r, const struct victim *v)
{
	const char *wrong = NULL;
	bool injected = true;
	unsigned int n;

	for (n = 1; n < MOST && !wrong; n++) {
		wrong = ring_once(r, v, n, &injected);
		if (!injected)
			break;
	}
	in_all += n - 1;
	ok(!wrong && n < MOST, "%s, %s: %u faults%s%s", v->name, r->name, n - 1,
	   wrong ? ": " : "", wrong ?: "");
}

int main(int argc, char **argv)
{
	unsigned int i, j;

	if (argc != 3)
		return 2;
	tap_begin(240);
	driver_init();
	fd_at(FD_DISK, open(argv[1], O_RDWR));
	MUST(mmap((void *)LOG, LOG_SIZE, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)LOG);
	MUST(mmap((void *)KEPT, KEPT_SIZE, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)KEPT);
	nth = open("/proc/thread-self/fail-nth", O_RDWR);
	MUST(nth >= 0);
	try_steps("disk", disk_steps, disk_serves);
	if (!strcmp(argv[2], "all")) {
		try_steps("card", card_steps, is_open);
		try_steps("bell", bell_steps, is_open);
	}
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		for (j = 0; j < sizeof(victims) / sizeof(victims[0]); j++)
			try_ring(&requests[i], &victims[j]);
	}
	ok(in_all > 50, "%u faults were injected in all", in_all);
	ok(inline_with_fault > 0, "%u passes inline were to meet a fault", inline_with_fault);
	return tap_end();
}
