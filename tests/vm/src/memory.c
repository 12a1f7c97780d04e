// SPDX-License-Identifier: GPL-2.0
/*
 * memory - the pages that a device pins and that are accounted to its owner;
 * regions that end within a page; memory that runs out
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "driver.h"

#define MANY		64		/* number of queues */
#define LONG		32768U		/* entries of each queue */
#define RINGS		0x300000000UL
#define RING_LEN	(210 * PAGE)	/* size of a ring with that many entries */
#define RINGS_LEN	(3 * RING_LEN + PAGE)
#define SPARSE		0x400000000UL
#define SPARSE_GPA	(1UL << 32)
#define SPARSE_LEN	(2UL << 30)
#define LEAF		(2UL << 20)	/* the module keeps a table for each such piece */

/*
 * Returns the number in the last line of a file that begins with @name, or -1
 */
static long file_number(const char *path, const char *name)
{
	uint64_t number;
	const char *at;
	char line[256];
	long n = -1;
	FILE *f = fopen(path, "r");

	MUST(f);
	while (fgets(line, sizeof(line), f)) {
		at = line + strlen(name);
		if (strncmp(line, name, strlen(name)) || !strchr(" \t:", *at))
			continue;
		at += strspn(at, " \t:");
		MUST(!number_next(&at, INT64_MAX, &number));
		n = (long)number;
	}
	fclose(f);
	return n;
}

static long locked_pages(void)
{
	return file_number("/proc/self/status", "VmPin") * 1024 / (long)PAGE;
}

/*
 * Pages that the counters may lack: each CPU adds up to 125 pins and 125 unpins
 * of its own before it updates them.
 */
#define PINNED_SLACK	500

/* Pinned pages of the whole machine */
static long pinned_pages(void)
{
	return file_number("/proc/vmstat", "nr_foll_pin_acquired") -
	       file_number("/proc/vmstat", "nr_foll_pin_released");
}

static void without_privilege(unsigned long limit)
{
	struct rlimit lock = { limit, limit };

	MUST(!setrlimit(RLIMIT_MEMLOCK, &lock));
	MUST(!setuid(65534));
}

/*
 * Runs a test in a child process; its results are added to those of this
 * process.
 */
static void in_child(void (*run)(void))
{
	unsigned int before = tap_results;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		run();
		fflush(stdout);
		_exit(tap_results - before);
	}
	MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	tap_results += WEXITSTATUS(status);
}

/* --- pages pinned for rings --- */

static int many_device(void)
{
	struct vhost_doorbell_blk blk = { .fd = FD_DISK, .num_queues = MANY };
	struct vhost_memory *table = driver_table();
	int dev = dev_open();

	MUST(mmap((void *)RINGS, RINGS_LEN, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	     (void *)RINGS);
	table->regions[0] = (struct vhost_memory_region){
		.guest_phys_addr = GPA,
		.memory_size = RINGS_LEN,
		.userspace_addr = RINGS,
	};
	MUST(!ioctl(dev, VHOST_SET_OWNER));
	MUST(!ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk));
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	return dev;
}

/*
 * Starts queues whose rings have the same addresses, and replaces the pages
 * after each start. Returns how many started.
 */
static int start_many(int dev)
{
	struct vhost_vring_addr addr = {
		.desc_user_addr = RINGS,
		.avail_user_addr = RINGS + LONG * 16,
		.used_user_addr = RINGS + LONG * 18 + PAGE,
	};
	unsigned int q;

	for (q = 0; q < MANY; q++) {
		addr.index = q;
		MUST(!set_state(dev, VHOST_SET_VRING_NUM, q, LONG));
		MUST(!ioctl(dev, VHOST_SET_VRING_ADDR, &addr));
		MUST(!set_file(dev, VHOST_SET_VRING_KICK, q, FD_KICK));
		if (set_run(dev, q, 1))
			break;
		MUST(!madvise((void *)RINGS, RING_LEN, MADV_DONTNEED));
	}
	return q;
}

static void check_many(const char *who, int least, int most)
{
	long pinned = pinned_pages(), locked = locked_pages();
	int dev = many_device(), n = start_many(dev);

	diag("%s: %d queues, %s; %ld pages pinned, %ld accounted", who, n,
	     n < MANY ? strerror(errno) : "all", pinned_pages() - pinned,
	     locked_pages() - locked);
	ok(n >= least && n <= most && (n == MANY || errno == ENOMEM),
	   "%s: rings in one place start while there is room", who);
	ok(pinned_pages() - pinned <= locked_pages() - locked + PINNED_SLACK,
	   "%s: and pin no more than is accounted", who);
	close(dev);
	ok(locked_pages() == locked &&
	   labs(pinned_pages() - pinned) <= PINNED_SLACK,
	   "%s: all is given back", who);
}

