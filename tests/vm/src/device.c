// SPDX-License-Identifier: GPL-2.0
/* device - the life of a device from open to close */
#include "driver.h"

#define LARGE		(4UL << 30)
#define LARGE_GPA	(1UL << 32)

static void test_info(void)
{
	struct vhost_doorbell_info info, other;
	int dev = dev_open(), dev2 = dev_open();

	memset(&info, 0xff, sizeof(info));
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_INFO, &info));
	MUST(!ioctl(dev2, VHOST_DOORBELL_GET_INFO, &other));
	ok(info.abi_version == VHOST_DOORBELL_ABI_VERSION &&
	   info.max_queues == VHOST_DOORBELL_MAX_QUEUES &&
	   info.max_queue_size == VHOST_DOORBELL_MAX_QUEUE_SIZE &&
	   info.max_regions == VHOST_DOORBELL_MAX_REGIONS && info.modes == 0xf,
	   "GET_INFO: limits");
	ok(!info.reserved[0] && !info.reserved[1] && !info.reserved[2] &&
	   !info.reserved[3], "GET_INFO: reserved is zero");
	ok(info.device_id && info.device_id != other.device_id,
	   "GET_INFO: each device has a number of its own");
	close(dev);
	close(dev2);
}

static bool exec_is(int dev, const struct vhost_doorbell_exec *want)
{
	struct vhost_doorbell_exec e;

	memset(&e, 0xff, sizeof(e));
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_EXEC, &e));
	return !memcmp(&e, want, sizeof(e));
}

static void test_exec(void)
{
	struct vhost_doorbell_exec other = {
		.mode = 2, .inline_max = 65535, .budget = 1,
		.poll_us = 10000, .poll_share = 100,
		.coalesce_us = 10000, .coalesce_count = 65535,
	}, defaults = {
		.mode = VHOST_DOORBELL_MODE_AUTO, .inline_max = 8, .budget = 64,
		.poll_us = 50, .poll_share = 50, .coalesce_count = 32,
	}, zero = { .mode = 1 };
	int dev = dev_new(OWNED);

	ok(exec_is(dev, &defaults), "GET_EXEC: the defaults");
	ok(!ioctl(dev, VHOST_DOORBELL_SET_EXEC, &other) &&
	   exec_is(dev, &other), "GET_EXEC: what was set");
	defaults.mode = 1;
	ok(!ioctl(dev, VHOST_DOORBELL_SET_EXEC, &zero) &&
	   exec_is(dev, &defaults), "SET_EXEC: zero is the default");
	close(dev);
}

static void get_config(int dev, struct virtio_blk_config *c)
{
	struct vhost_doorbell_config config = { .size = sizeof(*c) };

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_CONFIG, &config));
	memcpy(c, config.data, sizeof(*c));
}

static void test_config(void)
{
	struct vhost_doorbell_config last = {
		.offset = 255, .size = 1, .data = { 1, 2 },
	};
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = 64, .seg_max = 10,
		.size_max = 8192, .blk_size = 4096,
	};
	int dev = dev_new(BACKED), dev2 = dev_new(OWNED);
	struct virtio_blk_config c;

	get_config(dev, &c);
	ok(c.capacity == DISK_LEN / 512 && c.blk_size == 512 &&
	   c.seg_max == 126 && c.size_max >= PAGE && c.num_queues == QUEUES,
	   "GET_CONFIG: what was not said is the default");
	ok(!ioctl(dev, VHOST_DOORBELL_GET_CONFIG, &last) && !last.data[0],
	   "GET_CONFIG: zero beyond the device's own");
	MUST(!ioctl(dev2, VHOST_DOORBELL_SET_BLK, &blk));
	get_config(dev2, &c);
	ok(c.capacity == DISK_LEN / 512 && c.blk_size == 4096 &&
	   c.seg_max == 10 && c.size_max == 8192 && c.num_queues == 64,
	   "GET_CONFIG: what was said");
	close(dev);
	close(dev2);
}

