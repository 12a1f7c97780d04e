// SPDX-License-Identifier: GPL-2.0
/*
 * dm_test_odd - a disk that behaves oddly, for tests
 *
 * With "lazy", reads succeed but transfer nothing, as a broken disk may do.
 * With "watch", it computes a checksum of a write's data when the write arrives
 * and again a while later, before the write goes to the disk below, as a disk
 * with checksums does. Its status is the number of writes, and of those whose
 * data changed in between.
 *
 * Table: START LENGTH test-odd DEVICE lazy|watch
 */
#include <linux/bio.h>
#include <linux/crc32.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#define WATCH_MS	50

struct test_odd {
	struct dm_dev	*dev;
	bool		 lazy;
	atomic64_t	 writes;
	atomic64_t	 changed;
};

struct watched {
	struct delayed_work	 work;
	struct test_odd		*t;
	struct bio		*bio;
	u32			 sum;
};

static u32 sum_up(struct bio *bio)
{
	struct bvec_iter iter;
	struct bio_vec v;
	u32 sum = 0;
	void *data;

	bio_for_each_segment(v, bio, iter) {
		data = bvec_kmap_local(&v);
		sum = crc32_le(sum, data, v.bv_len);
		kunmap_local(data);
	}
	return sum;
}

static void watch_end(struct work_struct *work)
{
	struct watched *w = container_of(to_delayed_work(work), struct watched,
					 work);

	if (sum_up(w->bio) != w->sum)
		atomic64_inc(&w->t->changed);
	submit_bio_noacct(w->bio);
	kfree(w);
}

static int watch(struct test_odd *t, struct bio *bio)
{
	struct watched *w = kmalloc(sizeof(*w), GFP_NOIO);

	if (!w)
		return DM_MAPIO_KILL;
	atomic64_inc(&t->writes);
	w->t = t;
	w->bio = bio;
	w->sum = sum_up(bio);
	INIT_DELAYED_WORK(&w->work, watch_end);
	schedule_delayed_work(&w->work, msecs_to_jiffies(WATCH_MS));
	return DM_MAPIO_SUBMITTED;
}

static int test_odd_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct test_odd *t;
	int ret;

	if (argc != 2) {
		ti->error = "two arguments: the device, and lazy or watch";
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
	t->lazy = !strcmp(argv[1], "lazy");
	ti->num_flush_bios = 1;
	ti->private = t;
	return 0;
}

static void test_odd_dtr(struct dm_target *ti)
{
	struct test_odd *t = ti->private;

	dm_put_device(ti, t->dev);
	kfree(t);
}

static int test_odd_map(struct dm_target *ti, struct bio *bio)
{
	struct test_odd *t = ti->private;

	bio_set_dev(bio, t->dev->bdev);
	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	if (t->lazy && bio_op(bio) == REQ_OP_READ) {
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	}
	if (!t->lazy && bio_op(bio) == REQ_OP_WRITE && bio_has_data(bio))
		return watch(t, bio);
	return DM_MAPIO_REMAPPED;
}

static void test_odd_status(struct dm_target *ti, status_type_t type,
			    unsigned int flags, char *result,
			    unsigned int maxlen)
{
	struct test_odd *t = ti->private;
	unsigned int sz = 0;

	if (type == STATUSTYPE_TABLE)
		DMEMIT("%s %s", t->dev->name, t->lazy ? "lazy" : "watch");
	else if (type == STATUSTYPE_INFO)
		DMEMIT("%lld %lld", (long long)atomic64_read(&t->writes),
		       (long long)atomic64_read(&t->changed));
}

static int test_odd_iterate(struct dm_target *ti, iterate_devices_callout_fn fn,
			    void *data)
{
	struct test_odd *t = ti->private;

	return fn(ti, t->dev, 0, ti->len, data);
}

static struct target_type test_odd = {
	.name = "test-odd",
	.version = { 1, 0, 0 },
	.module = THIS_MODULE,
	.ctr = test_odd_ctr,
	.dtr = test_odd_dtr,
	.map = test_odd_map,
	.status = test_odd_status,
	.iterate_devices = test_odd_iterate,
};

static int __init test_odd_init(void)
{
	return dm_register_target(&test_odd);
}
module_init(test_odd_init);

static void __exit test_odd_exit(void)
{
	dm_unregister_target(&test_odd);
}
module_exit(test_odd_exit);

MODULE_DESCRIPTION("device-mapper target that behaves oddly, for tests");
MODULE_LICENSE("GPL");
