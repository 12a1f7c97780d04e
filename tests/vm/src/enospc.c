// SPDX-License-Identifier: GPL-2.0
/*
 * enospc IMAGE FILL FREE [MAPPED] - requests for which the disk has no room
 *
 * IMAGE is an empty place of a full disk: a sparse file, or a thin volume. FILL and FREE
 * are shell commands that take all room, and give some. With MAPPED only what a flush
 * does is tested: IMAGE has a place for a page at that sector, and its disk fails each
 * flush for want of room.
 */
#include <sys/wait.h>

#include "driver.h"

#define SLICED	32768U
/* More than half of guest memory */
#define MOST	(MEM_LEN / 8 * 5)

static const char *image, *cmd_fill, *cmd_free;
static unsigned int mode;
static const char *mode_name;
/* The next sector to write; never one that was written before. */
static __u64 fresh;

static void run(const char *cmd)
{
	MUST(!system(cmd));
}

static int hold_blk(int dev, unsigned int flags)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = QUEUES,
		.seg_max = 1, .size_max = PAGE,
		.flags = flags | VHOST_DOORBELL_BLK_F_NOWAIT |
			 VHOST_DOORBELL_BLK_F_WRITE_ZEROES,
	};

	return ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk);
}

static void hold_start(int dev, unsigned int flags)
{
	int q;

	MUST(!ioctl(dev, VHOST_SET_OWNER));
	MUST(!hold_blk(dev, flags));
	driver_reset();
	/* With FLUSH a write need not be stable when it completes. */
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1 |
				1ULL << VIRTIO_BLK_F_WRITE_ZEROES |
				(mode_name[0] == 'w' ? 0 :
				 1ULL << VIRTIO_BLK_F_FLUSH)));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()));
	MUST(!set_mode(dev, mode));
	for (q = 0; q < QUEUES; q++) {
		dev_set_queue(dev, q);
		MUST(!set_run(dev, q, 1));
	}
}

static int hold_new(unsigned int flags)
{
	int dev = dev_open();

	hold_start(dev, flags);
	return dev;
}

static __u64 fresh_sector(void)
{
	fresh += 1 << 20 >> 9;
	return fresh;
}

/* Adds a write of a pattern; returns its sector. */
static __u64 add_write(unsigned int len)
{
	__u64 sector = fresh_sector();
	unsigned int i;

	for (i = 0; i < len / 8; i++)
		((__u64 *)(MEM + DATA(0)))[i] = sector * 1000 + i + 1;
	driver_add_at(0, VIRTIO_BLK_T_OUT, sector, GPA, DATA(0), len);
	eventfd_write(FD_KICK, 1);
	return sector;
}

static bool wrote(__u64 sector, unsigned int len)
{
	static __u64 buf[SLICED / 8] __attribute__((aligned(PAGE)));
	unsigned int i;

	if (pread(FD_DISK, buf, len, sector << 9) != len)
		return false;
	for (i = 0; i < len / 8; i++) {
		if (buf[i] != sector * 1000 + i + 1)
			return false;
	}
	return true;
}

static bool is_held(int dev)
{
	return UNTIL(fdinfo_counter(dev, "held") == 1) && !driver_done(0);
}

static bool ended(void)
{
	return driver_done(0) &&
	       *(volatile __u8 *)(MEM + STATUS(0)) == VIRTIO_BLK_S_IOERR;
}

static void test_error(void)
{
	int dev = hold_new(0);

	add_write(PAGE);
	ok(driver_wait(0) == VIRTIO_BLK_S_IOERR &&
	   !fdinfo_counter(dev, "holds"),
	   "%s: an error, if not asked for anything else", mode_name);
	close(dev);
}