/*
 * A resize: the capacity that the guest is told, and the sectors that it may
 * access
 */
static void test_resize(void)
{
	int dev = dev_new(RUNNING);
	struct virtio_blk_config c;
	__u64 sectors = 0;

	MUST(!ftruncate(FD_DISK, 2 * DISK_LEN));
	get_config(dev, &c);
	ok(c.capacity == DISK_LEN / 512 &&
	   driver_send(0, VIRTIO_BLK_T_IN, DISK_LEN / 512, 512) ==
	   VIRTIO_BLK_S_IOERR,
	   "RESIZE: a larger disk is as it was until it is looked at");
	ok(!ioctl(dev, VHOST_DOORBELL_RESIZE, &sectors) &&
	   sectors == 2 * DISK_LEN / 512, "RESIZE: it gives the new size");
	get_config(dev, &c);
	ok(c.capacity == sectors && c.blk_size == 512 && c.seg_max == 126,
	   "RESIZE: GET_CONFIG tells it, and all else as before");
	ok(!driver_send(0, VIRTIO_BLK_T_OUT, DISK_LEN / 512, 512) &&
	   driver_send(0, VIRTIO_BLK_T_OUT, 2 * DISK_LEN / 512, 512) ==
	   VIRTIO_BLK_S_IOERR,
	   "RESIZE: what is new can be written, what is beyond it not");
	MUST(!ftruncate(FD_DISK, 511));
	ok(ioctl(dev, VHOST_DOORBELL_RESIZE, &sectors) && errno == ENOSPC,
	   "RESIZE: ENOSPC for less than one block");
	get_config(dev, &c);
	ok(c.capacity == 2 * DISK_LEN / 512, "RESIZE: which changes nothing");
	MUST(!ftruncate(FD_DISK, DISK_LEN));
	ok(!ioctl(dev, VHOST_DOORBELL_RESIZE, &sectors) &&
	   sectors == DISK_LEN / 512 &&
	   driver_send(0, VIRTIO_BLK_T_OUT, DISK_LEN / 512, 512) ==
	   VIRTIO_BLK_S_IOERR && driver_works(0),
	   "RESIZE: a smaller disk ends where it ends");
	close(dev);
}

static int set_wce(int dev, __u8 wce)
{
	struct vhost_doorbell_config config = {
		.offset = offsetof(struct virtio_blk_config, wce),
		.size = 1, .data = { wce },
	};

	return ioctl(dev, VHOST_DOORBELL_SET_CONFIG, &config) ? errno : 0;
}

static void test_cache(void)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = QUEUES,
		.flags = VHOST_DOORBELL_BLK_F_CONFIG_WCE,
	};
	int dev = dev_new(RUNNING), dev2 = dev_new(OWNED);
	struct virtio_blk_config c;

	ok(set_wce(dev, 0) == EPERM, "SET_CONFIG: wce was not offered");
	close(dev);
	MUST(!ioctl(dev2, VHOST_DOORBELL_SET_BLK, &blk));
	dev_advance(dev2, BACKED, RUNNING);
	get_config(dev2, &c);
	ok(c.wce == 1 && set_wce(dev2, 2) == EINVAL,
	   "SET_CONFIG: wce is 1, and cannot be 2");
	ok(!set_wce(dev2, 0) && driver_works(0), "SET_CONFIG: wce becomes 0");
	get_config(dev2, &c);
	ok(c.wce == 0, "SET_CONFIG: GET_CONFIG tells it");
	ok(!set_wce(dev2, 1) && driver_works(1), "SET_CONFIG: and 1 again");
	close(dev2);
}

