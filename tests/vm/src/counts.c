// SPDX-License-Identifier: GPL-2.0
/*
 * counts NAME DISK GOOD BAD HALF - histograms and errors of a queue, and that
 * they can be read while a stop waits for the disk
 *
 * DISK is the device-mapper device NAME. GOOD and BAD are tables for it: with
 * GOOD all of it works, with BAD everything from sector HALF on fails. The disk
 * supports discards and write zeroes.
 */
#include <pthread.h>

#include "args.h"
#include "driver.h"

static const char *name, *good, *bad;

static void dm(const char *what, const char *table)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "dmsetup --noudevsync %s %s%s%s%s", what,
		 name, table ? " --table \"" : "", table ?: "",
		 table ? "\"" : "");
	MUST(!system(cmd));
}

static void set_table(const char *table)
{
	dm("suspend", NULL);
	dm("reload", table);
	dm("resume", NULL);
}

static struct vhost_doorbell_hist get_hist(int dev, unsigned int kind)
{
	struct vhost_doorbell_hist h = { .kind = kind };

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_HIST, &h));
	return h;
}

static struct vhost_doorbell_errors get_errors(int dev)
{
	struct vhost_doorbell_errors e = { 0 };

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_ERRORS, &e));
	return e;
}

static __u64 buckets(const struct vhost_doorbell_hist *h)
{
	__u64 n = 0;
	int i;

	for (i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++)
		n += h->buckets[i];
	return n;
}

static __u64 lowest(unsigned int n)
{
	return n < 4 ? n : (4ULL + n % 4) << (n / 4 - 1);
}

/*
 * Is the histogram consistent? The sum must be possible with these buckets, and
 * the maximum must lie in the last used one.
 */
static bool sound(const struct vhost_doorbell_hist *h)
{
	__u64 low = 0, high = 0;
	int i, last = -1;

	for (i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++) {
		low += h->buckets[i] * lowest(i);
		high += h->buckets[i] * (lowest(i + 1) - 1);
		if (h->buckets[i])
			last = i;
	}
	if (last < 0)
		return !h->sum && !h->max && !h->count;
	return low <= h->sum && h->sum <= high && lowest(last) <= h->max &&
	       h->max < lowest(last + 1);
}

static int send_range(__u32 type, __u64 sector)
{
	struct virtio_blk_discard_write_zeroes *range =
		(void *)(MEM + DATA(0));

	*range = (struct virtio_blk_discard_write_zeroes){
		.sector = sector, .num_sectors = 8,
	};
	return driver_send(0, type, 0, sizeof(*range));
}

static const unsigned int wanted[] = {
	[VHOST_DOORBELL_KIND_READ] = 50,
	[VHOST_DOORBELL_KIND_WRITE] = 40,
	[VHOST_DOORBELL_KIND_FLUSH] = 7,
	[VHOST_DOORBELL_KIND_DISCARD] = 5,
	[VHOST_DOORBELL_KIND_ZEROES] = 3,
	[VHOST_DOORBELL_KIND_OTHER] = 2,
};

#define KINDS	(sizeof(wanted) / sizeof(*wanted))

static int send_kind(unsigned int kind)
{
	switch (kind) {
	case VHOST_DOORBELL_KIND_READ:
		return driver_send(0, VIRTIO_BLK_T_IN, 8, 4096);
	case VHOST_DOORBELL_KIND_WRITE:
		return driver_send(0, VIRTIO_BLK_T_OUT, 8, 4096);
	case VHOST_DOORBELL_KIND_FLUSH:
		return driver_send(0, VIRTIO_BLK_T_FLUSH, 0, 0);
	case VHOST_DOORBELL_KIND_DISCARD:
		return send_range(VIRTIO_BLK_T_DISCARD, 8);
	case VHOST_DOORBELL_KIND_ZEROES:
		return send_range(VIRTIO_BLK_T_WRITE_ZEROES, 8);
	default:
		return driver_send(0, VIRTIO_BLK_T_GET_ID, 0, 20);
	}
}

static int start(void)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = QUEUES,
		.flags = VHOST_DOORBELL_BLK_F_NOWAIT |
			 VHOST_DOORBELL_BLK_F_DISCARD |
			 VHOST_DOORBELL_BLK_F_WRITE_ZEROES,
	};
	int dev = dev_new(OWNED), q;

	MUST(!ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk));
	driver_reset();
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1 |
				1ULL << VIRTIO_BLK_F_FLUSH |
				1ULL << VIRTIO_BLK_F_DISCARD |
				1ULL << VIRTIO_BLK_F_WRITE_ZEROES));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
	for (q = 0; q < QUEUES; q++) {
		dev_set_queue(dev, q);
		MUST(!set_run(dev, q, 1));
	}
	return dev;
}

