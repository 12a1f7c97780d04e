// SPDX-License-Identifier: GPL-2.0
/*
 * bdev WHAT DISK [ARGUMENT] - the module does no more to a block device than write(2)
 *could, and never blocks a ringing thread
 *
 * WHAT is one of
 *   refuse	writes to a disk that is read-only or swap fail
 *   lazy	a disk that transfers nothing gives the guest no host memory
 *   cache	SET_BLK and the close do to the page cache what direct I/O does
 *   reader	a close does not wait for a process that reads the suspended disk, the
 *		device-mapper device ARGUMENT, through the page cache
 *   stable	write, and change the data while the writes are in flight
 *   ring	the thread that rings does not wait for a disk whose server is
 *		stopped: the process ARGUMENT
 *   flush	flushes that wait for a suspended disk, the device-mapper device
 *		ARGUMENT, take one thread
 *   abort	a long discard ends soon after a close
 */
#include <dirent.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "args.h"
#include "driver.h"

#define BUFFER	0x100000UL	/* in guest memory */
#define BYTES	65536U

static const char *path, *argument;
static int dev;

static unsigned char *data(void)
{
	return (void *)(MEM + BUFFER);
}

static int send(__u32 type, __u64 sector, __u32 len)
{
	driver_add_at(0, type, sector, GPA, BUFFER, len);
	eventfd_write(FD_KICK, 1);
	return driver_wait(0);
}

static int send_range(__u32 type, __u64 sector, __u32 n)
{
	struct virtio_blk_discard_write_zeroes r = {
		.sector = sector, .num_sectors = n,
	};

	memcpy(data(), &r, sizeof(r));
	return send(type, 0, sizeof(r));
}

static int write_byte(__u64 sector, int byte)
{
	memset(data(), byte, BYTES);
	return send(VIRTIO_BLK_T_OUT, sector, BYTES);
}

/*
 * The byte that fills this sector, or -1 if the bytes differ or the read fails.
 */
static int read_byte(__u64 sector)
{
	memset(data(), 0xee, BYTES);
	if (send(VIRTIO_BLK_T_IN, sector, BYTES))
		return -1;
	for (__u32 i = 1; i < BYTES; i++) {
		if (data()[i] != *data())
			return -1;
	}
	return *data();
}

static int try_blk(int fd, __u64 *features)
{
	struct vhost_doorbell_blk blk = {
		.fd = fd, .num_queues = QUEUES,
		.flags = VHOST_DOORBELL_BLK_F_DISCARD |
			 VHOST_DOORBELL_BLK_F_WRITE_ZEROES,
	};

	dev = dev_new(OWNED);
	if (ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk))
		return errno;
	MUST(!ioctl(dev, VHOST_GET_FEATURES, features));
	return 0;
}

static void begin(void)
{
	__u64 features;

	MUST(!try_blk(FD_DISK, &features));
	dev_advance(dev, BACKED, READY);
	MUST(!set_features(dev, features &
			   (1ULL << VIRTIO_F_VERSION_1 |
			    1ULL << VIRTIO_BLK_F_RO |
			    1ULL << VIRTIO_BLK_F_FLUSH |
			    1ULL << VIRTIO_BLK_F_DISCARD |
			    1ULL << VIRTIO_BLK_F_WRITE_ZEROES)));
	dev_advance(dev, READY, RUNNING);
}

static void set_read_only(int on)
{
	MUST(!ioctl(FD_DISK, BLKROSET, &on));
}

/* --- writes to a disk that is read-only or swap fail --- */

/* All requests that change the disk must fail; all others must succeed. */
static void refuses(const char *why)
{
	__u64 errors = get_stats(dev, 0).errors;

	ok(write_byte(64, 0x5a) == VIRTIO_BLK_S_IOERR, "%s: write", why);
	ok(send_range(VIRTIO_BLK_T_WRITE_ZEROES, 64, 64) ==
	   VIRTIO_BLK_S_IOERR, "%s: zeroes", why);
	ok(send_range(VIRTIO_BLK_T_DISCARD, 64, 64) ==
	   VIRTIO_BLK_S_IOERR, "%s: discard", why);
	ok(read_byte(64) == 0xa5, "%s: read, nothing has changed", why);
	ok(!send(VIRTIO_BLK_T_FLUSH, 0, 0), "%s: flush", why);
	ok(get_stats(dev, 0).errors == errors + 3, "%s: three errors", why);
}