static void test_read_only(void)
{
	static const char path[] = "/proc/self/fd/201";
	int fd = open(path, O_RDONLY), dev = dev_new(OWNED);
	__u64 features;

	MUST(fd >= 0);
	MUST(!set_blk(dev, fd));
	close(fd);
	MUST(!ioctl(dev, VHOST_GET_FEATURES, &features));
	ok(features & 1ULL << VIRTIO_BLK_F_RO,
	   "a disk opened for reading is read-only");
	dev_advance(dev, BACKED, RUNNING);
	ok(driver_send(0, VIRTIO_BLK_T_OUT, 0, 512) == VIRTIO_BLK_S_IOERR,
	   "it cannot be written");
	ok(driver_send(0, VIRTIO_BLK_T_IN, 0, 512) == VIRTIO_BLK_S_OK,
	   "it can be read, with its descriptor closed");
	close(dev);
}

static void test_requests(void)
{
	const char *data = (void *)(MEM + DATA(0));
	int dev = dev_new(RUNNING);

	ok(driver_works(0) && driver_works(1), "queues serve");
	ok(!driver_send(0, VIRTIO_BLK_T_GET_ID, 0, 20) &&
	   !strcmp(data, "serial"), "the serial number is what was set");
	ok(!driver_send(0, VIRTIO_BLK_T_FLUSH, 0, 0), "a flush");
	ok(driver_send(0, VIRTIO_BLK_T_IN, DISK_LEN / 512, 512) ==
	   VIRTIO_BLK_S_IOERR, "a read beyond the disk");
	ok(driver_send(0, 77, 0, 512) == VIRTIO_BLK_S_UNSUPP,
	   "a request of unknown type");
	close(dev);
}

/* Starts a queue without set-up step @what (0 to 4); 5: with all steps */
static int start_without(int what)
{
	int dev = dev_new(BACKED), err;

	driver_reset();
	if (what != 0)
		MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1));
	if (what != 1)
		MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
	if (what != 2)
		MUST(!set_state(dev, VHOST_SET_VRING_NUM, 0, NUM));
	if (what != 3)
		MUST(!set_addr(dev, 0));
	if (what != 4)
		MUST(!set_file(dev, VHOST_SET_VRING_KICK, 0, FD_KICK));
	err = set_run(dev, 0, 1) ? errno : 0;
	close(dev);
	return err;
}

static void test_missing(void)
{
	static const char *const what[] = {
		"features", "a memory table", "a size", "addresses",
		"a kick eventfd",
	};
	int i;

	for (i = 0; i < 5; i++)
		ok(start_without(i) == ENXIO, "SET_RUN: without %s", what[i]);
	ok(!start_without(5),
	   "SET_RUN: base, call and error eventfd need not be set");
}

static int start_rings(int dev, __u64 desc, __u64 avail, __u64 used)
{
	struct vhost_vring_addr addr = {
		.desc_user_addr = desc, .avail_user_addr = avail,
		.used_user_addr = used,
	};

	MUST(!ioctl(dev, VHOST_SET_VRING_ADDR, &addr));
	return set_run(dev, 0, 1) ? errno : 0;
}

static void test_rings(void)
{
	__u64 end = MEM + MEM_LEN, far = end + PAGE;
	int dev = dev_new(READY);

	ok(start_rings(dev, far, AVAIL(0), USED(0)) == EFAULT,
	   "SET_RUN: descriptors outside of memory");
	ok(start_rings(dev, DESC(0), far, USED(0)) == EFAULT,
	   "SET_RUN: available ring outside of memory");
	ok(start_rings(dev, DESC(0), AVAIL(0), far) == EFAULT,
	   "SET_RUN: used ring outside of memory");
	ok(start_rings(dev, end - NUM * 16 + 16, AVAIL(0), USED(0)) == EFAULT,
	   "SET_RUN: the last descriptor outside of memory");
	ok(start_rings(dev, DESC(0), end - 2 * NUM - 4, USED(0)) == EFAULT,
	   "SET_RUN: the used event index outside of memory");
	ok(start_rings(dev, DESC(0), AVAIL(0), end - 8 * NUM - 4) == EFAULT,
	   "SET_RUN: the available event index outside of memory");
	ok(start_rings(dev, -16ULL, AVAIL(0), USED(0)) == EFAULT,
	   "SET_RUN: descriptors that wrap");
	ok(start_rings(dev, 0, 0, 0) == EFAULT, "SET_RUN: rings at zero");
	ok(!start_rings(dev, DESC(0), AVAIL(0), USED(0)) && driver_works(0),
	   "and then with good ones");
	close(dev);
}

