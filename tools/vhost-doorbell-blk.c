// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-doorbell-blk - a vhost-user-blk back end whose queues the kernel serves
 *
 * Speaks vhost-user with the VMM and turns what it says into the ioctls of
 * /dev/vhost-doorbell. Then it sleeps: requests never come here.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blk_options.h"
#include "bytes.h"
#include "daemon.h"
#include "disk.h"
#include "disk_below.h"
#include "disk_watch.h"
#include "fd.h"
#include "feature.h"
#include "image_format.h"
#include "lifetime.h"
#include "log.h"
#include "server.h"
#include "stop.h"
#include "vhd.h"
#include "vhd_watch.h"

#define SEG_MAX		126u

#define SECTOR_SIZE	512u

#define OPEN_TRIES	10
#define OPEN_PAUSE_US	100000

static const char *disk_error(int err)
{
	switch (err) {
	case -EBUSY:
		return "in use: mounted, held by a program, or a closed device still waits for it";
	case -EAGAIN:
		return "locked by another program, such as QEMU";
	case -EINVAL:
		return "neither a block device nor a file";
	case -ENOMEDIUM:
		return "a block device of no size";
	case -ENOTBLK:
		return "not of the kind that it was: block device or file";
	default:
		return strerror(-err);
	}
}

/*
 * The guest sees whole sectors only. A writer that does not know of the bytes behind
 * the last would leave them stale, or lose them where it copies the disk.
 */
static int check_tail(const struct disk *disk)
{
	unsigned int tail = disk->size % SECTOR_SIZE;

	if (!tail || disk->is_block)
		return 0;
	if (disk->read_only) {
		log_warn("%s: the guest does not see bytes at the end (%u), which are no whole sector",
			 disk->path, tail);
		return 0;
	}
	log_err("%s: %llu bytes are not whole sectors of %u bytes; pad the file: truncate -s %%%u %s",
		disk->path, (unsigned long long)disk->size, SECTOR_SIZE,
		SECTOR_SIZE, disk->path);
	return -EINVAL;
}

static void warn_of_format(const struct disk *disk)
{
	const char *format = image_format_read(disk->fd);

	if (format)
		log_warn("%s: looks like a %s image, and is served as it is; convert it: qemu-img convert -O raw %s RAW-FILE; or say --format=raw",
			 disk->path, format, disk->path);
}

static void warn_of_lock(const struct disk *disk)
{
	if (disk->lock_error)
		log_warn("%s: cannot be locked there: %s; other programs may use it",
			 disk->path, strerror(-disk->lock_error));
}

/*
 * The kernel may still complete requests of a daemon that has ended, and holds the
 * disk until then: one that takes its place at once waits for that, not for long.
 */
static int try_open_disk(const struct blk_options *o, struct disk *disk)
{
	int tries = OPEN_TRIES, ret;

	for (;;) {
		ret = disk_open(disk, o->blk_file, o->read_only, o->locking);
		if ((ret != -EBUSY && ret != -EAGAIN) || !--tries)
			return ret;
		usleep(OPEN_PAUSE_US);
	}
}

static int open_disk(const struct blk_options *o, struct disk *disk)
{
	int ret = try_open_disk(o, disk);

	if (ret == -ENOLCK && disk->lock_error) {
		log_err("%s: cannot be locked there: %s", o->blk_file,
			strerror(-disk->lock_error));
		return ret;
	}
	if (ret) {
		log_err("%s: %s", o->blk_file, disk_error(ret));
		return ret;
	}
	/* First, as such an image may be of any size. */
	if (!o->raw)
		warn_of_format(disk);
	ret = check_tail(disk);
	if (ret) {
		disk_close(disk);
		return ret;
	}
	if (!disk->direct)
		log_warn("%s: no direct I/O there; using the page cache",
			 o->blk_file);
	if (!o->read_only && disk->is_block && disk_below_read_only(disk->fd))
		log_warn("%s: set read-only, so the guest may not write either",
			 o->blk_file);
	warn_of_lock(disk);
	return 0;
}

/* What attach_blk() gets. */
struct blk_back_end {
	struct disk	     *disk;
	struct disk_watch    *watch;
	const struct blk_options *options;
};

