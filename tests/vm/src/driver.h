/* SPDX-License-Identifier: GPL-2.0 */
/*
 * driver - a device with two queues that is set up step by step, and a minimal
 * virtio-blk driver to check whether it serves
 *
 * Guest memory is at a fixed address below 4 GiB, so that tables of arguments
 * can name it and 32-bit calls can reach it. File descriptors have fixed
 * numbers for the same reason.
 */
#ifndef TESTS_VM_DRIVER_H
#define TESTS_VM_DRIVER_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vhost_doorbell.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "number.h"
#include "tap.h"

#define PAGE	4096UL

#define MEM	0x20000000UL
#define MEM_LEN	(16UL << 20)
#define GPA	0x40000000UL

#define QUEUES	2
#ifndef NUM
#define NUM	16		/* entries of a ring; at most 256 */
#endif

/* Parts of queue q, as offsets and addresses in guest memory */
#define RING(q)		((q) * 0x10000UL)
#define DESC(q)		(MEM + RING(q))
#define AVAIL(q)	(MEM + RING(q) + 0x1000)
#define USED(q)		(MEM + RING(q) + 0x2000)
#define HDR(q)		(RING(q) + 0x3000)
#define STATUS(q)	(RING(q) + 0x3100)
#define DATA(q)		(RING(q) + 0x4000)

#define DISK_LEN	(1UL << 20)

/* Fixed file descriptors */
enum {
	FD_MEM		= 200,
	FD_DISK		= 201,
	FD_KICK		= 210,		/* kick eventfds, one for each queue */
	FD_CALL		= 220,
	FD_ERR		= 230,
};

enum stage { OPEN, OWNED, BACKED, READY, RUNNING };

static unsigned short driver_avail[QUEUES];

static inline void fd_at(int want, int fd)
{
	MUST(fd >= 0);
	MUST(dup2(fd, want) == want);
	close(fd);
}

/* Call once: sets up memory, disk and eventfds. */
static inline void driver_init(void)
{
	int q;

	fd_at(FD_MEM, memfd_create("guest", 0));
	MUST(!ftruncate(FD_MEM, MEM_LEN));
	MUST(mmap((void *)MEM, MEM_LEN, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_FIXED_NOREPLACE, FD_MEM, 0) == (void *)MEM);
	fd_at(FD_DISK, memfd_create("disk", 0));
	MUST(!ftruncate(FD_DISK, DISK_LEN));
	for (q = 0; q < QUEUES; q++) {
		fd_at(FD_KICK + q, eventfd(0, EFD_NONBLOCK));
		fd_at(FD_CALL + q, eventfd(0, EFD_NONBLOCK));
		fd_at(FD_ERR + q, eventfd(0, EFD_NONBLOCK));
	}
}

static inline struct vhost_memory *driver_table(void)
{
	static struct {
		struct vhost_memory_region region[4];
		char room[sizeof(struct vhost_memory)];
	} space;
	struct vhost_memory *table = (void *)&space;

	table->nregions = 1;
	table->regions[0] = (struct vhost_memory_region){
		.guest_phys_addr = GPA,
		.memory_size = MEM_LEN,
		.userspace_addr = MEM,
	};
	return table;
}

/* The same table with another region */
static inline struct vhost_memory *driver_table_with(__u64 gpa, __u64 len,
						     __u64 addr)
{
	struct vhost_memory *table = driver_table();

	table->nregions = 2;
	table->regions[1] = (struct vhost_memory_region){
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = addr,
	};
	return table;
}

static inline int set_file(int dev, unsigned long cmd, unsigned int q, int fd)
{
	struct vhost_vring_file file = { .index = q, .fd = fd };

	return ioctl(dev, cmd, &file);
}

static inline int set_state(int dev, unsigned long cmd, unsigned int q,
			    unsigned int num)
{
	struct vhost_vring_state state = { .index = q, .num = num };

	return ioctl(dev, cmd, &state);
}

static inline int set_addr(int dev, unsigned int q)
{
	struct vhost_vring_addr addr = {
		.index = q,
		.desc_user_addr = DESC(q),
		.avail_user_addr = AVAIL(q),
		.used_user_addr = USED(q),
	};

	return ioctl(dev, VHOST_SET_VRING_ADDR, &addr);
}

static inline int set_run(int dev, unsigned int q, unsigned int run)
{
	struct vhost_doorbell_run arg = { .index = q, .run = run };

	return ioctl(dev, VHOST_DOORBELL_SET_RUN, &arg);
}

static inline int set_blk(int dev, int fd)
{
	struct vhost_doorbell_blk blk = {
		.fd = fd, .num_queues = QUEUES, .serial = "serial",
		/*
		 * The flags that the daemon gives for null_blk, which may sleep
		 * if it has memory.
		 */
		.flags = VHOST_DOORBELL_BLK_F_NOWAIT,
	};

	return ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk);
}

static inline int set_features(int dev, __u64 features)
{
	return ioctl(dev, VHOST_SET_FEATURES, &features);
}

static inline int set_mode(int dev, unsigned int mode)
{
	struct vhost_doorbell_exec exec = { .mode = mode };

	return ioctl(dev, VHOST_DOORBELL_SET_EXEC, &exec);
}

static inline struct vhost_doorbell_stats get_stats(int dev, unsigned int q)
{
	struct vhost_doorbell_stats stats = { .index = q };

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_STATS, &stats));
	return stats;
}

/* Empties the rings and the eventfds. */
static inline void driver_reset(void)
{
	eventfd_t count;
	int q;

	for (q = 0; q < QUEUES; q++) {
		memset((void *)DESC(q), 0, 0x10000);
		driver_avail[q] = 0;
		eventfd_read(FD_KICK + q, &count);
		eventfd_read(FD_CALL + q, &count);
		eventfd_read(FD_ERR + q, &count);
	}
}