/* A ring may not lie in two regions, or in memory that is not mapped */
static void test_ring_regions(void)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region r[2];
	} table = {
		.head.nregions = 2,
		.r[0] = { .guest_phys_addr = GPA, .memory_size = 2 * PAGE,
			  .userspace_addr = MEM },
		.r[1] = { .guest_phys_addr = GPA + 8 * PAGE,
			  .memory_size = MEM_LEN - 2 * PAGE,
			  .userspace_addr = MEM + 2 * PAGE },
	};
	int dev = dev_new(READY), ret;
	void *hole = (void *)MEM + PAGE;

	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, &table));
	ok(start_rings(dev, DESC(0) + 2 * PAGE - 16, AVAIL(0), USED(0)) ==
	   EFAULT, "SET_RUN: a ring in two regions");
	ok(!start_rings(dev, DESC(0), AVAIL(0), USED(0)),
	   "SET_RUN: rings in different regions");
	MUST(!set_run(dev, 0, 0));
	MUST(!munmap(hole, PAGE));
	ret = set_run(dev, 0, 1) ? errno : 0;
	MUST(mmap(hole, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		  FD_MEM, PAGE) == hole);
	ok(ret == EFAULT, "SET_RUN: a ring that is not mapped");
	ok(!set_run(dev, 0, 1), "SET_RUN: and is again");
	close(dev);
}

static void test_regions(void)
{
	struct vhost_memory *t = calloc(1, sizeof(*t) +
					512 * sizeof(t->regions[0]));
	struct vhost_doorbell_mem_stats st;
	int dev = dev_new(OWNED), i;

	MUST(t);
	t->nregions = 512;
	/* Regions in descending order, with holes between */
	for (i = 0; i < 512; i++)
		t->regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = GPA + (511 - i) * 2 * PAGE,
			.memory_size = PAGE,
			.userspace_addr = MEM + (511 - i) * PAGE,
		};
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, t), "SET_MEM_TABLE: 512 regions");
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &st));
	ok(st.regions == 512 && st.bytes == 512 * PAGE && !st.pinned &&
	   !st.pad && !st.reserved[0], "GET_MEM_STATS: counts them");
	t->nregions = 2;
	t->regions[0].guest_phys_addr = 0;
	t->regions[1].guest_phys_addr = PAGE;
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, t),
	   "SET_MEM_TABLE: neighbours do not overlap");
	t->nregions = 1;
	t->regions[0].guest_phys_addr = -PAGE;
	diag("the last page of all: %s",
	     ioctl(dev, VHOST_SET_MEM_TABLE, t) ? "no" : "yes");
	free(t);
	close(dev);
}

/* The table changes the guest addresses of the memory while the queue runs. */
static void test_new_table(void)
{
	struct vhost_memory *table = driver_table();
	int dev = dev_new(RUNNING);
	bool same = true;

	MUST(driver_works(0));
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, table) && driver_works(0),
	   "SET_MEM_TABLE: the same while a queue runs");
	table->regions[0].guest_phys_addr = 0;
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	strcpy((char *)MEM + DATA(0), "wrong");
	driver_add_at(0, VIRTIO_BLK_T_GET_ID, 0, 0, DATA(0), 20);
	eventfd_write(FD_KICK, 1);
	same = UNTIL(driver_done(0));
	ok(same && !strcmp((char *)MEM + DATA(0), "serial"),
	   "SET_MEM_TABLE: another while a queue runs");
	close(dev);
}