static void many_unprivileged(void)
{
	without_privilege(RINGS_LEN);
	check_many("limit of the table's size", 3, 3);
}

static void many_privileged(void)
{
	check_many("no limit", MANY, MANY);
}

/* The guest uses all of its memory, and the limit is exactly its size */
static void exact_limit(void)
{
	long pinned = pinned_pages(), most = 0;
	bool good = true;
	unsigned long at;
	int dev, i;

	without_privilege(MEM_LEN);
	dev = dev_new(RUNNING);
	ok(locked_pages() == MEM_LEN / PAGE,
	   "limit of the guest's size: queues start");
	for (i = 0; i < 3; i++) {
		for (at = DISK_LEN; at < MEM_LEN; at += DISK_LEN) {
			driver_add_at(i & 1, VIRTIO_BLK_T_IN, 0, GPA, at,
				      DISK_LEN);
			eventfd_write(FD_KICK + (i & 1), 1);
			good &= driver_wait(i & 1) == VIRTIO_BLK_S_OK;
		}
		for (at = DATA(0); at < DISK_LEN; at += PAGE) {
			/* Do not overwrite the rings. */
			if (at >= RING(1) && at < DATA(1))
				continue;
			driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, at, 512);
			eventfd_write(FD_KICK, 1);
			good &= driver_wait(0) == VIRTIO_BLK_S_OK;
		}
		if (pinned_pages() - pinned > most)
			most = pinned_pages() - pinned;
	}
	diag("%ld of %lu pages pinned", most, MEM_LEN / PAGE);
	ok(good, "limit of the guest's size: it can use all of its memory");
	ok(most <= (long)(MEM_LEN / PAGE) + PINNED_SLACK,
	   "limit of the guest's size: no more is pinned");
	close(dev);
}

/* --- regions that end within a page --- */

static void set_region(struct vhost_memory *table, int i, unsigned long at,
		       unsigned long len)
{
	table->nregions = i + 1;
	table->regions[i] = (struct vhost_memory_region){
		.guest_phys_addr = GPA + at,
		.memory_size = len,
		.userspace_addr = MEM + at,
	};
}

static int read_to(unsigned long at, unsigned int len)
{
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, at, len);
	eventfd_write(FD_KICK, 1);
	return driver_wait(0);
}

static void test_bytes(void)
{
	unsigned long at = DATA(0) + 8 * PAGE;
	struct vhost_memory *table = driver_table();
	volatile char *end = (char *)MEM + at + PAGE + 512;
	struct vhost_doorbell_mem_stats st;
	int dev = dev_new(RUNNING);

	set_region(table, 0, 0, at);
	set_region(table, 1, at, PAGE + 512);
	set_region(table, 2, RING(1), 4 * PAGE);
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, table),
	   "SET_MEM_TABLE: a region that ends within a page");
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &st));
	ok(st.bytes == at + 5 * PAGE + 512, "GET_MEM_STATS: its bytes");
	*end = 'x';
	ok(!read_to(at, PAGE + 512) && !read_to(at + PAGE, 512),
	   "region: data up to its end");
	ok(read_to(at, PAGE + 1024) == VIRTIO_BLK_S_IOERR &&
	   read_to(at + PAGE, 1024) == VIRTIO_BLK_S_IOERR &&
	   read_to(at + PAGE + 512, 512) == VIRTIO_BLK_S_IOERR && *end == 'x',
	   "region: data past its end is refused, within the page, too");
	MUST(driver_works(0));
	/* The status byte is the last byte of the region. */
	set_region(table, 0, 0, STATUS(0) + 1);
	set_region(table, 1, RING(1), PAGE);
	set_region(table, 2, RING(1) + PAGE, 3 * PAGE);
	set_region(table, 3, at, PAGE);
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	ok(!read_to(at, 512), "region: ends with the status");
	set_region(table, 0, 0, STATUS(0));
	set_region(table, 1, RING(1), PAGE);
	set_region(table, 2, RING(1) + PAGE, 3 * PAGE);
	set_region(table, 3, at, PAGE);
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, at, 512);
	eventfd_write(FD_KICK, 1);
	ok(UNTIL(signalled(FD_ERR)), "region: ends before the status");
	close(dev);
}