static void test_room(unsigned int len)
{
	int dev = hold_new(VHOST_DOORBELL_BLK_F_HOLD_NOSPC);
	__u64 sector = add_write(len);
	struct vhost_doorbell_stats st;

	ok(is_held(dev), "%s: a write of %u bytes is held", mode_name, len);
	st = get_stats(dev, 0);
	ok(st.in_flight == 1 && st.held == 1 && st.holds == 1 && !st.errors,
	   "%s: it is in flight", mode_name);
	ok(driver_send(1, VIRTIO_BLK_T_IN, 0, 512) == VIRTIO_BLK_S_OK &&
	   driver_send(1, VIRTIO_BLK_T_FLUSH, 0, 0) == VIRTIO_BLK_S_OK,
	   "%s: others go on", mode_name);
	sleep(2);
	ok(!driver_done(0) && get_stats(dev, 0).held == 1 &&
	   get_stats(dev, 0).holds == 1,
	   "%s: while there is no room it waits", mode_name);
	run(cmd_free);
	ok(driver_wait(0) == VIRTIO_BLK_S_OK, "%s: with room it completes",
	   mode_name);
	st = get_stats(dev, 0);
	ok(!st.held && !st.in_flight && !st.errors && st.bytes_written == len,
	   "%s: and nothing waits", mode_name);
	ok(!set_run(dev, 0, 0) && wrote(sector, len),
	   "%s: all of it is on the disk", mode_name);
	close(dev);
	run(cmd_fill);
}

/*
 * A held request keeps pages pinned, also pages that the owner gives away meanwhile. If
 * they leave no room to pin others, the held request must fail: a read must not wait
 * for room on the disk.
 */
static void test_memory(void)
{
	int dev = hold_new(VHOST_DOORBELL_BLK_F_HOLD_NOSPC);

	add_write(PAGE);
	MUST(is_held(dev));
	ok(driver_send(1, VIRTIO_BLK_T_IN, 0, MOST) == VIRTIO_BLK_S_OK,
	   "%s: a read into most of memory", mode_name);
	MUST(!madvise((void *)MEM, MEM_LEN, MADV_DONTNEED));
	ok(driver_send(1, VIRTIO_BLK_T_IN, 0, PAGE) == VIRTIO_BLK_S_OK,
	   "%s: a read after all was given away", mode_name);
	sleep(2);
	ok(is_held(dev), "%s: what is held waits on", mode_name);
	ok(driver_send(1, VIRTIO_BLK_T_IN, 0, MOST) == VIRTIO_BLK_S_OK,
	   "%s: a second read into most of memory", mode_name);
	ok(UNTIL(ended()) && !get_stats(dev, 0).held,
	   "%s: what was held has failed", mode_name);
	MUST(!madvise((void *)MEM, MEM_LEN, MADV_DONTNEED));
	ok(driver_send(1, VIRTIO_BLK_T_IN, 0, MOST) == VIRTIO_BLK_S_OK,
	   "%s: and a third read", mode_name);
	close(dev);
}

static void add_zeroes(__u64 sector)
{
	struct virtio_blk_discard_write_zeroes *range =
		(void *)(MEM + DATA(0));

	*range = (struct virtio_blk_discard_write_zeroes){
		.sector = sector, .num_sectors = PAGE >> 9,
	};
	driver_add_at(0, VIRTIO_BLK_T_WRITE_ZEROES, 0, GPA, DATA(0),
		      sizeof(*range));
	eventfd_write(FD_KICK, 1);
}

/* A stop must end the held requests at once, and not wait for room. */
static void test_stop(void)
{
	int dev = hold_new(VHOST_DOORBELL_BLK_F_HOLD_NOSPC);
	unsigned int q;

	add_write(PAGE);
	MUST(is_held(dev));
	ok(!set_run(dev, 0, 0) && ended() && !get_stats(dev, 0).held,
	   "%s: a stop ends it with an error", mode_name);
	driver_reset();
	for (q = 0; q < QUEUES; q++) {
		MUST(!set_run(dev, q, 0));
		MUST(!set_state(dev, VHOST_SET_VRING_BASE, q, 0));
		MUST(!set_run(dev, q, 1));
	}
	add_zeroes(fresh_sector());
	ok(is_held(dev), "%s: zeroes are held, too", mode_name);
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()) && ended(),
	   "%s: a new memory table ends them", mode_name);
	add_write(SLICED);
	ok(is_held(dev) && !ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()) &&
	   ended(), "%s: and one that is served in slices", mode_name);
	add_write(PAGE);
	MUST(is_held(dev));
	close(dev);
	ok(ended(), "%s: and so does a close", mode_name);
}