static void refuse_in(unsigned int mode, const char *name)
{
	char why[64];

	begin();
	MUST(!set_mode(dev, mode));
	MUST(!write_byte(64, 0xa5));
	set_read_only(1);
	snprintf(why, sizeof(why), "read-only, %s", name);
	refuses(why);
	set_read_only(0);
	ok(!write_byte(64, 0xa5), "%s: writable again", why);
	close(dev);
}

static void test_swap(void)
{
	char command[128];
	__u64 features;

	begin();
	snprintf(command, sizeof(command), "mkswap %s >/dev/null 2>&1", path);
	MUST(!system(command));
	MUST(!write_byte(64, 0xa5));
	MUST(!swapon(path, 0));
	refuses("swap");
	close(dev);
	ok(try_blk(FD_DISK, &features) == ETXTBSY, "swap: SET_BLK");
	close(dev);
	ok(!try_blk(open(path, O_RDONLY), &features) &&
	   features & 1ULL << VIRTIO_BLK_F_RO, "swap: SET_BLK to be read");
	close(dev);
	MUST(!swapoff(path));
	begin();
	ok(!write_byte(64, 0xa5), "no swap any more");
	close(dev);
}

static void test_refuse(void)
{
	__u64 features;

	refuse_in(VHOST_DOORBELL_MODE_WORKER, "worker");
	refuse_in(VHOST_DOORBELL_MODE_INLINE, "inline");
	set_read_only(1);
	ok(!try_blk(FD_DISK, &features) &&
	   features & 1ULL << VIRTIO_BLK_F_RO &&
	   !(features & 1ULL << VIRTIO_BLK_F_DISCARD),
	   "read-only before: a read-only disk");
	close(dev);
	set_read_only(0);
	test_swap();
}

/* --- a disk that transfers nothing gives no host memory --- */

static void test_lazy(void)
{
	bool clean = true;

	begin();
	for (int i = 0; i < 50; i++) {
		/*
		 * The buffer is misaligned, so the module reads through pages
		 * of its own.
		 */
		memset(data(), 0, BYTES + 64);
		driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, BUFFER + 1, BYTES);
		eventfd_write(FD_KICK, 1);
		MUST(!driver_wait(0));
		for (__u32 j = 0; j < BYTES; j++)
			clean = clean && !data()[1 + j];
	}
	ok(clean, "a disk that transfers nothing: no host memory is read");
	close(dev);
}

/* --- SET_BLK and the page cache --- */

/* How many of the first pages of the disk are in the page cache? */
static int cached(int fd)
{
	unsigned char in[BYTES / PAGE];
	void *map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
	int n = 0;

	MUST(map != MAP_FAILED);
	MUST(!mincore(map, BYTES, in));
	for (unsigned int i = 0; i < BYTES / PAGE; i++)
		n += in[i] & 1;
	munmap(map, BYTES);
	return n;
}

static bool host_has(int fd, int byte)
{
	unsigned char buffer[BYTES];

	MUST(pread(fd, buffer, BYTES, 0) == BYTES);
	for (__u32 i = 0; i < BYTES; i++) {
		if (buffer[i] != byte)
			return false;
	}
	return true;
}

/*
 * Pages that were read a moment ago may wait on a CPU's list for the LRU. They are in use
 * until the list is emptied, and the page cache does not drop a page in use.
 */
static void empty_lists(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);

	MUST(fd >= 0 && write(fd, "1", 1) == 1);
	close(fd);
}

