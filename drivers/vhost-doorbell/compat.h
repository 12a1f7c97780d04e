/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat - differences between kernels; the sources are written for the newest
 *
 * The Makefile probes for each BELL_HAVE_* and force-includes this file. The comment of
 * each shim names the kernel with which it can be dropped.
 */
#ifndef BELL_COMPAT_H
#define BELL_COMPAT_H

#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/memcontrol.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#ifdef CONFIG_X86
#include <asm/tsc.h>
#endif
#ifdef CONFIG_ARM64
#include <asm/arch_timer.h>
#endif

#ifndef BELL_HAVE_EVENTFD_SIGNAL_1	/* drop with 6.1 */
static inline void bell_compat_eventfd_signal(struct eventfd_ctx *ctx)
{
	eventfd_signal(ctx, 1);
}

#define eventfd_signal(ctx)	bell_compat_eventfd_signal(ctx)
#endif

#ifndef BELL_HAVE_PF_USER_WORKER	/* drop with 6.1 */
#define PF_USER_WORKER		PF_IO_WORKER
#endif

#ifndef BELL_HAVE_HRTIMER_SETUP		/* drop with 6.12 */
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

#ifndef BELL_HAVE_GUARDED_BY		/* drop with 6.12 */
#define __guarded_by(...)
#endif

/*
 * The block cgroup of this thread, with a reference; NULL if the kernel has no block
 * cgroups
 */
static inline struct cgroup_subsys_state *bell_current_blkcg(void)
{
#ifdef CONFIG_BLK_CGROUP
	return task_get_css(current, io_cgrp_id);
#else
	return NULL;
#endif
}

static inline bool bell_current_in_blkcg(const struct cgroup_subsys_state *css)
{
#ifdef CONFIG_BLK_CGROUP
	bool in;

	rcu_read_lock();
	in = task_css(current, io_cgrp_id) == css;
	rcu_read_unlock();
	return in;
#else
	return true;
#endif
}

/* Are these threads in the same cgroups? Such threads share one css_set. */
static inline bool bell_same_cgroups(struct task_struct *a,
				     struct task_struct *b)
{
#ifdef CONFIG_CGROUPS
	bool same;

	rcu_read_lock();
	same = task_css_set(a) == task_css_set(b);
	rcu_read_unlock();
	return same;
#else
	return true;
#endif
}

/*
 * May a read or write of this file wait until a fanotify listener allows it? Kernels
 * before 6.14 do not record that in the file's mode. Remove this when 6.12 is no longer
 * supported.
 */
static inline bool bell_file_asks(const struct file *file)
{
#if defined(FMODE_FSNOTIFY_ACCESS_PERM)
	return FMODE_FSNOTIFY_ACCESS_PERM(file->f_mode) ||
	       FMODE_FSNOTIFY_HSM(file->f_mode);
#elif defined(FMODE_FSNOTIFY_PERM)
	return FMODE_FSNOTIFY_PERM(file->f_mode);
#else
	return false;
#endif
}

/*
 * Does the file system ask the completion of a direct write to continue in process
 * context? Kernels from 6.6 do if IOCB_DIO_CALLER_COMP is set; newer ones complete
 * overwrites in any context and need no such flag. Drop with 6.12, together with
 * backend_blk_defer.c and the workqueues in disk.c.
 */
#ifdef IOCB_DIO_CALLER_COMP
static inline bool bell_dio_wants_task(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_DIO_CALLER_COMP && iocb->dio_complete;
}

static inline long bell_dio_finish(struct kiocb *iocb)
{
	return iocb->dio_complete(iocb->private);
}
#else
#define IOCB_DIO_CALLER_COMP	0

static inline bool bell_dio_wants_task(const struct kiocb *iocb)
{
	return false;
}

static inline long bell_dio_finish(struct kiocb *iocb)
{
	return -EIO;
}
#endif

/* Is it memory, whose driver may end a bio before submit_bio() returns? */
static inline bool bell_bdev_synchronous(struct block_device *bdev)
{
#ifdef BELL_HAVE_BDEV_SYNCHRONOUS	/* drop with 6.1, which cannot tell */
	return bdev_synchronous(bdev);
#else
	return true;
#endif
}

/* The memory cgroup of this thread, with a reference; NULL if the kernel has none */
static inline struct mem_cgroup *bell_current_memcg(void)
{
#ifdef CONFIG_MEMCG
	return mem_cgroup_from_css(task_get_css(current, memory_cgrp_id));
#else
	return NULL;
#endif
}

/*
 * Charge this thread's allocations to @memcg until the next call; NULL: to its own
 * cgroup
 */
static inline void bell_charge_memcg(struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	if (memcg)
		css_get(&memcg->css);
	mem_cgroup_put(set_active_memcg(memcg));
#endif
}

#ifndef VIRTIO_F_NOTIFICATION_DATA	/* drop with 6.1 */
#define VIRTIO_F_NOTIFICATION_DATA	38
#endif

/* Is it a host-managed zoned device, whose zones must be written sequentially? */
static inline bool bell_bdev_host_managed(struct block_device *bdev)
{
#ifdef BELL_HAVE_ZONED_MODEL		/* drop with 6.1 */
	return bdev_zoned_model(bdev) == BLK_ZONED_HM;
#else
	return bdev_is_zoned(bdev);
#endif
}

static inline int bell_blkdev_report_zones(struct block_device *bdev,
					   sector_t sector, unsigned int n,
					   report_zones_cb cb, void *data)
{
#ifdef CONFIG_BLK_DEV_ZONED
	return blkdev_report_zones(bdev, sector, n, cb, data);
#else
	return -EOPNOTSUPP;
#endif
}

static inline int bell_blkdev_zone_mgmt(struct block_device *bdev,
					enum req_op op, sector_t sector,
					sector_t nsectors)
{
#ifndef CONFIG_BLK_DEV_ZONED
	return -EOPNOTSUPP;
#elif defined(BELL_HAVE_ZONE_MGMT_GFP)	/* drop with 6.1 */
	return blkdev_zone_mgmt(bdev, op, sector, nsectors, GFP_KERNEL);
#else
	return blkdev_zone_mgmt(bdev, op, sector, nsectors);
#endif
}

/* The frequency of get_cycles() in kHz; 0: not known, or not constant */
static inline u32 bell_cycles_khz(void)
{
#if defined(CONFIG_X86)
	return tsc_khz;
#elif defined(CONFIG_ARM64)
	return arch_timer_get_cntfrq() / 1000;
#else
	return 0;
#endif
}

#ifndef BELL_VERSION
#define BELL_VERSION	"unknown"
#endif

#endif
