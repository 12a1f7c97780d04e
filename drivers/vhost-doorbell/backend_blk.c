// SPDX-License-Identifier: GPL-2.0
/*
 * backend_blk - a virtio-blk device (virtio 1.3, section 5.2): config space,
 * features, start and stop of queues
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <uapi/linux/vhost_doorbell.h>
#include <uapi/linux/virtio_ids.h>

#include "backend.h"
#include "backend_blk.h"
#include "backend_blk_priv.h"
#include "disk.h"
#include "vq.h"

#define BLK_SEG_MAX	126
#define BLK_SEG_LIMIT	1022
#define BLK_SIZE_MAX	SZ_128K
/* Most bytes of data in one bio; longer requests are served in slices. */
#define BLK_BYTES_LIMIT	SZ_16M

#define BLK_CONFIG_ZONED	offsetofend(struct virtio_blk_config, \
					    secure_erase_sector_alignment)
#define BLK_CONFIG_LEN	(BLK_CONFIG_ZONED + \
			 sizeof(struct virtio_blk_zoned_characteristics))

#define BLK_CYLINDERS_MAX	16383
#define BLK_HEADS		16
#define BLK_SECTORS		63

static void blk_get_config(struct bell_backend *be, u32 offset, void *buf,
			   u32 size)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);
	u8 all[BLK_CONFIG_LEN];

	/* Linux 6.1's structure ends before the zoned characteristics. */
	memcpy(all, &blk->config, BLK_CONFIG_ZONED);
	memcpy(all + BLK_CONFIG_ZONED, &blk->zoned, sizeof(blk->zoned));
	if (offset < sizeof(all))
		memcpy(buf, all + offset, min_t(u32, size, sizeof(all) - offset));
}

/*
 * The driver may write one byte of the config space: wce, the write-back mode.
 */
static int blk_write_config(struct bell_backend *be, u32 offset,
			    const void *buf, u32 size)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);
	int ret;
	u8 wce;

	if (!(be->features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE)) ||
	    offset != offsetof(struct virtio_blk_config, wce) ||
	    size != sizeof(wce))
		return -EPERM;
	wce = *(const u8 *)buf;
	if (wce > 1)
		return -EINVAL;
	WRITE_ONCE(blk->config.wce, wce);
	if (wce)
		return 0;
	/*
	 * A write whose completion still reads wce as 1 has completed before
	 * the flush below, which makes it stable.
	 */
	smp_mb();
	ret = bell_disk_flush(&blk->disk, false);
	/* Stay in write-back: the guest goes on flushing, and the next flush tells it. */
	if (ret)
		WRITE_ONCE(blk->config.wce, 1);
	return ret;
}

/*
 * Set wce to its value after a reset: write-back, unless the driver can change
 * the mode but not flush.
 */
static void blk_set_features(struct bell_backend *be, u64 features)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);
	bool wce = features & BIT_ULL(VIRTIO_BLK_F_FLUSH) ||
		   !(features & BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE));

	WRITE_ONCE(blk->config.wce, wce);
}

/*
 * Set capacity and geometry. Some drivers count in cylinders, so use the
 * geometry that ATA disks report.
 */
static void blk_set_capacity(struct bell_blk *blk, u64 capacity)
{
	struct virtio_blk_config *c = &blk->config;
	u32 cylinder = BLK_HEADS * BLK_SECTORS;
	u32 told = min_t(u64, capacity, BLK_CYLINDERS_MAX * cylinder);

	c->capacity = (__force __virtio64)cpu_to_le64(capacity);
	c->geometry.cylinders = (__force __virtio16)
		cpu_to_le16(max(told / cylinder, 1U));
	c->geometry.heads = BLK_HEADS;
	c->geometry.sectors = BLK_SECTORS;
}

static int blk_resize(struct bell_backend *be, u64 *sectors)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);
	u32 blk_size = le32_to_cpu((__force __le32)blk->config.blk_size);
	u64 capacity = blk->disk.ops->nsectors(&blk->disk);

	if (capacity < blk_size >> SECTOR_SHIFT)
		return -ENOSPC;
	/*
	 * Requests that passed the range check with the old capacity go to the
	 * disk; it fails those beyond its end.
	 */
	WRITE_ONCE(blk->disk.capacity, capacity);
	blk_set_capacity(blk, capacity);
	*sectors = capacity;
	return 0;
}

