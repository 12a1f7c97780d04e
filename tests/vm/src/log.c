// SPDX-License-Identifier: GPL-2.0
/*
 * log - the dirty log as memory of a stranger: cut short, sealed and exchanged while in
 * use, and chains that would overrun what a device keeps for it
 */
#include <pthread.h>
#include <sys/resource.h>

#include "driver.h"

/* Two bitmaps, each with a file of its own */
#define LOG(i)		(0x33000000UL + (i) * 0x100000UL)
#define LOG_LEN		0x10000UL
#define FD_LOG(i)	(240 + (i))

/* Bits for each page up to the end of guest memory */
#define LOG_SIZE	((GPA + MEM_LEN) / PAGE / 8)

/* Entries of an indirect table, as many as a ring without limit of its own allows */
#define TABLE		1024

static int set_log(int dev, __u64 addr)
{
	struct vhost_doorbell_log log = {
		.user_addr = addr, .size = addr ? LOG_SIZE : 0,
	};

	return ioctl(dev, VHOST_DOORBELL_SET_LOG, &log) ? errno : 0;
}

static volatile __u8 *log_byte(int i, __u64 offset)
{
	return (volatile __u8 *)LOG(i) + (GPA + offset) / PAGE / 8;
}

static bool logged(int i, __u64 offset)
{
	return *log_byte(i, offset) >> (GPA + offset) / PAGE % 8 & 1;
}

/* Clears a bit as a VMM does. */
static void log_clear(int i, __u64 offset)
{
	__atomic_fetch_and(log_byte(i, offset),
			   ~(1U << (GPA + offset) / PAGE % 8), __ATOMIC_SEQ_CST);
}

static unsigned int log_bits(int i)
{
	unsigned int n = 0;

	for (size_t at = 0; at < LOG_SIZE; at++)
		n += __builtin_popcount(((volatile __u8 *)LOG(i))[at]);
	return n;
}

static void log_map(int i, int prot)
{
	MUST(mmap((void *)LOG(i), LOG_LEN, prot, MAP_SHARED | MAP_FIXED,
		  FD_LOG(i), 0) == (void *)LOG(i));
}

static void log_new(int i)
{
	fd_at(FD_LOG(i), memfd_create("log", MFD_ALLOW_SEALING));
	MUST(!ftruncate(FD_LOG(i), LOG_LEN));
	log_map(i, PROT_READ | PROT_WRITE);
}

static bool reads_bytes(unsigned int q, __u64 offset, __u32 len)
{
	driver_add_at(q, VIRTIO_BLK_T_IN, 0, GPA, offset, len);
	eventfd_write(FD_KICK + q, 1);
	return driver_wait(q) == VIRTIO_BLK_S_OK;
}

static bool reads(unsigned int q, __u64 offset)
{
	return reads_bytes(q, offset, 512);
}

/* --- a bitmap in a file that is too short, or is truncated while it is in use --- */

static void test_short(void)
{
	int dev = dev_new(RUNNING);

	log_new(0);
	MUST(!ftruncate(FD_LOG(0), 0));
	ok(set_log(dev, LOG(0)) == EFAULT, "a file with nothing in it: EFAULT");
	MUST(!ftruncate(FD_LOG(0), LOG_SIZE / 2));
	ok(set_log(dev, LOG(0)) == EFAULT, "a file that ends in the bitmap: EFAULT");
	ok(reads(0, DATA(0)) && reads(1, DATA(1)), "the queues serve");
	MUST(!ftruncate(FD_LOG(0), LOG_LEN));
	ok(!set_log(dev, LOG(0)) && reads(0, DATA(0)) && logged(0, DATA(0)),
	   "the same file, long enough, is a log");
	close(dev);
}

static void test_truncated(void)
{
	int dev = dev_new(RUNNING);
	struct vhost_doorbell_mem_stats st;

	log_new(0);
	MUST(!set_log(dev, LOG(0)));
	MUST(!ftruncate(FD_LOG(0), 0));
	ok(reads(0, DATA(0)) && reads(1, DATA(1)),
	   "cut short while in use: the queues serve");
	MUST(!ftruncate(FD_LOG(0), LOG_LEN));
	ok(reads(0, DATA(0) + PAGE) && !log_bits(0),
	   "what comes in its place is not written to");
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &st));
	ok(st.logged >= 4, "though it is logged: %llu pages",
	   (unsigned long long)st.logged);
	ok(!set_log(dev, LOG(0)) && reads(0, DATA(0) + PAGE) &&
	   logged(0, DATA(0) + PAGE), "but by the next SET_LOG");
	close(dev);
}