/* What the disk cannot do is not offered, whatever is asked for. */
static uint32_t blk_flags(const struct blk_options *o)
{
	uint32_t flags = 0;

	if (o->read_only)
		flags |= VHOST_DOORBELL_BLK_F_READ_ONLY;
	if (o->features & BIT(VIRTIO_BLK_F_DISCARD))
		flags |= VHOST_DOORBELL_BLK_F_DISCARD;
	if (o->features & BIT(VIRTIO_BLK_F_WRITE_ZEROES))
		flags |= VHOST_DOORBELL_BLK_F_WRITE_ZEROES;
	if (o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE))
		flags |= VHOST_DOORBELL_BLK_F_CONFIG_WCE;
	if (o->features & BIT(FEATURE_SECURE_ERASE))
		flags |= VHOST_DOORBELL_BLK_F_SECURE_ERASE;
	if (o->features & BIT(FEATURE_ZONED))
		flags |= VHOST_DOORBELL_BLK_F_ZONED;
	return flags;
}

static void set_lifetime(struct vhost_doorbell_blk *blk, const struct disk *disk)
{
	struct lifetime life;

	if (lifetime_read(&life, disk->fd))
		return;
	blk->flags |= VHOST_DOORBELL_BLK_F_LIFETIME;
	blk->pre_eol_info = life.pre_eol_info;
	blk->lifetime_est_typ_a = life.typ_a;
	blk->lifetime_est_typ_b = life.typ_b;
}

/*
 * A disk that went away comes back under its name only: a device that was removed
 * and found again is another one for the kernel.
 */
static int find_disk(const struct blk_back_end *b)
{
	/* A front end may come again and again: each reason is logged once. */
	static int logged;
	struct disk *disk = b->disk;
	int ret;

	if (!disk_is_gone(disk)) {
		logged = 0;
		return 0;
	}
	ret = disk_reopen(disk);
	if (ret && ret != logged)
		log_err("%s: the disk has gone, and cannot be opened again: %s",
			disk->path, disk_error(ret));
	logged = ret;
	if (ret)
		return -ENOMEDIUM;
	log_info("%s: the disk had gone, and was opened again", disk->path);
	warn_of_lock(disk);
	disk_watch_follow(b->watch, disk->fd);
	return 0;
}

static int set_blk(int fd, const struct blk_back_end *b)
{
	const struct blk_options *o = b->options;
	/* Header and status take two descriptors of the ring. */
	unsigned int fit = o->common.queue_size - 2;
	struct vhost_doorbell_blk blk = {
		.fd = b->disk->fd,
		.flags = blk_flags(o),
		.num_queues = o->queues,
		.seg_max = fit < SEG_MAX ? fit : SEG_MAX,
	};

	/* Anew for each device: a volume may have moved. */
	if (b->disk->is_block && disk_below_nowait(b->disk->fd))
		blk.flags |= VHOST_DOORBELL_BLK_F_NOWAIT;
	if (o->features & BIT(FEATURE_LIFETIME))
		set_lifetime(&blk, b->disk);
	if (o->serial)
		memcpy(blk.serial, o->serial, strlen(o->serial));
	return vhd_set_blk(fd, &blk);
}

static int attach_blk(int fd, const void *context)
{
	const struct blk_back_end *b = context;
	int ret = find_disk(b);

	return ret ? ret : set_blk(fd, b);
}

/*
 * The guest may have switched to write-through, and told a process that is gone: no
 * harm is done if it has not.
 */
static const struct vhost_doorbell_config blk_write_through = {
	.offset = offsetof(struct virtio_blk_config, wce),
	.size = 1,
};

/* What only SET_BLK says; NULL: it may be the device node's. */
static const char *set_blk_error(int err)
{
	switch (err) {
	case -ENOSPC:
		return "smaller than one block";
	case -ETXTBSY:
		return "in use as swap";
	case -EOPNOTSUPP:
		return "on a file system that the module does not support";
	case -EIO:
		return "an I/O error when the page cache was written back";
	}
	return NULL;
}

static void say_what_failed(const struct blk_options *o, int err)
{
	const char *of_disk = set_blk_error(err);

	if (of_disk)
		log_err("%s: %s", o->blk_file, of_disk);
	else
		daemon_say_device_failed(&o->common, err);
}

/*
 * Fails early, while the caller still looks: with no module, no permission or
 * a disk that the module does not take.
 */
static int probe_device(const struct blk_options *o, struct vhd_device *d,
			uint64_t *capacity)
{
	struct virtio_blk_config config;
	int ret;

	ret = d->base.ops->open(&d->base);
	if (!ret) {
		ret = d->base.ops->get_config(&d->base, 0, &config,
					      sizeof(config));
		d->base.ops->close(&d->base);
	}
	if (ret) {
		say_what_failed(o, ret);
		return ret;
	}
	*capacity = config.capacity;
	return 0;
}