/* A device that holds a write, and has an empty in-flight region. */
static int hold_in_region(void)
{
	static __u64 region[1024];
	struct vhost_doorbell_inflight part = {
		.user_addr = (uintptr_t)region, .size = sizeof(region),
	};
	int dev = hold_new(VHOST_DOORBELL_BLK_F_HOLD_NOSPC);

	memset(region, 0, sizeof(region));
	MUST(!set_run(dev, 0, 0));
	MUST(!ioctl(dev, VHOST_DOORBELL_SET_INFLIGHT, &part));
	MUST(!set_run(dev, 0, 1));
	add_write(PAGE);
	MUST(is_held(dev));
	return dev;
}

/* With an in-flight region a stop keeps what is held, unless it is to end it. */
static void test_region(void)
{
	struct vhost_doorbell_run end = {
		.flags = VHOST_DOORBELL_RUN_F_END_HELD,
	};
	int dev = hold_in_region();

	ok(!set_run(dev, 0, 0) && !driver_done(0) && !get_stats(dev, 0).held,
	   "%s: with an in-flight region it outlives a stop", mode_name);
	MUST(!set_run(dev, 0, 1));
	ok(is_held(dev), "%s: and is held again", mode_name);
	ok(!ioctl(dev, VHOST_DOORBELL_SET_RUN, &end) && ended(),
	   "%s: a stop that is to end it ends it", mode_name);
	MUST(!set_run(dev, 0, 1));
	add_write(PAGE);
	MUST(is_held(dev));
	MUST(!set_run(dev, 0, 0));
	/* Most often the second stop comes before it was taken again. */
	ok(!set_run(dev, 0, 1) && !ioctl(dev, VHOST_DOORBELL_SET_RUN, &end) &&
	   ended(), "%s: also if it comes at once after a start", mode_name);
	ok(get_stats(dev, 0).requests == 2 && !get_stats(dev, 0).in_flight,
	   "%s: and nothing is left", mode_name);
	close(dev);
}

/*
 * Of a guest that may be moving nothing is kept in the region, which does not go with it.
 * A write that fails for want of room again must end then, and not wait.
 */
static void test_region_logged(void)
{
	static __u64 bits[8192];
	struct vhost_doorbell_log log = {
		.user_addr = (uintptr_t)bits, .size = sizeof(bits),
	};
	int dev = hold_in_region();

	ok(!ioctl(dev, VHOST_DOORBELL_SET_LOG, &log) && is_held(dev),
	   "%s: with an in-flight region it outlives the begin of a log", mode_name);
	ok(!set_run(dev, 0, 0) && ended() && !get_stats(dev, 0).held,
	   "%s: but no stop while there is one", mode_name);
	close(dev);
}

/* In memory that the owner and its successor share: an in-flight region outlives both. */
static __u64 *shared_region;

static int set_region(int dev)
{
	struct vhost_doorbell_inflight part = {
		.user_addr = (uintptr_t)shared_region, .size = 8192,
	};

	return ioctl(dev, VHOST_DOORBELL_SET_INFLIGHT, &part);
}

static void owner_with_region(int dev)
{
	hold_start(dev, VHOST_DOORBELL_BLK_F_HOLD_NOSPC);
	MUST(!set_run(dev, 0, 0) && !set_region(dev) && !set_run(dev, 0, 1));
	add_write(PAGE);
	_exit(!is_held(dev));
}