static void test_cache(void)
{
	unsigned char buffer[BYTES];
	int host = open(path, O_RDWR), reader = open(path, O_RDONLY);
	volatile unsigned char *map;
	__u64 features;

	MUST(host >= 0 && reader >= 0);
	memset(buffer, 0x11, BYTES);
	MUST(pwrite(host, buffer, BYTES, 0) == BYTES);
	MUST(cached(host) == BYTES / PAGE);
	empty_lists();
	ok(!try_blk(reader, &features) && cached(host) == BYTES / PAGE,
	   "to read: the page cache keeps its pages");
	close(dev);
	ok(cached(host) == BYTES / PAGE, "and so it does at close");
	memset(buffer, 0x22, BYTES);
	MUST(pwrite(host, buffer, BYTES, 0) == BYTES);
	empty_lists();
	begin();
	ok(!cached(host), "to write: the page cache drops its pages");
	ok(read_byte(0) == 0x22, "what was dirty is on the disk");
	MUST(!write_byte(0, 0x33));
	MUST(!fsync(host));
	ok(read_byte(0) == 0x33, "it does not come over the guest's data");
	/* Pages in use: on a CPU's list for the LRU, and mapped */
	MUST(host_has(host, 0x33));
	map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED | MAP_POPULATE, host, 0);
	MUST(map != MAP_FAILED && *map == 0x33);
	MUST(!write_byte(0, 0x44));
	ok(*map == 0x33, "while it is open the host may have old data");
	close(dev);
	ok(host_has(host, 0x44), "after close the host reads the guest's data");
	ok(*map == 0x44, "also where it has mapped it");
	munmap((void *)map, BYTES);
}

static void dmsetup(const char *command)
{
	char line[128];

	snprintf(line, sizeof(line), "dmsetup --noudevsync %s %s", command,
		 argument);
	MUST(!system(line));
}

static char task_state(pid_t pid)
{
	char file[64], state = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%d/stat", pid);
	f = fopen(file, "r");
	MUST(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
	fclose(f);
	return state;
}

/* The reader has pages locked until its read ends. */
static void test_reader(void)
{
	int host = open(path, O_RDONLY), status;
	double begun;
	pid_t child;

	begin();
	MUST(host >= 0 && !write_byte(0, 0x55));
	dmsetup("suspend");
	fflush(stdout);
	child = fork();
	MUST(child >= 0);
	if (!child) {
		/* The parent's close is to be the last one. */
		close(dev);
		_exit(!host_has(host, 0x55));
	}
	MUST(UNTIL(task_state(child) == 'D'));
	begun = now();
	close(dev);
	ok(now() - begun < 5 * tap_factor(),
	   "a close does not wait for a process that reads: %.3f s", now() - begun);
	ok(waitpid(child, &status, WNOHANG) == 0, "which waits for the disk");
	dmsetup("resume");
	MUST(waitpid(child, &status, 0) == child);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "it has the guest's data");
	ok(host_has(host, 0x55), "and so have others");
}

/* --- data that changes while it is written --- */

static void test_stable(void)
{
	struct vhost_doorbell_stats before;

	begin();
	before = get_stats(dev, 0);
	for (int i = 0; i < 10; i++) {
		memset(data(), i, BYTES);
		driver_add_at(0, VIRTIO_BLK_T_OUT, 0, GPA, BUFFER, BYTES);
		eventfd_write(FD_KICK, 1);
		while (!driver_done(0)) {
			for (__u32 j = 0; j < BYTES; j += 512)
				((volatile unsigned char *)data())[j]++;
		}
		MUST(!driver_wait(0));
	}
	ok(get_stats(dev, 0).completed == before.completed + 10,
	   "writes of pages that change");
	close(dev);
}

/* --- the ringing thread does not wait for the disk --- */

static void test_ring(void)
{
	pid_t server = arg_number("SERVER", argument, INT32_MAX), child;
	volatile bool *waited;

	waited = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(waited != MAP_FAILED);
	begin();
	MUST(!set_mode(dev, VHOST_DOORBELL_MODE_INLINE));
	/* This write pins the pages. */
	MUST(!send(VIRTIO_BLK_T_OUT, 0, 4 << 20));
	MUST(!kill(server, SIGSTOP));
	child = fork();
	MUST(child >= 0);
	if (!child) {
		/*
		 * If the main process is blocked, let the server go on after a
		 * while.
		 */
		sleep(10 * tap_factor());
		*waited = true;
		kill(server, SIGCONT);
		_exit(0);
	}
	/* More data than a socket takes at once. */
	driver_add_at(0, VIRTIO_BLK_T_OUT, 0, GPA, BUFFER, 4 << 20);
	eventfd_write(FD_KICK, 1);
	ok(!*waited, "the ringing thread does not wait for the disk");
	MUST(!kill(child, SIGKILL) && waitpid(child, NULL, 0) == child);
	MUST(!kill(server, SIGCONT));
	ok(!driver_wait(0), "the request ends when the server goes on");
	close(dev);
}