static int blk_start_queue(struct bell_backend *be, struct bell_exec *exec,
			   u64 features)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);
	struct bell_vq *vq = exec->vq;
	struct bell_blk_queue *q;
	u32 i;

	q = kvzalloc(struct_size(q, req, vq->num), GFP_KERNEL_ACCOUNT);
	if (!q)
		return -ENOMEM;
	q->blk = blk;
	bell_disk_resume(&blk->disk);
	/* While no queue ran, the owner may have written to the disk itself. */
	bell_disk_wrote(&blk->disk);
	for (i = 0; i < vq->num; i++) {
		q->req[i].disk = &blk->disk;
		q->req[i].vq = vq;
		q->req[i].exec = exec;
		q->req[i].head = i;
	}
	/* A driver that cannot flush relies on each write being stable. */
	q->writethrough = !(features & BIT_ULL(VIRTIO_BLK_F_FLUSH)) ||
			  blk->disk.file->f_flags & O_DSYNC;
	q->discard = features & BIT_ULL(VIRTIO_BLK_F_DISCARD);
	q->write_zeroes = features & BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
	q->secure_erase = features & BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE);
	q->zoned = features & BIT_ULL(VIRTIO_BLK_F_ZONED);
	q->lifetime = features & BIT_ULL(VIRTIO_BLK_F_LIFETIME);
	bell_backend_blk_hold_start(q);
	bell_backend_blk_defer_start(q);
	exec->bytes_shift = BELL_EXEC_DISK_SHIFT;
	vq->priv = q;
	return 0;
}

static void blk_stop_queue(struct bell_backend *be, struct bell_exec *exec)
{
	bell_backend_blk_hold_stop(exec->vq->priv);
	kvfree(exec->vq->priv);
	exec->vq->priv = NULL;
}

/*
 * Age in ns of the oldest request in flight. Requests may begin and end meanwhile; the
 * caller's lock (show_lock) keeps the queue from being freed.
 */
static u64 blk_oldest(struct bell_backend *be, struct bell_exec *exec)
{
	const struct bell_blk_queue *q = exec->vq->priv;
	u64 begin, age, oldest = 0;
	u32 i;

	for (i = 0; i < exec->vq->num; i++) {
		begin = READ_ONCE(q->req[i].begin);
		if (!begin)
			continue;
		age = bell_hist_ns_since(begin);
		oldest = max(oldest, age);
	}
	/*
	 * The caller does this for each queue, and a queue may have 32768 requests: let
	 * other tasks run.
	 */
	cond_resched();
	return oldest;
}

static void blk_abort(struct bell_backend *be)
{
	bell_disk_abort(&container_of(be, struct bell_blk, be)->disk);
}

static void blk_show(struct bell_backend *be, struct seq_file *m)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);

	seq_puts(m, "disk:\t");
	seq_file_path(m, blk->disk.file, " \t\n\\");
	seq_printf(m, "\ncapacity:\t%llu\n", READ_ONCE(blk->disk.capacity));
	seq_printf(m, "read-only:\t%d\n", blk->read_only);
}

static void blk_destroy(struct bell_backend *be)
{
	struct bell_blk *blk = container_of(be, struct bell_blk, be);

	bell_disk_close(&blk->disk);
	fput(blk->disk.file);
	kfree(blk);
}

static const struct bell_backend_ops blk_ops = {
	.name = "blk",
	.exec = {
		.pass = bell_backend_blk_pass,
		.retry = bell_backend_blk_resubmit,
		.release = bell_backend_blk_hold_release,
	},
	.get_config = blk_get_config,
	.set_config = blk_write_config,
	.set_features = blk_set_features,
	.resize = blk_resize,
	.start_queue = blk_start_queue,
	.stop_queue = blk_stop_queue,
	.oldest = blk_oldest,
	.abort = blk_abort,
	.show = blk_show,
	.destroy = blk_destroy,
};

static void blk_set_config(struct bell_blk *blk, u32 seg_max, u32 size_max,
			   u32 blk_size)
{
	struct virtio_blk_config *c = &blk->config;
	struct bell_disk *disk = &blk->disk;
	u32 exp = ilog2(max(disk->phys_block_size, blk_size) / blk_size);

	*c = (struct virtio_blk_config){
		.size_max = (__force __virtio32)cpu_to_le32(size_max),
		.seg_max = (__force __virtio32)cpu_to_le32(seg_max),
		.blk_size = (__force __virtio32)cpu_to_le32(blk_size),
		.physical_block_exp = exp,
		.min_io_size = (__force __virtio16)
			cpu_to_le16(min(disk->io_min / blk_size, 0xffffU)),
		.opt_io_size = (__force __virtio32)
			cpu_to_le32(disk->io_opt / blk_size),
		.wce = 1,
		.num_queues = (__force __virtio16)
			cpu_to_le16(blk->be.num_queues),
	};
	blk_set_capacity(blk, disk->capacity);
}

