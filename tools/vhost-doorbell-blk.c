// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-doorbell-blk - a vhost-user-blk back end whose queues the kernel serves
 *
 * Speaks vhost-user with the VMM and turns its messages into ioctls of
 * /dev/vhost-doorbell. Then it sleeps: requests do not pass through this process.
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
#include "fdstore.h"
#include "feature.h"
#include "image_format.h"
#include "lifetime.h"
#include "log.h"
#include "notify.h"
#include "server.h"
#include "stop.h"
#include "vhd.h"
#include "vhd_watch.h"

#define SEG_MAX		126u

#define SECTOR_SIZE	512u

/* The names of what the keeper holds */
#define KEEP_DISK	"disk"
#define KEEP_CLAIM	"claim"

#define CLAIM_BARRIER_MS	5000

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
 * Refuses a writable file whose size is not in whole sectors: the guest sees whole
 * sectors only, and a program that copies the disk would lose the bytes behind them, or
 * leave them stale. A read-only file only gets a warning.
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
 * Opens the disk. While the kernel still completes requests of a daemon that has ended,
 * it holds the disk: so try again for a while.
 */
static int try_open_disk(const struct blk_options *o, struct disk *disk)
{
	int tries = OPEN_TRIES, ret;

	for (;;) {
		ret = disk_open(disk, o->blk_file, o->read_only, o->locking);
		if (!ret && !o->incoming) {
			ret = disk_claim(disk);
			if (ret)
				disk_close(disk);
		}
		if ((ret != -EBUSY && ret != -EAGAIN) || !--tries)
			return ret;
		usleep(OPEN_PAUSE_US);
	}
}

/* The disk of the session that the last process has left, or that the options name */
static int find_or_open(const struct blk_options *o, struct fdstore *store,
			struct disk *disk)
{
	int fd = -1, claim = -1;

	if (daemon_resumes(store)) {
		fd = fdstore_take(store, KEEP_DISK);
		claim = fdstore_take(store, KEEP_CLAIM);
	}
	if (fd < 0)
		return try_open_disk(o, disk);
	return disk_inherit(disk, o->blk_file, o->read_only, o->locking, fd, claim);
}

/*
 * The settings were changed while a guest uses the disk. To give it another disk under its
 * feet would destroy both, so it keeps what it has.
 */
static void warn_of_other(const struct blk_options *o, const struct disk *disk)
{
	if (disk->read_only != o->read_only)
		log_warn("%s: read-only = %s counts from the next connection on; the front end has the disk %s",
			 o->blk_file, o->read_only ? "yes" : "no",
			 disk->read_only ? "read-only" : "writable");
	else if (disk->is_other)
		log_warn("%s: is not the disk that the front end has, which keeps its disk until its connection ends",
			 o->blk_file);
}

static int open_disk(const struct blk_options *o, struct fdstore *store,
		     struct disk *disk)
{
	int ret = find_or_open(o, store, disk);

	if (ret == -ENOLCK && disk->lock_error) {
		log_err("%s: cannot be locked there: %s", o->blk_file,
			strerror(-disk->lock_error));
		return ret;
	}
	if (ret) {
		log_err("%s: %s", o->blk_file, disk_error(ret));
		return ret;
	}
	/*
	 * Check the format first: an image of another format may have any size.
	 */
	if (!o->raw && !daemon_resumes(store))
		warn_of_format(disk);
	/* The guest uses it already. */
	ret = daemon_resumes(store) ? 0 : check_tail(disk);
	if (ret) {
		disk_close(disk);
		return ret;
	}
	warn_of_other(o, disk);
	if (!disk->direct)
		log_warn("%s: no direct I/O there; using the page cache",
			 o->blk_file);
	if (!o->read_only && disk->is_block && disk_below_read_only(disk->fd))
		log_warn("%s: set read-only, so the guest may not write either",
			 o->blk_file);
	warn_of_lock(disk);
	return 0;
}