static inline int dev_open(void)
{
	int dev = open("/dev/vhost-doorbell", O_RDWR | O_CLOEXEC);

	MUST(dev >= 0);
	return dev;
}

static inline void dev_set_queue(int dev, unsigned int q)
{
	MUST(!set_state(dev, VHOST_SET_VRING_NUM, q, NUM));
	MUST(!set_addr(dev, q));
	MUST(!set_state(dev, VHOST_SET_VRING_BASE, q, 0));
	MUST(!set_file(dev, VHOST_SET_VRING_CALL, q, FD_CALL + q));
	MUST(!set_file(dev, VHOST_SET_VRING_ERR, q, FD_ERR + q));
	MUST(!set_file(dev, VHOST_SET_VRING_KICK, q, FD_KICK + q));
}

/* Advances the device from one stage to a later one, RUNNING at most */
static inline void dev_advance(int dev, enum stage from, enum stage to)
{
	int q;

	if (from < OWNED && to >= OWNED)
		MUST(!ioctl(dev, VHOST_SET_OWNER));
	if (from < BACKED && to >= BACKED)
		MUST(!set_blk(dev, FD_DISK));
	if (from < READY && to >= READY) {
		driver_reset();
		MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1));
		MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
		for (q = 0; q < QUEUES; q++)
			dev_set_queue(dev, q);
	}
	if (to < RUNNING)
		return;
	for (q = 0; q < QUEUES; q++)
		MUST(!set_run(dev, q, 1));
}

static inline int dev_new(enum stage stage)
{
	int dev = dev_open();

	dev_advance(dev, OPEN, stage);
	return dev;
}

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

/*
 * Waits until a condition holds, for a limited time. The value is whether it
 * holds.
 */
#define UNTIL(cond)							\
	({								\
		double until_end = now() + 10 * tap_factor();		\
		bool until_held;					\
									\
		while (!(until_held = (cond)) && now() < until_end)	\
			nap();						\
		until_held;						\
	})

static inline void driver_desc(unsigned int q, int i, __u64 gpa, __u32 len,
			       __u16 flags)
{
	struct vring_desc *desc = (void *)DESC(q);

	desc[i] = (struct vring_desc){
		.addr = gpa, .len = len, .flags = flags, .next = i + 1,
	};
}

/* Adds a request of @len bytes to the available ring, without a kick. */
static inline void driver_add_at(unsigned int q, __u32 type, __u64 sector,
				 __u64 gpa, __u64 data, __u32 len)
{
	struct virtio_blk_outhdr *hdr = (void *)(MEM + HDR(q));
	struct vring_avail *avail = (void *)AVAIL(q);
	bool out = type == VIRTIO_BLK_T_OUT || type == VIRTIO_BLK_T_DISCARD ||
		   type == VIRTIO_BLK_T_WRITE_ZEROES;
	int in = out ? 0 : VRING_DESC_F_WRITE, n = 0;

	*hdr = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	*(volatile __u8 *)(MEM + STATUS(q)) = 0xff;
	driver_desc(q, n++, gpa + HDR(q), sizeof(*hdr), VRING_DESC_F_NEXT);
	if (len)
		driver_desc(q, n++, gpa + data, len, VRING_DESC_F_NEXT | in);
	driver_desc(q, n++, gpa + STATUS(q), 1, VRING_DESC_F_WRITE);
	avail->ring[driver_avail[q]++ % NUM] = 0;
	__atomic_store_n(&avail->idx, driver_avail[q], __ATOMIC_SEQ_CST);
}

static inline bool driver_done(unsigned int q)
{
	struct vring_used *used = (void *)USED(q);

	return __atomic_load_n(&used->idx, __ATOMIC_SEQ_CST) == driver_avail[q];
}

/* Waits for a request. Returns its status, or -1 if it is not served. */
static inline int driver_wait(unsigned int q)
{
	if (!UNTIL(driver_done(q)))
		return -1;
	return *(volatile __u8 *)(MEM + STATUS(q));
}

/* Sends one request and waits for it. */
static inline int driver_send(unsigned int q, __u32 type, __u64 sector,
			      __u32 len)
{
	driver_add_at(q, type, sector, GPA, DATA(q), len);
	eventfd_write(FD_KICK + q, 1);
	return driver_wait(q);
}

/* Does queue q serve? Reads back what it wrote. */
static inline bool driver_works(unsigned int q)
{
	static unsigned char pattern;
	void *data = (void *)(MEM + DATA(q));
	unsigned char want[512];

	memset(want, ++pattern, sizeof(want));
	memcpy(data, want, sizeof(want));
	if (driver_send(q, VIRTIO_BLK_T_OUT, 8 * q, sizeof(want)))
		return false;
	memset(data, 0, sizeof(want));
	if (driver_send(q, VIRTIO_BLK_T_IN, 8 * q, sizeof(want)))
		return false;
	return !memcmp(data, want, sizeof(want));
}

/* Was this eventfd signalled? Resets its count. */
static inline bool signalled(int fd)
{
	eventfd_t count;

	return !eventfd_read(fd, &count);
}

/* The value of a counter of queue 0 in fdinfo, or -1 */
static inline long long fdinfo_counter(int dev, const char *name)
{
	char path[64], line[1024], key[64];
	long long value = -1;
	const char *at;
	uint64_t number;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev);
	snprintf(key, sizeof(key), " %s=", name);
	f = fopen(path, "r");
	MUST(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "queue0:", 7))
			continue;
		at = strstr(line, key);
		if (!at)
			continue;
		at += strlen(key);
		MUST(!number_next(&at, INT64_MAX, &number));
		value = number;
	}
	fclose(f);
	return value;
}

#endif