static void test_call(void)
{
	int dev = dev_new(RUNNING), other = eventfd(0, EFD_NONBLOCK);

	ok(signalled(FD_CALL), "call: signalled when the queue starts");
	MUST(driver_works(0));
	ok(UNTIL(signalled(FD_CALL)), "call: signalled for a request");
	ok(!set_file(dev, VHOST_SET_VRING_CALL, 0, other) && signalled(other),
	   "call: another one is signalled at once");
	signalled(FD_CALL);
	MUST(driver_works(0));
	ok(UNTIL(signalled(other)) && !signalled(FD_CALL),
	   "call: from then on only the other one");
	MUST(!set_file(dev, VHOST_SET_VRING_CALL, 0, -1));
	signalled(other);
	ok(driver_works(0) && !signalled(other) && !signalled(FD_CALL),
	   "call: none");
	close(other);
	close(dev);
}

static void break_ring(unsigned int q)
{
	struct vring_avail *avail = (void *)AVAIL(q);

	__atomic_store_n(&avail->idx, driver_avail[q] + 1000, __ATOMIC_SEQ_CST);
	eventfd_write(FD_KICK + q, 1);
}

static void test_broken(void)
{
	int dev = dev_new(RUNNING), other = eventfd(0, EFD_NONBLOCK);
	struct vring_avail *avail = (void *)AVAIL(0);
	struct vhost_doorbell_stats st;

	MUST(driver_works(0));
	break_ring(0);
	ok(UNTIL(signalled(FD_ERR)), "err: signalled for a bad ring");
	st = get_stats(dev, 0);
	ok(st.broken == 1 && st.state == (VHOST_DOORBELL_QUEUE_RUNNING |
					  VHOST_DOORBELL_QUEUE_BROKEN),
	   "GET_STATS: the queue is broken");
	ok(!signalled(FD_ERR + 1) && driver_works(1),
	   "its neighbour goes on");
	ok(!set_file(dev, VHOST_SET_VRING_ERR, 0, other) && signalled(other),
	   "err: another one is signalled at once");
	MUST(!set_file(dev, VHOST_SET_VRING_ERR, 0, FD_ERR));
	MUST(signalled(FD_ERR));
	avail->idx = driver_avail[0];
	eventfd_write(FD_KICK, 1);
	MUST(!set_run(dev, 0, 0));
	ok(!set_run(dev, 0, 1) && driver_works(0) &&
	   get_stats(dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "a broken queue serves after a stop and start");
	ok(!signalled(FD_ERR), "err: signalled once");
	close(other);
	close(dev);
}

static void test_base(void)
{
	struct vhost_vring_state base = { .index = 0 };
	int dev = dev_new(RUNNING), i;

	for (i = 0; i < 5; i++)
		MUST(driver_works(0));
	MUST(!set_run(dev, 0, 0));
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	ok(!ioctl(dev, VHOST_GET_VRING_BASE, &base) && base.num == 10,
	   "GET_VRING_BASE: what was taken");
	eventfd_write(FD_KICK, 1);
	nap();
	ok(!driver_done(0), "a stopped queue does not serve");
	MUST(!set_state(dev, VHOST_SET_VRING_BASE, 0, base.num));
	MUST(!set_run(dev, 0, 1));
	ok(UNTIL(driver_done(0)), "a request is served when the queue starts");
	MUST(!set_run(dev, 0, 0));
	MUST(!set_state(dev, VHOST_SET_VRING_BASE, 0, 65535));
	ok(!ioctl(dev, VHOST_GET_VRING_BASE, &base) && base.num == 65535,
	   "GET_VRING_BASE: what was set");
	close(dev);
}

/*
 * Kick and call are the same eventfd, so each completion rings the device
 * again.
 */
static void test_same_eventfd(unsigned int mode)
{
	int dev = dev_new(READY), i;
	bool good = true;

	MUST(!set_mode(dev, mode));
	MUST(!set_file(dev, VHOST_SET_VRING_CALL, 0, FD_KICK));
	MUST(!set_file(dev, VHOST_SET_VRING_ERR, 0, FD_KICK));
	dev_advance(dev, READY, RUNNING);
	for (i = 0; i < 100 && good; i++)
		good = driver_works(0);
	ok(good, "mode %u: kick, call and error the same eventfd", mode);
	break_ring(0);
	ok(UNTIL(get_stats(dev, 0).broken), "mode %u: also when it breaks",
	   mode);
	ok(!set_run(dev, 0, 0), "mode %u: and stops", mode);
	close(dev);
}

/*
 * The device holds a reference to the kick eventfd: KVM may signal it after the
 * VMM has closed it.
 */
static void test_hangup(void)
{
	int dev = dev_new(READY), kick = eventfd(0, EFD_NONBLOCK);

	MUST(!set_file(dev, VHOST_SET_VRING_KICK, 0, kick));
	MUST(!set_run(dev, 0, 1));
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	eventfd_write(kick, 1);
	MUST(UNTIL(driver_done(0)));
	close(kick);
	ok(get_stats(dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "the last close of a kick eventfd is no hang-up");
	MUST(!set_run(dev, 0, 0));
	MUST(!set_file(dev, VHOST_SET_VRING_KICK, 0, FD_KICK));
	MUST(!set_run(dev, 0, 1));
	ok(driver_works(0) &&
	   get_stats(dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "another kick eventfd");
	close(dev);
}

static void test_shared_kick(void)
{
	int dev = dev_new(READY);

	MUST(!set_file(dev, VHOST_SET_VRING_KICK, 1, FD_KICK));
	dev_advance(dev, READY, RUNNING);
	driver_add_at(1, VIRTIO_BLK_T_IN, 0, GPA, DATA(1), 512);
	eventfd_write(FD_KICK, 1);
	ok(driver_works(0), "two queues on one kick eventfd");
	close(dev);
	ok(true, "and closed");
}

static void test_dup(void)
{
	int dev = dev_new(RUNNING), other = dup(dev);

	MUST(driver_works(0));
	close(dev);
	ok(driver_works(0), "a device lives as long as its last descriptor");
	close(other);
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	eventfd_write(FD_KICK, 1);
	nap();
	ok(!driver_done(0), "and no longer");
}

static void test_close(void)
{
	enum stage stage;
	int dev, q;

	for (stage = OPEN; stage <= RUNNING; stage++)
		close(dev_new(stage));
	ok(true, "close in every state");
	for (q = 0; q < QUEUES; q++) {
		dev = dev_new(READY);
		MUST(!set_run(dev, q, 1));
		close(dev);
	}
	/* Some requests are still in the ring, others in flight */
	dev = dev_new(RUNNING);
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 64 * 512);
	eventfd_write(FD_KICK, 1);
	close(dev);
	ok(true, "close with a request in the ring");
}

/*
 * Maps 4 GiB of guest memory, all of it in the page tables, with fewer pages:
 * L1 has less memory.
 */
static void map_large(char *at, size_t part)
{
	size_t i;
	int fd = memfd_create("large", 0);

	MUST(fd >= 0 && !ftruncate(fd, part));
	for (i = 0; i < LARGE / part; i++)
		MUST(mmap(at + i * part, part, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE | MAP_FIXED_NOREPLACE, fd,
			  0) == at + i * part);
	close(fd);
}

/*
 * The time to set a large memory table. Pages are pinned only when they are
 * used.
 */
static void test_attach(void)
{
	char *large = (char *)0x200000000UL;
	double begin, took;
	int dev, q;

	map_large(large, 64UL << 20);
	driver_reset();
	dev = dev_new(BACKED);
	begin = now();
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE,
		    driver_table_with(LARGE_GPA, LARGE, (unsigned long)large)));
	for (q = 0; q < QUEUES; q++) {
		dev_set_queue(dev, q);
		MUST(!set_run(dev, q, 1));
	}
	took = now() - begin;
	diag("%.1f ms", took * 1e3);
	ok(took < 0.1 * tap_factor(), "a guest of 4 GiB is there within 100 ms");
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, LARGE_GPA - GPA + LARGE / 2,
		      512);
	eventfd_write(FD_KICK, 1);
	ok(driver_wait(0) == VIRTIO_BLK_S_OK,
	   "and reads to where its memory is");
	close(dev);
	munmap(large, LARGE);
}

