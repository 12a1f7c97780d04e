// SPDX-License-Identifier: GPL-2.0
/*
 * dm_test_erase - a disk with secure erase, for tests
 *
 * Only eMMC has secure erase, and no emulator offers it. This device-mapper
 * target takes REQ_OP_SECURE_ERASE and discards those sectors on the disk
 * below. A null_blk with memory reads as zeroes after that. The target does not
 * support discards itself, so that the two cannot be confused. Its status is
 * the number of sectors erased.
 *
 * Table: START LENGTH test-erase DEVICE
 */
#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/slab.h>

struct test_erase {
	struct dm_dev	*dev;
	atomic64_t	erased;		/* sectors */
};

static int test_erase_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct test_erase *t;
	int ret;

	if (argc != 1) {
		ti->error = "one argument: the device";
		return -EINVAL;
	}
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	ret = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &t->dev);
	if (ret) {
		ti->error = "no such device";
		kfree(t);
		return ret;
	}
	ti->num_flush_bios = 1;
	ti->num_secure_erase_bios = 1;
	ti->private = t;
	return 0;
}

static void test_erase_dtr(struct dm_target *ti)
{
	struct test_erase *t = ti->private;

	dm_put_device(ti, t->dev);
	kfree(t);
}

static int test_erase_map(struct dm_target *ti, struct bio *bio)
{
	struct test_erase *t = ti->private;

	bio_set_dev(bio, t->dev->bdev);
	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	if (bio_op(bio) == REQ_OP_SECURE_ERASE) {
		atomic64_add(bio_sectors(bio), &t->erased);
		bio->bi_opf &= ~REQ_OP_MASK;
		bio->bi_opf |= REQ_OP_DISCARD;
	}
	return DM_MAPIO_REMAPPED;
}

static void test_erase_status(struct dm_target *ti, status_type_t type,
			      unsigned int flags, char *result,
			      unsigned int maxlen)
{
	struct test_erase *t = ti->private;
	unsigned int sz = 0;

	if (type == STATUSTYPE_TABLE)
		DMEMIT("%s", t->dev->name);
	else if (type == STATUSTYPE_INFO)
		DMEMIT("%lld", (long long)atomic64_read(&t->erased));
}

/* Does not ask the disk below, which does not support secure erase. */
static int test_erase_iterate(struct dm_target *ti, iterate_devices_callout_fn fn,
			      void *data)
{
	return 0;
}

static void test_erase_limits(struct dm_target *ti, struct queue_limits *limits)
{
	limits->max_secure_erase_sectors = 1 << 16;
	limits->discard_granularity = 4096;
}

static struct target_type test_erase = {
	.name = "test-erase",
	.version = { 1, 0, 0 },
	.module = THIS_MODULE,
	.ctr = test_erase_ctr,
	.dtr = test_erase_dtr,
	.map = test_erase_map,
	.status = test_erase_status,
	.iterate_devices = test_erase_iterate,
	.io_hints = test_erase_limits,
};

static int __init test_erase_init(void)
{
	return dm_register_target(&test_erase);
}
module_init(test_erase_init);

static void __exit test_erase_exit(void)
{
	dm_unregister_target(&test_erase);
}
module_exit(test_erase_exit);

MODULE_DESCRIPTION("device-mapper target that erases securely, for tests");
MODULE_LICENSE("GPL");