/* Context of attach_blk() */
struct blk_back_end {
	struct disk	     *disk;
	struct disk_watch    *watch;
	const struct blk_options *options;
	struct fdstore	     *store;	/* NULL: no keeper */
};

/*
 * Flags for SET_BLK. The module offers a feature only if the disk has it, whatever the
 * flags say.
 */
static uint32_t blk_flags(const struct blk_options *o)
{
	uint32_t flags = 0;

	if (o->read_only)
		flags |= VHOST_DOORBELL_BLK_F_READ_ONLY;
	if (o->hold_nospc)
		flags |= VHOST_DOORBELL_BLK_F_HOLD_NOSPC;
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
 * Opens the disk again if it was removed: for the kernel a removed device that
 * is plugged in again is another device, but it has the same path.
 */
static int find_disk(const struct blk_back_end *b)
{
	/* Log each reason once: a front end may connect again and again. */
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

	/*
	 * Check for each new device: the volume below may have moved to other
	 * disks.
	 */
	if (disk_below_nowait(b->disk->fd))
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

	if (!ret)
		ret = set_blk(fd, b);
	if (!ret && b->disk->claim >= 0)
		ret = vhd_set_claim(fd, b->disk->claim);
	return ret;
}

static int keep_blk(struct fdstore *store, const void *context)
{
	const struct blk_back_end *b = context;
	int ret = fdstore_put(store, KEEP_DISK, b->disk->fd);

	if (!ret && b->disk->claim >= 0)
		ret = fdstore_put(store, KEEP_CLAIM, b->disk->claim);
	return ret;
}

/* The daemon that the guest comes from has just given the disk up. */
static int claim_disk(struct disk *disk)
{
	int tries = OPEN_TRIES, ret;

	while ((ret = disk_claim(disk)) && --tries) {
		if (ret != -EBUSY && ret != -EAGAIN)
			break;
		usleep(OPEN_PAUSE_US);
	}
	if (ret)
		log_err("%s: %s", disk->path, disk_error(ret));
	return ret;
}

static int claim_blk(int fd, const void *context, bool claim)
{
	const struct blk_back_end *b = context;
	int ret;

	if (!claim) {
		/*
		 * The next host must not miss what is in this host's page cache. If it
		 * would, the guest gets no disk there.
		 */
		if (!b->disk->read_only && fsync(b->disk->fd)) {
			log_err("%s: %s: not released, so the guest cannot use it elsewhere",
				b->disk->path, strerror(errno));
			return 0;
		}
		ret = vhd_set_claim(fd, -1);
		if (ret)
			return ret;
		/* The front end hears of it when no process has the claim any more. */
		if (b->store) {
			fdstore_remove(b->store, KEEP_CLAIM);
			notify_barrier(CLAIM_BARRIER_MS);
		}
		disk_unclaim(b->disk);
		return 0;
	}
	if (b->disk->claim < 0) {
		ret = claim_disk(b->disk);
		if (ret)
			return ret;
		warn_of_lock(b->disk);
	}
	/* First the keeper: a claim that only the device had would be in our way. */
	if (b->store && !fdstore_has(b->store, KEEP_CLAIM)) {
		ret = fdstore_put(b->store, KEEP_CLAIM, b->disk->claim);
		if (ret)
			return ret;
	}
	return vhd_set_claim(fd, b->disk->claim);
}

/*
 * Sets write-through. The guest may have chosen it with a daemon that has ended; if it
 * has not, no harm is done.
 */
static const struct vhost_doorbell_config blk_write_through = {
	.offset = offsetof(struct virtio_blk_config, wce),
	.size = 1,
};

/*
 * Text for an errno that only SET_BLK returns; NULL: the device node may have
 * caused it.
 */
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
 * Makes a device and closes it again, so that the daemon fails at its start if the
 * module, a permission or a usable disk is missing.
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
	/*
	 * Without this option QEMU uses one queue for each CPU of the guest,
	 * which may be too many.
	 */
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
 * Features that the disk does not need. A disk without a volatile write cache needs no
 * FLUSH: the guest then sends no request for an fsync(). Without FLUSH each write is
 * stable when it completes (FUA), which costs such a disk nothing, and stays right if
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

static void disk_changed(void *server)
{
	vu_server_resize(server);
}

/*
 * Ends the process. The kernel completes the requests in flight, and keeps the disk
 * open until then.
 */
static void give_up(void *server)
{
	log_warn("ends by a signal, and leaves the requests in flight to the kernel");
	vu_server_close(server);
	_exit(EXIT_SUCCESS);
}

static int run_server(const struct blk_options *o, struct vhd_device *device,
		      struct vu_server *server)
{
	bool resumes = daemon_resumes(server->keep.store);
	uint64_t sectors = 0;
	int ret = resumes ? 0 : probe_device(o, device, &sectors);

	if (ret)
		return ret;
	ret = daemon_open_socket(&o->common, server);
	if (ret)
		return ret;
	if (daemon_prints(&o->common) && !resumes)
		print_qemu_options(o, sectors);
	ret = vu_server_run(server);
	if (ret)
		log_err("socket: %s", strerror(-ret));
	vu_server_close(server);
	return ret;
}

static int serve(const struct blk_options *o, struct disk *disk,
		 struct vu_server *server, struct disk_watch *watch)
{
	struct blk_back_end back_end = {
		.disk = disk,
		.watch = watch,
		.options = o,
		.store = server->keep.store,
	};
	uint64_t needless = needless_features(o, disk);
	/*
	 * Static: the thread of the stop_watch uses it until the process ends.
	 */
	static struct vhd_watch device;
	_cleanup_fd_ int stop = stop_open();
	int ret;

	if (stop < 0) {
		log_err("signalfd: %s", strerror(-stop));
		return stop;
	}
	server->stop = stop;
	server->dev = &device.vhd.base;
	device.vhd = (struct vhd_device){
		.base.accepted = needless,
		.path = o->common.device,
		.num_queues = o->queues,
		.exec = o->common.exec,
		.attach = attach_blk,
		.claim = claim_blk,
		.keep = keep_blk,
		.context = &back_end,
		.withheld = ((FEATURES_ON | FEATURES_OFF) & ~o->features) |
			    needless,
		.resumed = o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE) &&
			   !o->read_only ? &blk_write_through : NULL,
	};
	device.stops = (struct stop_watch){
		.stop = stop,
		.give_up = give_up,
		.context = server,
		.disk = disk->is_other ? NULL : disk->path,
	};
	vhd_device_init(&device.vhd);
	vhd_watch_init(&device);
	ret = stop_watch_start(&device.stops);
	if (ret) {
		log_err("thread: %s", strerror(-ret));
		return ret;
	}
	return run_server(o, &device.vhd, server);
}