static void test_ring_bytes(void)
{
	struct vhost_memory *table = driver_table();
	unsigned long used = 4 + 8 * NUM + 2;
	int dev = dev_new(READY);

	table->regions[0].memory_size = 0x2000 + used - 1;
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	ok(set_run(dev, 0, 1) && errno == EFAULT,
	   "SET_RUN: a ring that ends behind its region");
	table->regions[0].memory_size++;
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	ok(!set_run(dev, 0, 1), "SET_RUN: a ring that ends with its region");
	close(dev);
}

static void test_no_memory(void)
{
	struct vhost_memory *table = driver_table();
	long locked = locked_pages();
	int dev = dev_new(RUNNING);

	MUST(driver_works(0));
	table->nregions = 0;
	ok(ioctl(dev, VHOST_SET_MEM_TABLE, table) && errno == EBUSY &&
	   driver_works(1), "SET_MEM_TABLE: not empty while queues run");
	MUST(!set_run(dev, 0, 0) && !set_run(dev, 1, 0));
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, table) &&
	   !ioctl(dev, VHOST_SET_MEM_TABLE, table),
	   "SET_MEM_TABLE: empty when none does");
	ok(locked_pages() == locked, "no memory: nothing is accounted");
	ok(set_run(dev, 0, 1) && errno == ENXIO, "no memory: no queue starts");
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
	MUST(!set_run(dev, 0, 1) && !set_run(dev, 1, 1));
	ok(driver_works(0) && driver_works(1), "no memory: and some again");
	close(dev);
}

/* --- a broken queue that was mended --- */

static void test_mended(void)
{
	struct vring_avail *avail = (void *)AVAIL(0);
	int dev = dev_new(RUNNING), other = eventfd(0, EFD_NONBLOCK);

	MUST(driver_works(0));
	__atomic_store_n(&avail->idx, driver_avail[0] + 1000, __ATOMIC_SEQ_CST);
	eventfd_write(FD_KICK, 1);
	MUST(UNTIL(signalled(FD_ERR)));
	avail->idx = driver_avail[0];
	MUST(!set_run(dev, 0, 0));
	MUST(!set_file(dev, VHOST_SET_VRING_ERR, 0, other));
	ok(!signalled(other), "err: not told of what was before the stop");
	MUST(!set_run(dev, 0, 1));
	MUST(!set_file(dev, VHOST_SET_VRING_ERR, 0, FD_ERR));
	ok(driver_works(0) && !signalled(other) && !signalled(FD_ERR) &&
	   get_stats(dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "err: a mended queue is well");
	ok(get_stats(dev, 0).broken == 1, "GET_STATS: it broke once");
	close(other);
	close(dev);
}

/* --- memory charged to the owner's cgroup --- */

static long slab_bytes(void)
{
	char line[256], path[512] = "";
	FILE *f = fopen("/proc/self/cgroup", "r");

	MUST(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat",
			 line + 3);
	}
	fclose(f);
	if (access(path, R_OK))
		return -1;
	return file_number(path, "slab_unreclaimable");
}

/*
 * Pins single pages all over a large guest: each needs a page for the module's
 * table.
 */
static void test_charge(void)
{
	int dev, fd = memfd_create("sparse", 0);
	long before = slab_bytes(), after;
	unsigned long at;
	bool good = true;

	if (before < 0) {
		skip("the table is charged to the owner", "no memory cgroup");
		close(fd);
		return;
	}
	MUST(!ftruncate(fd, SPARSE_LEN));
	MUST(mmap((void *)SPARSE, SPARSE_LEN, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == (void *)SPARSE);
	dev = dev_new(READY);
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE,
		    driver_table_with(SPARSE_GPA, SPARSE_LEN, SPARSE)));
	MUST(!set_run(dev, 0, 1));
	for (at = 0; at < SPARSE_LEN; at += LEAF)
		good &= !read_to(SPARSE_GPA - GPA + at, 512);
	after = slab_bytes();
	diag("%ld bytes for %lu pins", after - before, SPARSE_LEN / LEAF);
	ok(good && after - before > (long)(SPARSE_LEN / LEAF * PAGE),
	   "the table is charged to the owner");
	close(dev);
	munmap((void *)SPARSE, SPARSE_LEN);
	close(fd);
}

int main(void)
{
	tap_begin(100);
	driver_init();
	in_child(many_unprivileged);
	in_child(many_privileged);
	in_child(exact_limit);
	test_bytes();
	test_ring_bytes();
	test_no_memory();
	test_mended();
	test_charge();
	return tap_end();
}