/*
 * A daemon that dies while it handles a message: the next one stops the queues, without the
 * flag that ends held requests, and starts them again.
 */
static void test_owner_region(void)
{
	struct vhost_doorbell_run end = {
		.flags = VHOST_DOORBELL_RUN_F_END_HELD,
	};
	int dev = dev_open(), status;
	pid_t pid;

	shared_region = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shared_region != MAP_FAILED);
	pid = fork();
	MUST(pid >= 0);
	if (!pid)
		owner_with_region(dev);
	MUST(waitpid(pid, &status, 0) == pid);
	MUST(WIFEXITED(status) && !WEXITSTATUS(status));
	driver_avail[0] = 1;
	ok(!ioctl(dev, VHOST_DOORBELL_ADOPT, driver_table()) && is_held(dev),
	   "%s: with an in-flight region it outlives an adoption", mode_name);
	ok(!set_run(dev, 0, 0) && !driver_done(0) && !get_stats(dev, 0).held,
	   "%s: and a stop by the new owner", mode_name);
	ok(!set_region(dev) && !set_run(dev, 0, 1) && is_held(dev),
	   "%s: and is held again", mode_name);
	ok(!ioctl(dev, VHOST_DOORBELL_SET_RUN, &end) && ended(),
	   "%s: by the new owner, who can end it", mode_name);
	munmap(shared_region, 8192);
	close(dev);
}

static void owner(int dev)
{
	hold_start(dev, VHOST_DOORBELL_BLK_F_HOLD_NOSPC);
	add_write(PAGE);
	_exit(!is_held(dev));
}

static void test_owner(void)
{
	int dev = dev_open(), status;
	pid_t pid = fork();

	MUST(pid >= 0);
	if (!pid)
		owner(dev);
	MUST(waitpid(pid, &status, 0) == pid);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "%s: the owner dies",
	   mode_name);
	driver_avail[0] = 1;
	sleep(2);
	ok(is_held(dev) && !ended(), "%s: what it held is held on, with the file open",
	   mode_name);
	ok(!ioctl(dev, VHOST_DOORBELL_ADOPT, driver_table()) && ended(),
	   "%s: until another process adopts the device", mode_name);
	close(dev);
}

/*
 * The flush of a write fails, as the disk is full: the write fails and is not held, as
 * other data that the flush lost cannot be written again.
 */
static void test_flush(__u64 mapped)
{
	int dev = hold_new(VHOST_DOORBELL_BLK_F_HOLD_NOSPC);

	ok(driver_send(1, VIRTIO_BLK_T_OUT, mapped, PAGE) == VIRTIO_BLK_S_IOERR,
	   "a write-through write whose flush finds no room fails");
	add_zeroes(mapped);
	ok(driver_wait(0) == VIRTIO_BLK_S_IOERR && !get_stats(dev, 0).holds,
	   "zeroes whose flush finds no room fail");
	close(dev);
}

int main(int argc, char **argv)
{
	static const char * const names[] = { "inline", "worker" };
	static const unsigned int modes[] = {
		VHOST_DOORBELL_MODE_INLINE, VHOST_DOORBELL_MODE_WORKER,
	};
	int i;

	MUST(argc == 4 || argc == 5);
	image = argv[1];
	cmd_fill = argv[2];
	cmd_free = argv[3];
	tap_begin(120);
	driver_init();
	fd_at(FD_DISK, open(image, O_RDWR | O_DIRECT));
	run(cmd_fill);
	if (argc == 5) {
		mode_name = names[1];
		mode = modes[1];
		test_flush(arg_number("BYTES", argv[4], UINT64_MAX));
		return tap_end();
	}
	for (i = 0; i < 2; i++) {
		mode_name = names[i];
		mode = modes[i];
		test_error();
		test_stop();
		test_region();
		test_region_logged();
		test_owner();
		test_owner_region();
		test_memory();
		test_room(PAGE);
		test_room(SLICED);
	}
	return tap_end();
}
