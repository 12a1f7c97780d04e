// SPDX-License-Identifier: GPL-2.0
/*
 * truncate - a file shrinks below a disk whose capacity is not updated:
 * truncate FILE [direct]
 */
#include <sys/stat.h>

#include "driver.h"

#define LONG	(4UL << 20)
#define SHORT	(1UL << 20)
#define EDGE	(SHORT / 512)

static int dev;

static void set_up(unsigned int mode)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = QUEUES,
		.flags = VHOST_DOORBELL_BLK_F_DISCARD |
			 VHOST_DOORBELL_BLK_F_WRITE_ZEROES,
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
	MUST(!set_mode(dev, mode));
	dev_advance(dev, READY, RUNNING);
}

static int range(__u32 type, __u64 sector, __u32 n)
{
	struct virtio_blk_discard_write_zeroes r = {
		.sector = sector, .num_sectors = n,
	};

	memcpy((void *)(MEM + DATA(0)), &r, sizeof(r));
	return driver_send(0, type, 0, sizeof(r));
}

static bool is_short(void)
{
	struct stat st;

	MUST(!fstat(FD_DISK, &st));
	return st.st_size == SHORT && st.st_blocks * 512UL <= SHORT;
}

/* A request beyond the end of the file, and one across it */
static void test(const char *mode)
{
	const __u64 at[] = { EDGE + 1024, EDGE - 4 };

	MUST(!ftruncate(FD_DISK, LONG));
	MUST(!driver_send(0, VIRTIO_BLK_T_OUT, at[0], 4096));
	MUST(!ftruncate(FD_DISK, SHORT));
	for (int i = 0; i < 2; i++) {
		const char *where = i ? "across the end" : "beyond the end";

		ok(driver_send(0, VIRTIO_BLK_T_OUT, at[i], 4096) ==
		   VIRTIO_BLK_S_IOERR, "%s, %s: a write fails", mode, where);
		driver_add_at(0, VIRTIO_BLK_T_OUT, at[i], GPA, DATA(0) + 1,
			      4096);
		eventfd_write(FD_KICK, 1);
		ok(driver_wait(0) == VIRTIO_BLK_S_IOERR,
		   "%s, %s: a buffered one, too", mode, where);
		ok(range(VIRTIO_BLK_T_WRITE_ZEROES, at[i], 8) ==
		   VIRTIO_BLK_S_IOERR, "%s, %s: zeroes", mode, where);
		ok(range(VIRTIO_BLK_T_DISCARD, at[i], 8) ==
		   VIRTIO_BLK_S_IOERR, "%s, %s: a discard", mode, where);
		ok(driver_send(0, VIRTIO_BLK_T_IN, at[i], 4096) ==
		   VIRTIO_BLK_S_IOERR, "%s, %s: a read", mode, where);
		ok(is_short(), "%s, %s: it is as short as before", mode,
		   where);
	}
	ok(!driver_send(0, VIRTIO_BLK_T_OUT, EDGE - 8, 4096),
	   "%s: up to the end all is well", mode);
	MUST(!ftruncate(FD_DISK, LONG));
	ok(!driver_send(0, VIRTIO_BLK_T_OUT, at[0], 4096),
	   "%s: made longer it is served again", mode);
}

int main(int argc, char **argv)
{
	tap_begin(120);
	MUST(argc >= 2);
	driver_init();
	fd_at(FD_DISK, open(argv[1], O_RDWR | O_CLOEXEC |
			    (argc > 2 ? O_DIRECT : 0)));
	MUST(!ftruncate(FD_DISK, LONG));
	set_up(VHOST_DOORBELL_MODE_INLINE);
	test("inline");
	close(dev);
	set_up(VHOST_DOORBELL_MODE_WORKER);
	test("worker");
	close(dev);
	return tap_end();
}