int main(int argc, char **argv)
{
	/*
	 * Static: a thread that serve() starts uses it until the process ends.
	 */
	static struct vu_server server = { .socket.sock = -1, .renews = true };
	struct disk_watch watch = { .changed = disk_changed, .context = &server };
	struct blk_options options;
	struct disk disk;
	char **args;
	int ret;

	daemon_guard_output();
	server.keep.store = daemon_begin_keep();
	args = daemon_copy_args(argc, argv);
	if (!blk_options_parse(&options, argc, argv, &ret))
		return daemon_options_status(server.keep.store, ret);
	log_name(options.blk_file);
	if (options.common.keep && !options.common.worker)
		return daemon_be_parent(&options.common, args);
	if (daemon_pin_cpus(&options.common))
		return EXIT_FAILURE;
	if (open_disk(&options, server.keep.store, &disk))
		return EXIT_FAILURE;
	ret = disk_watch_open(&watch, &server.loop, disk.fd);
	if (ret) {
		log_err("watching the disk: %s", strerror(-ret));
	} else {
		ret = serve(&options, &disk, &server, &watch);
		disk_watch_close(&watch);
	}
	disk_close(&disk);
	if (server.again) {
		daemon_begin_again(&options.common, &server, args);
		return EXIT_FAILURE;
	}
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