/* --- many flushes wait in one thread --- */

/* Number of the kernel threads that work for disks */
static int workers(void)
{
	char file[300], name[64];
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int n = 0;
	FILE *f;

	MUST(dir);
	while ((entry = readdir(dir))) {
		snprintf(file, sizeof(file), "/proc/%s/comm", entry->d_name);
		f = fopen(file, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
		    strstr(name, "+vhost-doorbell"))
			n++;
		fclose(f);
	}
	closedir(dir);
	return n;
}

static void test_flush(void)
{
	struct virtio_blk_outhdr *hdr = (void *)(MEM + HDR(0));
	struct vring_avail *avail = (void *)AVAIL(0);
	volatile unsigned char *status = (void *)(MEM + STATUS(0));
	bool good = true;
	int i, n;

	begin();
	/* A flush that has nothing to do would not wait. */
	MUST(!send(VIRTIO_BLK_T_FLUSH, 0, 0) && !write_byte(0, 0x5a));
	dmsetup("suspend --nolockfs --noflush");
	*hdr = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_FLUSH };
	for (i = 0; i < NUM / 2; i++) {
		status[i] = 0xff;
		driver_desc(0, 2 * i, GPA + HDR(0), sizeof(*hdr),
			    VRING_DESC_F_NEXT);
		driver_desc(0, 2 * i + 1, GPA + STATUS(0) + i, 1,
			    VRING_DESC_F_WRITE);
		avail->ring[driver_avail[0]++ % NUM] = 2 * i;
	}
	__atomic_store_n(&avail->idx, driver_avail[0], __ATOMIC_SEQ_CST);
	eventfd_write(FD_KICK, 1);
	MUST(UNTIL(workers()));
	/* Time for further threads to start */
	sleep(1);
	n = workers();
	ok(n == 1, "%d flushes wait in one thread: %d", NUM / 2, n);
	dmsetup("resume");
	MUST(!driver_wait(0));
	for (i = 0; i < NUM / 2; i++)
		good = good && !status[i];
	ok(good, "all of them succeed");
	close(dev);
}

/* --- a close ends a long discard --- */

/* Sectors that the disk has discarded so far */
static unsigned long discarded(void)
{
	char file[64], line[256];
	unsigned long n = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/sys/block/%s/stat", argument);
	f = fopen(file, "r");
	MUST(f && fgets(line, sizeof(line), f));
	fclose(f);
	MUST(sscanf(line, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu",
		    &n) == 1);
	return n;
}

static void test_abort(void)
{
	struct virtio_blk_discard_write_zeroes r[16];
	unsigned long before = discarded(), n;
	__u64 sectors;

	begin();
	MUST(!ioctl(FD_DISK, BLKGETSIZE64, &sectors));
	sectors /= 512;
	for (int i = 0; i < 16; i++)
		r[i] = (struct virtio_blk_discard_write_zeroes){
			.num_sectors = sectors,
		};
	memcpy(data(), r, sizeof(r));
	driver_add_at(0, VIRTIO_BLK_T_DISCARD, 0, GPA, BUFFER, sizeof(r));
	eventfd_write(FD_KICK, 1);
	MUST(UNTIL(discarded() > before));
	ok(!driver_done(0), "a request of ranges takes long");
	close(dev);
	n = (discarded() - before) / sectors;
	ok(n < 8, "a close ends it: %lu ranges of 16 were done", n);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{ "refuse", test_refuse },
		{ "lazy", test_lazy },
		{ "cache", test_cache },
		{ "reader", test_reader },
		{ "stable", test_stable },
		{ "ring", test_ring },
		{ "flush", test_flush },
		{ "abort", test_abort },
	};

	tap_begin(120);
	MUST(argc >= 3);
	path = argv[2];
	argument = argc > 3 ? argv[3] : "";
	driver_init();
	fd_at(FD_DISK, open(path, O_RDWR | O_CLOEXEC));
	for (unsigned int i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (!strcmp(tests[i].name, argv[1]))
			tests[i].run();
	}
	return tap_end();
}