/* --- a file that is sealed --- */

static void test_sealed(void)
{
	int dev = dev_new(RUNNING);

	log_new(0);
	MUST(!fcntl(FD_LOG(0), F_ADD_SEALS,
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE));
	ok(!set_log(dev, LOG(0)) && reads(0, DATA(0)) && logged(0, DATA(0)),
	   "a file whose size is sealed is a log");
	ok(fcntl(FD_LOG(0), F_ADD_SEALS, F_SEAL_WRITE) && errno == EBUSY,
	   "no one can seal it against the device");
	MUST(!munmap((void *)LOG(0), LOG_LEN));
	ok(fcntl(FD_LOG(0), F_ADD_SEALS, F_SEAL_WRITE) && errno == EBUSY,
	   "nor when it is not mapped any more");
	ok(reads(0, DATA(0)), "the queues serve");
	MUST(!set_log(dev, 0));
	ok(UNTIL(!fcntl(FD_LOG(0), F_ADD_SEALS, F_SEAL_WRITE)),
	   "but when the log has ended");
	log_map(0, PROT_READ);
	ok(set_log(dev, LOG(0)) == EFAULT, "a sealed file: EFAULT");
	ok(reads(0, DATA(0)) && reads(1, DATA(1)), "and the queues serve");
	close(dev);
}

/* --- a bitmap that is exchanged under load --- */

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile bool load_over;
static unsigned int load_done, load_missed, load_failed;

/* Each read must be in one of both bitmaps when it is done. */
static void *load_run(void *arg)
{
	(void)arg;
	for (unsigned int n = 0; !load_over; n++) {
		__u64 page = DATA(1) + (1 + n % 1000) * PAGE;

		pthread_mutex_lock(&load_lock);
		if (!reads(1, page))
			load_failed++;
		else if (!logged(0, page) && !logged(1, page))
			load_missed++;
		log_clear(0, page);
		log_clear(1, page);
		pthread_mutex_unlock(&load_lock);
		__atomic_add_fetch(&load_done, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
	return NULL;
}

static bool load_goes_on(void)
{
	unsigned int from = __atomic_load_n(&load_done, __ATOMIC_RELAXED);

	return UNTIL(__atomic_load_n(&load_done, __ATOMIC_RELAXED) >= from + 3);
}

static void test_swapped(void)
{
	int dev = dev_new(RUNNING), i;
	unsigned int stray = 0;
	pthread_t thread;
	bool good = true;

	log_new(0);
	log_new(1);
	MUST(!set_log(dev, LOG(0)));
	MUST(!pthread_create(&thread, NULL, load_run, NULL));
	for (i = 1; good && i <= 60; i++) {
		good = !set_log(dev, LOG(i & 1));
		pthread_mutex_lock(&load_lock);
		memset((void *)LOG(!(i & 1)), 0, LOG_SIZE);
		pthread_mutex_unlock(&load_lock);
		good = good && load_goes_on();
		stray += log_bits(!(i & 1));
	}
	load_over = true;
	pthread_join(thread, NULL);
	ok(good && !load_failed, "exchanged %d times while %u reads were served",
	   i - 1, load_done);
	ok(!load_missed, "each read is in the old bitmap or in the new one: %u are not",
	   load_missed);
	ok(!stray, "the old one is not written to: %u bits", stray);
	close(dev);
}

/* --- chains with many pieces of no length --- */

static int dev_new_indirect(void)
{
	int dev = dev_new(READY);

	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1 |
				1ULL << VIRTIO_RING_F_INDIRECT_DESC));
	for (int q = 0; q < QUEUES; q++)
		MUST(!set_run(dev, q, 1));
	return dev;
}

/*
 * A read by an indirect table: header, @n pieces of @len bytes and of none in turn if
 * @empty, and the status. They do not adjoin, so that each is a piece of its own.
 */
static void add_table(unsigned int n, __u32 len, bool empty)
{
	struct vring_desc *table = (void *)(MEM + DATA(0));
	struct virtio_blk_outhdr *hdr = (void *)(MEM + HDR(0));
	struct vring_avail *avail = (void *)AVAIL(0);
	__u64 data = GPA + DATA(1) + PAGE;
	unsigned int i;

	*hdr = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_IN };
	*(volatile __u8 *)(MEM + STATUS(0)) = 0xff;
	for (i = 0; i < n + 2; i++)
		table[i] = (struct vring_desc){
			.addr = data + i * PAGE,
			.len = empty && i % 2 ? 0 : len,
			.flags = VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
			.next = i + 1,
		};
	table[0] = (struct vring_desc){ GPA + HDR(0), sizeof(*hdr),
					VRING_DESC_F_NEXT, 1 };
	table[n + 1] = (struct vring_desc){ GPA + STATUS(0), 1,
					    VRING_DESC_F_WRITE, 0 };
	driver_desc(0, 0, GPA + DATA(0), (n + 2) * sizeof(*table),
		    VRING_DESC_F_INDIRECT);
	avail->ring[driver_avail[0]++ % NUM] = 0;
	__atomic_store_n(&avail->idx, driver_avail[0], __ATOMIC_SEQ_CST);
	eventfd_write(FD_KICK, 1);
}

