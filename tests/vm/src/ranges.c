// SPDX-License-Identifier: GPL-2.0
/*
 * ranges - discard and write zeroes on a disk: ranges DISK [no-discard]
 *
 * Sectors that were zeroed must read as zeroes, and their neighbours must be
 * unchanged. Discarded sectors of a file must be gone; on other disks their
 * neighbours must at least be unchanged.
 */
#include <sys/stat.h>

#include "driver.h"

#define SECTORS	512U		/* sectors of the disk that the test uses */
#define BUFFER	0x100000UL	/* address in guest memory */

static int dev;
static bool is_file;

static void *data(void)
{
	return (void *)(MEM + BUFFER);
}

static int send(__u32 type, __u32 len)
{
	driver_add_at(0, type, 0, GPA, BUFFER, len);
	eventfd_write(FD_KICK, 1);
	return driver_wait(0);
}

static void fill(void)
{
	memset(data(), 0xa5, SECTORS * 512);
	MUST(!send(VIRTIO_BLK_T_OUT, SECTORS * 512));
}

/*
 * Are exactly these sectors zero? With @any, these sectors may hold anything.
 */
static bool holds(__u32 first, __u32 n, bool any)
{
	const unsigned char *at = data();

	memset(data(), 0xee, SECTORS * 512);
	MUST(!send(VIRTIO_BLK_T_IN, SECTORS * 512));
	for (__u32 i = 0; i < SECTORS * 512; i++) {
		bool inside = i / 512 >= first && i / 512 < first + n;

		if (inside && any)
			continue;
		if (at[i] != (inside ? 0 : 0xa5)) {
			diag("byte %u is %#x", i, at[i]);
			return false;
		}
	}
	return true;
}

static int send_ranges(__u32 type,
		       const struct virtio_blk_discard_write_zeroes *r, __u32 n)
{
	memcpy(data(), r, n * sizeof(*r));
	return send(type, n * sizeof(*r));
}

static int send_range(__u32 type, __u64 sector, __u32 n, __u32 flags)
{
	struct virtio_blk_discard_write_zeroes r = {
		.sector = sector, .num_sectors = n, .flags = flags,
	};

	return send_ranges(type, &r, 1);
}

static void test_zeroes(void)
{
	__u32 flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	struct stat before, after;

	fill();
	MUST(!fstat(FD_DISK, &before));
	ok(!send_range(VIRTIO_BLK_T_WRITE_ZEROES, 64, 128, 0) &&
	   holds(64, 128, false), "zeroes");
	MUST(!fstat(FD_DISK, &after));
	ok(!is_file || after.st_blocks >= before.st_blocks,
	   "zeroes: a file keeps its room");
	fill();
	ok(!send_range(VIRTIO_BLK_T_WRITE_ZEROES, 8, 1, 0) &&
	   holds(8, 1, false), "zeroes: one sector");
	fill();
	ok(!send_range(VIRTIO_BLK_T_WRITE_ZEROES, 64, 128, flags) &&
	   holds(64, 128, false), "zeroes that may be unmapped");
}

static void test_discard(bool offered)
{
	const struct virtio_blk_discard_write_zeroes two[] = {
		{ .sector = 0, .num_sectors = 64 },
		{ .sector = 64, .num_sectors = 192 },
	};
	struct stat before, after;

	fill();
	if (!offered) {
		ok(send_range(VIRTIO_BLK_T_DISCARD, 0, 8, 0) ==
		   VIRTIO_BLK_S_UNSUPP && holds(0, 0, false),
		   "discard: not offered");
		return;
	}
	MUST(!fstat(FD_DISK, &before));
	ok(!send_ranges(VIRTIO_BLK_T_DISCARD, two, 2) &&
	   holds(0, 256, !is_file), "discard: two ranges");
	MUST(!fstat(FD_DISK, &after));
	ok(!is_file || after.st_blocks < before.st_blocks,
	   "discard: a file gets smaller");
}

static void test_errors(void)
{
	ok(send_range(VIRTIO_BLK_T_WRITE_ZEROES, ~0ULL, 8, 0) ==
	   VIRTIO_BLK_S_IOERR, "zeroes: past the end");
	ok(send_range(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 1U << 31) ==
	   VIRTIO_BLK_S_UNSUPP, "zeroes: an unknown flag");
	ok(send_range(VIRTIO_BLK_T_WRITE_ZEROES, 0, 0, 0) ==
	   VIRTIO_BLK_S_IOERR, "zeroes: nothing");
	ok(driver_works(0), "it goes on");
}

static void test_config(bool offered)
{
	struct vhost_doorbell_config config = { .size = 60 };
	struct virtio_blk_config c;

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_CONFIG, &config));
	memcpy(&c, config.data, sizeof(config.data) < sizeof(c) ?
	       sizeof(config.data) : sizeof(c));
	ok(c.max_write_zeroes_seg && c.max_write_zeroes_sectors >= 32768 &&
	   c.write_zeroes_may_unmap, "config: limits of zeroes");
	ok(!!c.max_discard_seg == offered &&
	   (c.max_discard_sectors >= 32768) == offered,
	   "config: limits of discards");
}

static void set_up(__u32 flags)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = QUEUES, .seg_max = 126,
		.flags = flags,
	};
	__u64 features;

	dev = dev_new(OWNED);
	MUST(!ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk));
	dev_advance(dev, BACKED, READY);
	MUST(!ioctl(dev, VHOST_GET_FEATURES, &features));
	MUST(!set_features(dev, features &
			   (1ULL << VIRTIO_F_VERSION_1 |
			    1ULL << VIRTIO_BLK_F_FLUSH |
			    1ULL << VIRTIO_BLK_F_DISCARD |
			    1ULL << VIRTIO_BLK_F_WRITE_ZEROES)));
	dev_advance(dev, READY, RUNNING);
}

static __u64 offered_with(__u32 flags)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = 1, .flags = flags,
	};
	int fd = dev_new(OWNED);
	__u64 features;

	MUST(!ioctl(fd, VHOST_DOORBELL_SET_BLK, &blk));
	MUST(!ioctl(fd, VHOST_GET_FEATURES, &features));
	close(fd);
	return features & (1ULL << VIRTIO_BLK_F_DISCARD |
			   1ULL << VIRTIO_BLK_F_WRITE_ZEROES);
}

int main(int argc, char **argv)
{
	__u32 all = VHOST_DOORBELL_BLK_F_DISCARD |
		    VHOST_DOORBELL_BLK_F_WRITE_ZEROES;
	bool offered = argc == 2;
	struct stat st;

	tap_begin(60);
	MUST(argc >= 2);
	driver_init();
	fd_at(FD_DISK, open(argv[1], O_RDWR | O_CLOEXEC));
	MUST(!fstat(FD_DISK, &st));
	is_file = S_ISREG(st.st_mode);
	ok(!offered_with(0), "not asked for: not offered");
	ok(!offered_with(all | VHOST_DOORBELL_BLK_F_READ_ONLY),
	   "read-only: not offered");
	ok(offered_with(all) ==
	   (1ULL << VIRTIO_BLK_F_WRITE_ZEROES |
	    (offered ? 1ULL << VIRTIO_BLK_F_DISCARD : 0)),
	   "offered as the disk can do it");
	set_up(all);
	test_config(offered);
	test_zeroes();
	test_discard(offered);
	test_errors();
	close(dev);
	return tap_end();
}