/*
 * Fill in the limits of discard, write zeroes and secure erase. Returns the
 * feature bits to offer.
 */
static u64 blk_set_ranges(struct bell_blk *blk, u32 flags, u32 blk_size)
{
	struct virtio_blk_config *c = &blk->config;
	struct bell_disk *disk = &blk->disk;
	u64 features = 0;

	if (blk->read_only)
		return 0;
	if (flags & VHOST_DOORBELL_BLK_F_DISCARD && disk->max_discard) {
		features |= BIT_ULL(VIRTIO_BLK_F_DISCARD);
		c->max_discard_sectors = (__force __virtio32)
			cpu_to_le32(disk->max_discard);
		c->max_discard_seg = (__force __virtio32)
			cpu_to_le32(BELL_DISK_MAX_RANGES);
		c->discard_sector_alignment = (__force __virtio32)
			cpu_to_le32(disk->discard_align);
	}
	if (flags & VHOST_DOORBELL_BLK_F_WRITE_ZEROES && disk->max_zero) {
		features |= BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
		c->max_write_zeroes_sectors = (__force __virtio32)
			cpu_to_le32(disk->max_zero);
		c->max_write_zeroes_seg = (__force __virtio32)
			cpu_to_le32(BELL_DISK_MAX_RANGES);
		c->write_zeroes_may_unmap = 1;
	}
	if (flags & VHOST_DOORBELL_BLK_F_SECURE_ERASE && disk->max_erase) {
		features |= BIT_ULL(VIRTIO_BLK_F_SECURE_ERASE);
		c->max_secure_erase_sectors = (__force __virtio32)
			cpu_to_le32(disk->max_erase);
		c->max_secure_erase_seg = (__force __virtio32)
			cpu_to_le32(BELL_DISK_MAX_RANGES);
		/*
		 * Linux drivers reject an alignment of 0. A disk that can erase
		 * but not discard has no discard alignment, so use the block
		 * size then.
		 */
		c->secure_erase_sector_alignment = (__force __virtio32)
			cpu_to_le32(max(disk->discard_align,
					blk_size >> SECTOR_SHIFT));
	}
	return features;
}

static u64 blk_set_zoned(struct bell_blk *blk, u32 flags, u32 blk_size)
{
	struct virtio_blk_zoned_characteristics *z = &blk->zoned;
	struct bell_disk *disk = &blk->disk;
	/*
	 * An append is never split. Each segment may begin and end within a
	 * page, so it may need two vectors more than its full pages.
	 */
	u32 pages = BELL_BLK_MAX_VECS -
		    2 * le32_to_cpu((__force __le32)blk->config.seg_max);
	u32 max_append = min3(disk->max_append, blk->max_bytes >> SECTOR_SHIFT,
			      pages << (PAGE_SHIFT - SECTOR_SHIFT));

	if (!(flags & VHOST_DOORBELL_BLK_F_ZONED) || !disk->zone_sectors)
		return 0;
	max_append = round_down(max_append, blk_size >> SECTOR_SHIFT);
	*z = (struct virtio_blk_zoned_characteristics){
		.zone_sectors = (__force __virtio32)
			cpu_to_le32(disk->zone_sectors),
		.max_open_zones = (__force __virtio32)
			cpu_to_le32(disk->max_open_zones),
		.max_active_zones = (__force __virtio32)
			cpu_to_le32(disk->max_active_zones),
		.max_append_sectors = (__force __virtio32)
			cpu_to_le32(max_append),
		.write_granularity = (__force __virtio32)
			cpu_to_le32(max(disk->write_granularity, blk_size)),
		.model = VIRTIO_BLK_Z_HM,
	};
	return BIT_ULL(VIRTIO_BLK_F_ZONED);
}

static u64 blk_set_lifetime(struct bell_blk *blk,
			    const struct vhost_doorbell_blk *cfg)
{
	if (!(cfg->flags & VHOST_DOORBELL_BLK_F_LIFETIME))
		return 0;
	blk->lifetime = (struct virtio_blk_lifetime){
		.pre_eol_info = cpu_to_le16(cfg->pre_eol_info),
		.device_lifetime_est_typ_a =
			cpu_to_le16(cfg->lifetime_est_typ_a),
		.device_lifetime_est_typ_b =
			cpu_to_le16(cfg->lifetime_est_typ_b),
	};
	return BIT_ULL(VIRTIO_BLK_F_LIFETIME);
}