static void test_counters(void)
{
	struct vhost_doorbell_stats st;
	int dev = dev_new(READY), i;
	bool same;

	MUST(!set_mode(dev, VHOST_DOORBELL_MODE_WORKER));
	dev_advance(dev, READY, RUNNING);
	for (i = 0; i < 10; i++)
		MUST(driver_works(0));
	driver_send(0, VIRTIO_BLK_T_IN, DISK_LEN, 512);
	st = get_stats(dev, 0);
	ok(st.requests == 21 && st.completed == 21 && !st.in_flight,
	   "GET_STATS: requests");
	ok(st.bytes_read == 5120 && st.bytes_written == 5120 && st.errors == 1,
	   "GET_STATS: bytes and errors");
	ok(st.kicks == 21 && st.worker_passes && !st.inline_passes &&
	   !st.punts, "GET_STATS: kicks and passes");
	ok(st.signals + st.suppressed == 21 && st.signals > 0,
	   "GET_STATS: signals");
	ok(st.size == NUM && st.worker_pid, "GET_STATS: size and worker");
	for (i = 0; i < 3; i++)
		MUST(!st.reserved[i]);
	same = fdinfo_counter(dev, "requests") == 21 &&
	       fdinfo_counter(dev, "completed") == 21 &&
	       fdinfo_counter(dev, "in_flight") == 0 &&
	       fdinfo_counter(dev, "kicks") == 21 &&
	       fdinfo_counter(dev, "size") == NUM &&
	       fdinfo_counter(dev, "bytes_read") == 5120 &&
	       fdinfo_counter(dev, "bytes_written") == 5120 &&
	       fdinfo_counter(dev, "errors") == 1 &&
	       fdinfo_counter(dev, "broken") == 0 &&
	       fdinfo_counter(dev, "inline_passes") == 0 &&
	       fdinfo_counter(dev, "punts") == 0 &&
	       fdinfo_counter(dev, "signals") == (long long)st.signals &&
	       fdinfo_counter(dev, "suppressed") == (long long)st.suppressed &&
	       fdinfo_counter(dev, "worker_passes") ==
	       (long long)st.worker_passes &&
	       fdinfo_counter(dev, "worker_pid") == (long long)st.worker_pid;
	ok(same, "fdinfo says the same");
	MUST(!set_run(dev, 0, 0));
	st = get_stats(dev, 0);
	ok(st.requests == 21 && !st.worker_pid && !st.state,
	   "GET_STATS: counters survive a stop");
	close(dev);
}

int main(void)
{
	tap_begin(60);
	driver_init();
	test_info();
	test_exec();
	test_config();
	test_resize();
	test_cache();
	test_read_only();
	test_requests();
	test_missing();
	test_rings();
	test_ring_regions();
	test_regions();
	test_new_table();
	test_call();
	test_broken();
	test_base();
	test_same_eventfd(VHOST_DOORBELL_MODE_WORKER);
	test_same_eventfd(VHOST_DOORBELL_MODE_INLINE);
	test_hangup();
	test_shared_kick();
	test_dup();
	test_close();
	test_attach();
	test_counters();
	return tap_end();
}