static bool fdinfo_line(int dev, const char *begins, char *line, int size)
{
	char path[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev);
	f = fopen(path, "r");
	MUST(f);
	while (!found && fgets(line, size, f))
		found = !strncmp(line, begins, strlen(begins));
	fclose(f);
	return found;
}

static void test_sums(int dev)
{
	struct vhost_doorbell_hist h;
	__u64 sum = 0;
	unsigned int kind, i;
	char line[4096];

	ok(!fdinfo_line(dev, "hist0-", line, sizeof(line)) &&
	   !fdinfo_line(dev, "errors0", line, sizeof(line)),
	   "fdinfo has no empty histogram");
	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < wanted[kind]; i++)
			MUST(send_kind(kind) == VIRTIO_BLK_S_OK);
	}
	for (kind = 0; kind < KINDS; kind++) {
		h = get_hist(dev, kind);
		sum += h.count;
		if (!ok(UNTIL((h = get_hist(dev, kind)).count == wanted[kind]) &&
			buckets(&h) == wanted[kind] && sound(&h) && h.sum,
			"kind %u: the buckets hold all requests", kind))
			diag("%llu, %llu, sum %llu, max %llu", h.count,
			     buckets(&h), h.sum, h.max);
	}
	ok(sum == get_stats(dev, 0).completed, "of all kinds: all that completed");
	MUST(fdinfo_line(dev, "hist0-read:", line, sizeof(line)));
	h = get_hist(dev, VHOST_DOORBELL_KIND_READ);
	snprintf(line + 2048, 2048, "hist0-read:\tcount=50 sum=%llu max=%llu ",
		 h.sum, h.max);
	ok(!strncmp(line, line + 2048, strlen(line + 2048)),
	   "fdinfo tells the same");
	MUST(!set_run(dev, 0, 0) && !set_run(dev, 0, 1));
	ok(get_hist(dev, VHOST_DOORBELL_KIND_READ).count == 50,
	   "histograms survive a stop");
	driver_avail[0] = ((struct vring_used *)USED(0))->idx;
}

static void test_errors(int dev, __u64 half)
{
	struct vhost_doorbell_errors e = get_errors(dev);
	char line[4096], want[128];
	unsigned int i;

	ok(!e.last_time && e.last_sector == VHOST_DOORBELL_NO_SECTOR &&
	   !e.oldest_ns && !e.held, "no errors at first");
	set_table(bad);
	for (i = 0; i < 3; i++)
		MUST(driver_send(0, VIRTIO_BLK_T_IN, half + 16, 4096) ==
		     VIRTIO_BLK_S_IOERR);
	e = get_errors(dev);
	ok(e.failed[VHOST_DOORBELL_KIND_READ][VHOST_DOORBELL_CAUSE_IO] == 3 &&
	   e.last_sector == half + 16 && e.last_errno == EIO &&
	   e.last_kind == VHOST_DOORBELL_KIND_READ &&
	   e.last_cause == VHOST_DOORBELL_CAUSE_IO &&
	   e.last_status == VIRTIO_BLK_S_IOERR,
	   "the disk failed reads: how many, and where");
	MUST(driver_send(0, VIRTIO_BLK_T_OUT, half + 64, 4096) ==
	     VIRTIO_BLK_S_IOERR);
	e = get_errors(dev);
	ok(e.failed[VHOST_DOORBELL_KIND_WRITE][VHOST_DOORBELL_CAUSE_IO] == 1 &&
	   e.last_sector == half + 64 &&
	   e.last_kind == VHOST_DOORBELL_KIND_WRITE, "and a write");
	ok(e.last_time / 1000000000 >= (__u64)time(NULL) - 60 &&
	   e.last_time / 1000000000 <= (__u64)time(NULL), "and when");
	MUST(driver_send(0, 99, 0, 512) == VIRTIO_BLK_S_UNSUPP);
	MUST(driver_send(0, VIRTIO_BLK_T_IN, 4 * half, 512) ==
	     VIRTIO_BLK_S_IOERR);
	e = get_errors(dev);
	ok(e.failed[VHOST_DOORBELL_KIND_OTHER][VHOST_DOORBELL_CAUSE_UNSUPP] == 1 &&
	   e.failed[VHOST_DOORBELL_KIND_READ][VHOST_DOORBELL_CAUSE_INVALID] == 1 &&
	   e.last_sector == 4 * half && !e.last_errno,
	   "the device refused what the disk was not asked for");
	ok(get_stats(dev, 0).errors == 6, "the sum is that of the errors");
	snprintf(want, sizeof(want),
		 "errors0:\terrors=6 read-io=3 read-invalid=1 write-io=1 other-unsupp=1 last_kind=read last_cause=invalid last_sector=%llu ",
		 4 * half);
	ok(fdinfo_line(dev, "errors0:", line, sizeof(line)) &&
	   !strncmp(line, want, strlen(want)), "fdinfo tells the same");
	set_table(good);
}