static u32 blk_size_max(u32 seg_max)
{
	return min_t(u32, BLK_SIZE_MAX,
		     round_down(BLK_BYTES_LIMIT / seg_max, PAGE_SIZE));
}

static int blk_set(struct bell_blk *blk, const struct vhost_doorbell_blk *cfg)
{
	u32 seg_max = cfg->seg_max ?: BLK_SEG_MAX;
	u32 size_max = cfg->size_max ?: blk_size_max(seg_max);
	u32 blk_size = cfg->blk_size ?: blk->disk.block_size;
	u64 features;

	if (!is_power_of_2(blk_size) || blk_size < blk->disk.block_size ||
	    blk_size > max_t(u32, PAGE_SIZE, blk->disk.block_size))
		return -EINVAL;
	/* A request at these limits must fit into one bio. */
	if (seg_max > BLK_SEG_LIMIT || size_max < PAGE_SIZE ||
	    (u64)seg_max * size_max > BLK_BYTES_LIMIT)
		return -EINVAL;
	if (blk->disk.capacity < blk_size >> SECTOR_SHIFT)
		return -ENOSPC;

	features = BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) |
		   BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
		   BIT_ULL(VIRTIO_BLK_F_GEOMETRY) |
		   BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) |
		   BIT_ULL(VIRTIO_BLK_F_FLUSH) |
		   BIT_ULL(VIRTIO_BLK_F_TOPOLOGY);
	if (blk->read_only)
		features |= BIT_ULL(VIRTIO_BLK_F_RO);
	else if (cfg->flags & VHOST_DOORBELL_BLK_F_CONFIG_WCE)
		features |= BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE);
	if (cfg->num_queues > 1)
		features |= BIT_ULL(VIRTIO_BLK_F_MQ);

	blk->be.num_queues = cfg->num_queues;
	blk->be.kinds = BIT(BELL_KIND_FRAME) - 1;
	blk->be.may_inline = blk->disk.may_inline;
	blk->be.charges_runner = blk->disk.charges_runner;
	blk->max_bytes = seg_max * size_max;
	memcpy(blk->serial, cfg->serial, sizeof(blk->serial));
	blk_set_config(blk, seg_max, size_max, blk_size);
	blk->be.features_needed = blk_set_zoned(blk, cfg->flags, blk_size);
	blk->be.features = features | blk->be.features_needed |
			   blk_set_ranges(blk, cfg->flags, blk_size) |
			   blk_set_lifetime(blk, cfg);
	blk->plain_bytes = blk->be.features_needed ? 0 : blk->max_bytes;
	return 0;
}

static int blk_open(struct bell_blk *blk, const struct vhost_doorbell_blk *cfg)
{
	struct file *file = blk->disk.file;
	int ret;

	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	/* A disk is written anywhere; an O_APPEND file only at its end. */
	if (file->f_flags & O_APPEND)
		return -EINVAL;
	blk->disk.read_only = cfg->flags & VHOST_DOORBELL_BLK_F_READ_ONLY ||
			      !(file->f_mode & FMODE_WRITE);
	blk->disk.below_nowait = cfg->flags & VHOST_DOORBELL_BLK_F_NOWAIT;
	blk->disk.hold_nospc = cfg->flags & VHOST_DOORBELL_BLK_F_HOLD_NOSPC;
	ret = bell_disk_open(&blk->disk);
	/* bell_disk_open() also sets it for a block device that is read-only. */
	blk->read_only = blk->disk.read_only;
	return ret;
}

/**
 * bell_backend_blk_create() - make a virtio-blk device of an open file
 * @cfg: the caller has checked flags, number of queues and reserved fields
 *
 * Context: Process context, in the process that has @cfg->fd open.
 * Return: the back end, or an ERR_PTR as Documentation/uapi.rst lists for
 * VHOST_DOORBELL_SET_BLK.
 */
struct bell_backend *bell_backend_blk_create(const struct vhost_doorbell_blk *cfg)
{
	struct bell_blk *blk;
	int ret;

	blk = kzalloc(sizeof(*blk), GFP_KERNEL_ACCOUNT);
	if (!blk)
		return ERR_PTR(-ENOMEM);
	blk->be.ops = &blk_ops;
	ret = -EBADF;
	blk->disk.file = fget(cfg->fd);
	if (!blk->disk.file)
		goto err_free;
	ret = blk_open(blk, cfg);
	if (ret)
		goto err_file;
	ret = blk_set(blk, cfg);
	if (ret)
		goto err_disk;
	return &blk->be;

err_disk:
	bell_disk_close(&blk->disk);
err_file:
	fput(blk->disk.file);
err_free:
	kfree(blk);
	return ERR_PTR(ret);
}