static void print_qemu_options(const struct blk_options *o, uint64_t sectors)
{
	char bytes[32], queues[32] = "";

	bytes_text(sectors * SECTOR_SIZE, bytes, sizeof(bytes));
	/* QEMU asks for one per CPU of the guest, which may be more. */
	if (o->queues != VHOST_DOORBELL_MAX_QUEUES)
		snprintf(queues, sizeof(queues), "num-queues=%u,", o->queues);
	printf("%s: %s%s. Give QEMU:\n", o->blk_file, bytes,
	       o->read_only ? ", read-only" : "");
	daemon_print_qemu(&o->common);
	printf("  -device vhost-user-blk-pci,chardev=doorbell,%squeue-size=%u\n",
	       queues, o->common.queue_size);
	fflush(stdout);
}

/*
 * A disk with no volatile write cache needs no flush, and a guest that knows it
 * spares itself a request for each fsync(). Without the feature each write is one
 * that is stable when it ends (FUA), which costs such a disk nothing, and holds if
 * its cache is switched on later.
 */
static uint64_t needless_features(const struct blk_options *o,
				  const struct disk *disk)
{
	if (!(o->features & BIT(VIRTIO_BLK_F_FLUSH)) ||
	    o->asked & BIT(VIRTIO_BLK_F_FLUSH) ||
	    o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE) || disk_has_cache(disk))
		return 0;
	return BIT(VIRTIO_BLK_F_FLUSH);
}

static bool take_resize(void *context)
{
	return disk_watch_take(context);
}

/* The kernel completes what is in flight, and keeps the disk open until then. */
static void give_up(void *server)
{
	log_warn("ends by a signal, and leaves the requests in flight to the kernel");
	vu_server_close(server);
	_exit(EXIT_SUCCESS);
}

static int run_server(const struct blk_options *o, struct vhd_device *device,
		      struct vu_server *server)
{
	uint64_t sectors;
	int ret;

	ret = probe_device(o, device, &sectors);
	if (ret)
		return ret;
	ret = daemon_open_socket(&o->common, server);
	if (ret)
		return ret;
	if (o->common.fd < 0)
		print_qemu_options(o, sectors);
	ret = vu_server_run(server);
	if (ret)
		log_err("socket: %s", strerror(-ret));
	vu_server_close(server);
	return ret;
}

static int serve(const struct blk_options *o, struct disk *disk,
		 struct disk_watch *watch)
{
	struct blk_back_end back_end = {
		.disk = disk,
		.watch = watch,
		.options = o,
	};
	uint64_t needless = needless_features(o, disk);
	/* Static: a thread looks at them as long as the process lasts. */
	static struct vu_server server;
	static struct vhd_watch device;
	_cleanup_fd_ int stop = stop_open();
	int ret;

	if (stop < 0) {
		log_err("signalfd: %s", strerror(-stop));
		return stop;
	}
	device.vhd = (struct vhd_device){
		.base.accepted = needless,
		.path = o->common.device,
		.num_queues = o->queues,
		.exec = o->common.exec,
		.attach = attach_blk,
		.context = &back_end,
		.withheld = ((FEATURES_ON | FEATURES_OFF) & ~o->features) |
			    needless,
		.resumed = o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE) &&
			   !o->read_only ? &blk_write_through : NULL,
	};
	server = (struct vu_server){
		.socket.sock = -1,
		.stop = stop,
		.resize = watch->fd,
		.take_resize = take_resize,
		.context = watch,
		.dev = &device.vhd.base,
	};
	device.stops = (struct stop_watch){
		.stop = stop,
		.give_up = give_up,
		.context = &server,
	};
	vhd_device_init(&device.vhd);
	vhd_watch_init(&device);
	ret = stop_watch_start(&device.stops);
	if (ret) {
		log_err("thread: %s", strerror(-ret));
		return ret;
	}
	return run_server(o, &device.vhd, &server);
}

int main(int argc, char **argv)
{
	struct disk_watch watch;
	struct blk_options options;
	struct disk disk;
	int ret;

	daemon_guard_output();
	if (!blk_options_parse(&options, argc, argv, &ret))
		return ret;
	if (daemon_pin_cpus(&options.common))
		return EXIT_FAILURE;
	if (open_disk(&options, &disk))
		return EXIT_FAILURE;
	ret = disk_watch_open(&watch, disk.fd);
	if (ret) {
		log_err("watching the disk: %s", strerror(-ret));
	} else {
		ret = serve(&options, &disk, &watch);
		disk_watch_close(&watch);
	}
	disk_close(&disk);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