static void *stop(void *dev)
{
	return (void *)(long)set_run((long)dev, 0, 0);
}

/*
 * A stop holds the device's lock as long as the disk takes; readers must not
 * wait for it.
 */
static void test_busy(int dev)
{
	struct vhost_doorbell_mem_stats mem = { 0 };
	struct vhost_doorbell_exec exec = { 0 };
	struct vhost_doorbell_info info = { 0 };
	struct vhost_doorbell_errors a, b;
	struct vhost_doorbell_hist h;
	char line[4096];
	pthread_t thread;
	void *ret;

	dm("suspend", NULL);
	driver_add_at(0, VIRTIO_BLK_T_IN, 8, GPA, DATA(0), 4096);
	eventfd_write(FD_KICK, 1);
	MUST(UNTIL(get_stats(dev, 0).in_flight == 1));
	MUST(!pthread_create(&thread, NULL, stop, (void *)(long)dev));
	MUST(UNTIL(fdinfo_line(dev, "state:\tstopping\n", line, sizeof(line))));
	a = get_errors(dev);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	b = get_errors(dev);
	ok(a.oldest_ns && b.oldest_ns >= a.oldest_ns + 50000000 &&
	   b.oldest_ns < 60000000000,
	   "a stop waits: the age of the oldest request grows");
	h = get_hist(dev, VHOST_DOORBELL_KIND_READ);
	ok(get_stats(dev, 0).in_flight == 1 && h.count == buckets(&h) &&
	   !ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &mem) && mem.regions == 1 &&
	   !ioctl(dev, VHOST_DOORBELL_GET_EXEC, &exec) && exec.budget &&
	   !ioctl(dev, VHOST_DOORBELL_GET_INFO, &info) && info.max_queues,
	   "a stop waits: all that only reads is answered");
	ok(fdinfo_line(dev, "flight0:\toldest_ns=", line, sizeof(line)) &&
	   fdinfo_line(dev, "backend:\tblk\n", line, sizeof(line)) &&
	   fdinfo_line(dev, "hist0-read:", line, sizeof(line)),
	   "a stop waits: fdinfo tells all");
	ok(pthread_tryjoin_np(thread, &ret) == EBUSY, "a stop waits still");
	dm("resume", NULL);
	MUST(!pthread_join(thread, &ret));
	ok(!ret && driver_done(0) && !get_errors(dev).oldest_ns,
	   "the disk answers: nothing is in flight");
	h = get_hist(dev, VHOST_DOORBELL_KIND_READ);
	ok(h.max >= b.oldest_ns && sound(&h),
	   "and that request was the slowest read");
}

/* --- readers while queues start and stop --- */

static bool over;

static void *read_all(void *dev)
{
	char line[4096];

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		get_errors((long)dev);
		get_hist((long)dev, VHOST_DOORBELL_KIND_WRITE);
		fdinfo_line((long)dev, "none", line, sizeof(line));
	}
	return NULL;
}

static void test_race(int dev)
{
	bool served = true;
	pthread_t thread;
	int i;

	MUST(!set_run(dev, 1, 0));
	driver_reset();
	MUST(!set_state(dev, VHOST_SET_VRING_BASE, 0, 0));
	MUST(!set_state(dev, VHOST_SET_VRING_BASE, 1, 0));
	MUST(!pthread_create(&thread, NULL, read_all, (void *)(long)dev));
	for (i = 0; i < 40; i++) {
		MUST(!set_run(dev, 0, 1));
		served &= driver_works(0);
		MUST(!set_run(dev, 0, 0));
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	MUST(!pthread_join(thread, NULL));
	ok(served, "a queue starts, serves and stops while it is read");
}

int main(int argc, char **argv)
{
	__u64 half;
	int dev;

	tap_begin(60);
	MUST(argc == 6);
	name = argv[1];
	good = argv[3];
	bad = argv[4];
	half = arg_number("HALF", argv[5], UINT64_MAX);
	driver_init();
	fd_at(FD_DISK, open(argv[2], O_RDWR | O_DIRECT));
	dev = start();
	test_sums(dev);
	test_errors(dev, half);
	test_busy(dev);
	test_race(dev);
	close(dev);
	return tap_end();
}