static bool only_used_logged(void)
{
	unsigned int used = 0;

	for (unsigned int q = 0; q < QUEUES; q++)
		used += logged(0, USED(q) - MEM);
	return log_bits(0) == used;
}

/*
 * Does queue 0 break? Then no page is logged but those of used rings. The error is
 * signalled before the pass ends, which writes to the used ring once more.
 */
static bool breaks(void)
{
	return UNTIL(signalled(FD_ERR)) && !driver_done(0) &&
	       UNTIL(only_used_logged());
}

static void test_empty(unsigned int n, __u32 len)
{
	int dev = dev_new_indirect();

	log_new(0);
	MUST(!set_log(dev, LOG(0)));
	add_table(n, len, true);
	ok(breaks(), "%u pieces, each other one empty, %u bytes: the queue breaks",
	   n, len);
	ok(reads(1, DATA(1)) && logged(0, DATA(1)),
	   "and the other one serves and logs");
	close(dev);
}

/* As many pieces as a chain may have, and one more */
static void test_long(void)
{
	int dev = dev_new_indirect();
	unsigned int n = TABLE - 2, i, good = 0;

	log_new(0);
	MUST(!set_log(dev, LOG(0)));
	add_table(n, 512, false);
	MUST(driver_wait(0) == VIRTIO_BLK_S_OK);
	for (i = 1; i <= n; i++)
		good += logged(0, DATA(1) + PAGE + i * PAGE);
	ok(good == n, "%u pieces: %u of them are logged", n, good);
	memset((void *)LOG(0), 0, LOG_SIZE);
	add_table(n + 1, 512, false);
	ok(breaks(), "one piece more: the queue breaks");
	ok(reads(1, DATA(1)) && logged(0, DATA(1)), "and the other one serves");
	close(dev);
}

/* --- a limit of exactly the guest's size --- */

/* Uses all pages of guest memory that have no ring. */
static bool reads_everywhere(void)
{
	bool good = reads_bytes(0, RING(QUEUES), DISK_LEN - RING(QUEUES));

	for (unsigned int q = 0; q < QUEUES; q++)
		good &= reads_bytes(q, DATA(q), RING(1) - DATA(0));
	for (__u64 at = DISK_LEN; at < MEM_LEN; at += DISK_LEN)
		good &= reads_bytes(0, at, DISK_LEN);
	return good;
}

static unsigned long long pinned(int dev)
{
	struct vhost_doorbell_mem_stats st;

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &st));
	return st.pinned;
}

/*
 * The bitmap of QEMU is 1/32768 of the guest. Where the limit has no room for it, it is
 * pinned in place of data pages.
 */
static void test_exact_limit(void)
{
	struct rlimit limit = { MEM_LEN, MEM_LEN };
	unsigned long long before;
	int dev, i;

	MUST(!setrlimit(RLIMIT_MEMLOCK, &limit));
	MUST(!setuid(65534));
	dev = dev_new(RUNNING);
	log_new(0);
	log_new(1);
	MUST(reads_everywhere());
	before = pinned(dev);
	ok(!set_log(dev, LOG(0)), "a limit of the guest's size: the log begins");
	ok(pinned(dev) < before, "in place of data pages: %llu are pinned, then %llu",
	   before, pinned(dev));
	ok(reads_everywhere() && logged(0, DATA(1)) && logged(0, MEM_LEN - PAGE),
	   "and all of memory can be used and is logged");
	for (i = 1; i <= 4; i++)
		MUST(!set_log(dev, LOG(i & 1)));
	ok(reads(0, DATA(0)) && logged(0, DATA(0)), "it can be exchanged");
	ok(!set_log(dev, 0) && reads_everywhere(), "it ends");
	close(dev);
}

int main(void)
{
	tap_begin(120);
	driver_init();
	test_short();
	test_truncated();
	test_sealed();
	test_swapped();
	test_empty(1, 512);
	test_empty(TABLE - 2, 512);
	test_empty(TABLE - 2, 0);
	test_long();
	test_exact_limit();
	return tap_end();
}
