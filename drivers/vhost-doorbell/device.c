// SPDX-License-Identifier: GPL-2.0
/*
 * device - the ioctls of one open file of /dev/vhost-doorbell
 *
 * All of this is configuration, under the device's lock. A running queue takes no lock
 * of the device.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vhost.h>
#include <linux/virtio_byteorder.h>
#include <linux/vmalloc.h>

#include <uapi/linux/vhost_doorbell.h>
#include <uapi/linux/virtio_config.h>

#include "backend.h"
#include "backend_blk.h"
#include "backend_net.h"
#include "callfd.h"
#include "device.h"
#include "device_priv.h"
#include "exec.h"
#include "gmem.h"
#include "kickfd.h"
#include "vq.h"

#define DEVICE_INLINE_MAX	8
#define DEVICE_BUDGET		64
#define DEVICE_POLL_US		50
#define DEVICE_POLL_SHARE	50
#define DEVICE_COALESCE_COUNT	32

/* Features of the transport; the back end adds those of the device type. */
#define DEVICE_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) | \
			 BIT_ULL(VIRTIO_F_NOTIFY_ON_EMPTY) | \
			 BIT_ULL(VIRTIO_F_ANY_LAYOUT) | \
			 BIT_ULL(VIRTIO_F_RING_PACKED) | \
			 BIT_ULL(VIRTIO_F_IN_ORDER) | \
			 BIT_ULL(VIRTIO_F_NOTIFICATION_DATA) | \
			 BIT_ULL(VIRTIO_F_RING_RESET) | \
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX))

#define DEVICE_BLK_FLAGS (VHOST_DOORBELL_BLK_F_READ_ONLY | \
			  VHOST_DOORBELL_BLK_F_DISCARD | \
			  VHOST_DOORBELL_BLK_F_WRITE_ZEROES | \
			  VHOST_DOORBELL_BLK_F_CONFIG_WCE | \
			  VHOST_DOORBELL_BLK_F_SECURE_ERASE | \
			  VHOST_DOORBELL_BLK_F_ZONED | \
			  VHOST_DOORBELL_BLK_F_LIFETIME | \
			  VHOST_DOORBELL_BLK_F_NOWAIT | \
			  VHOST_DOORBELL_BLK_F_HOLD_NOSPC)

static atomic_t device_ids = ATOMIC_INIT(0);

/*
 * Release function of bell_device.ref. The reference to the module goes last: from then
 * on the module may be unloaded, while this thread still returns through the module's
 * code (to the task work, the release of the file or the work item that put the last
 * reference). So bell_exit() waits: it flushes the work items, and
 * synchronize_rcu_tasks() returns after each thread has slept or been in user space.
 * This thread does neither on its way out. It may be preempted there, which does not
 * count.
 */
void bell_device_free(struct kref *ref)
{
	struct bell_device *dev = container_of(ref, struct bell_device, ref);

	kvfree(dev->worker);
	kvfree(dev->queue);
	kfree(dev);
	module_put(THIS_MODULE);
}

/* bell_device_put() - put a reference to the device's memory */
void bell_device_put(struct bell_device *dev)
{
	kref_put(&dev->ref, bell_device_free);
}

/**
 * bell_device_create() - make a device that is not configured
 *
 * The device holds a reference to the module until its memory is freed, which may be
 * after the last close; until then rmmod fails. Taking the reference cannot fail: the
 * caller's open file holds one, too.
 *
 * Return: the device, or NULL if there is no memory.
 */
struct bell_device *bell_device_create(void)
{
	struct bell_device *dev;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	mutex_init(&dev->lock);
	mutex_init(&dev->show_lock);
	INIT_LIST_HEAD(&dev->left);
	dev->id = atomic_inc_return(&device_ids);
	dev->exec_cfg.mode = VHOST_DOORBELL_MODE_AUTO;
	dev->exec_cfg.inline_max = DEVICE_INLINE_MAX;
	dev->exec_cfg.budget = DEVICE_BUDGET;
	dev->exec_cfg.poll_us = DEVICE_POLL_US;
	dev->exec_cfg.poll_share = DEVICE_POLL_SHARE;
	dev->signal_cfg.coalesce_count = DEVICE_COALESCE_COUNT;
	__module_get(THIS_MODULE);
	return dev;
}

/**
 * bell_device_lock() - take the lock under which ioctls change the device
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0 or -EINTR.
 */
int bell_device_lock(struct bell_device *dev)
{
	return mutex_lock_killable(&dev->lock);
}

/* bell_device_unlock() - undo bell_device_lock() */
void bell_device_unlock(struct bell_device *dev)
{
	mutex_unlock(&dev->lock);
}

/**
 * bell_device_show_lock() - take the lock of ioctls and fdinfo that only read; it is never
 *	held during a wait for the disk
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0 or -EINTR.
 */
int bell_device_show_lock(struct bell_device *dev)
{
	return mutex_lock_killable(&dev->show_lock);
}

/* bell_device_show_unlock() - undo bell_device_show_lock() */
void bell_device_show_unlock(struct bell_device *dev)
{
	mutex_unlock(&dev->show_lock);
}

/* bell_device_is_running() - does any queue of the device run? */
bool bell_device_is_running(struct bell_device *dev)
{
	u32 i;

	lockdep_assert_held(&dev->lock);
	for (i = 0; dev->be && i < dev->be->num_queues; i++) {
		if (dev->queue[i].running)
			return true;
	}
	return false;
}

/* --- the ioctls --- */

/* bell_device_get_info() - limits and modes of this module */
int bell_device_get_info(struct bell_device *dev,
			 struct vhost_doorbell_info *info)
{
	*info = (struct vhost_doorbell_info){
		.abi_version = VHOST_DOORBELL_ABI_VERSION,
		.max_queues = VHOST_DOORBELL_MAX_QUEUES,
		.max_queue_size = VHOST_DOORBELL_MAX_QUEUE_SIZE,
		.max_regions = VHOST_DOORBELL_MAX_REGIONS,
		.modes = BIT_ULL(VHOST_DOORBELL_MODE_AUTO) |
			 BIT_ULL(VHOST_DOORBELL_MODE_WORKER) |
			 BIT_ULL(VHOST_DOORBELL_MODE_INLINE) |
			 BIT_ULL(VHOST_DOORBELL_MODE_POLL),
		.device_id = dev->id,
	};
	return 0;
}

static u64 device_features(struct bell_device *dev)
{
	return DEVICE_FEATURES | dev->be->features;
}

/* bell_device_get_features() - the feature bits that may be offered to the driver */
int bell_device_get_features(struct bell_device *dev, u64 *features)
{
	lockdep_assert_held(&dev->lock);
	if (!dev->be)
		return -ENXIO;
	*features = device_features(dev);
	return 0;
}

/*
 * Is the caller the owner, and has the device a back end? Returns 0, -EPERM or -ENXIO.
 */
static int device_check_backed(struct bell_device *dev)
{
	int ret;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev);
	if (ret)
		return ret;
	return dev->be ? 0 : -ENXIO;
}

/* bell_device_set_features() - set the features that driver and VMM have negotiated */
int bell_device_set_features(struct bell_device *dev, u64 features)
{
	int ret;

	ret = device_check_backed(dev);
	if (ret)
		return ret;
	if (features & ~device_features(dev) ||
	    dev->be->features_needed & ~features)
		return -EOPNOTSUPP;
	/* A legacy driver cannot use a packed ring. */
	if (features & BIT_ULL(VIRTIO_F_RING_PACKED) &&
	    !(features & BIT_ULL(VIRTIO_F_VERSION_1)))
		return -EOPNOTSUPP;
	/*
	 * Legacy fields have the guest's byte order; this module reads little endian.
	 */
	if (!virtio_legacy_is_little_endian() &&
	    !(features & BIT_ULL(VIRTIO_F_VERSION_1)))
		return -EOPNOTSUPP;
	if (bell_device_is_running(dev))
		return -EBUSY;
	if (!dev->has_features || dev->features != features)
		dev->be->ops->set_features(dev->be, features);
	dev->features = features;
	dev->has_features = true;
	return 0;
}

static bool device_rings_covered(struct bell_device *dev, struct bell_gmem *gm)
{
	u32 i;

	for (i = 0; dev->be && i < dev->be->num_queues; i++) {
		if (dev->queue[i].running &&
		    !bell_vq_covered(&dev->queue[i].cfg, gm))
			return false;
	}
	return true;
}

/*
 * bell_device_exchange_gmem() - pause all running queues, exchange the table, and resume
 *	them
 *
 * No queue gets the new table before all queues are quiet; so if a signal interrupts the
 * wait, nothing has changed. With @moved, the queues take their ring addresses from there;
 * it may be NULL. The caller does not access @gm after an error.
 *
 * Returns 0 or -EINTR.
 */
int bell_device_exchange_gmem(struct bell_device *dev, struct bell_gmem *gm,
			      const struct bell_moved *moved)
{
	static const struct bell_patience killable = { .killable = true };
	u32 i, n = dev->be ? dev->be->num_queues : 0;
	struct bell_gmem *old = dev->gmem;
	int ret;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_pause_queues(dev, &killable);
	if (!ret) {
		for (i = 0; i < n; i++) {
			struct bell_queue *q = &dev->queue[i];

			if (moved) {
				q->cfg = moved[i].cfg;
				q->has_addr = moved[i].has_addr;
				bell_vq_move(&q->vq, &q->cfg);
			}
			if (q->running)
				bell_vq_set_gmem(&q->vq, gm);
		}
		mutex_lock(&dev->show_lock);
		bell_gmem_take_stats(gm, old);
		dev->gmem = gm;
		mutex_unlock(&dev->show_lock);
	}
	bell_device_resume_queues(dev);
	if (ret)
		bell_gmem_revert(gm, old);
	else
		bell_gmem_replaced(gm, old);
	return ret;
}

/* bell_device_set_mem_table() - set which parts of the owner's memory the guest has */
int bell_device_set_mem_table(struct bell_device *dev,
			      const struct vhost_memory_region *regions,
			      unsigned int n)
{
	struct bell_gmem *gm;
	int ret;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev);
	if (ret)
		return ret;
	if (!n) {
		if (bell_device_is_running(dev))
			return -EBUSY;
		gm = dev->gmem;
		mutex_lock(&dev->show_lock);
		dev->gmem = NULL;
		mutex_unlock(&dev->show_lock);
		bell_gmem_destroy(gm);
		return 0;
	}
	gm = bell_gmem_create(dev->mm, regions, n, dev->gmem);
	if (IS_ERR(gm))
		return PTR_ERR(gm);
	ret = device_rings_covered(dev, gm) ? 0 : -EBUSY;
	if (!ret && dev->gmem &&
	    !bell_gmem_log_covers(bell_gmem_get_log(dev->gmem), gm))
		ret = -EINVAL;
	if (ret) {
		bell_gmem_revert(gm, dev->gmem);
		return ret;
	}
	return bell_device_exchange_gmem(dev, gm, NULL);
}

static void device_init_queue(struct bell_device *dev, u32 i)
{
	struct bell_queue *q = &dev->queue[i];

	bell_vq_init(&q->vq, dev->id, i, &dev->signal_cfg);
	q->exec.owner = &dev->ref;
	q->exec.owner_release = bell_device_free;
	q->exec.may_inline = dev->be->may_inline;
	q->exec.charges_runner = dev->be->charges_runner;
	bell_exec_init(&q->exec, &dev->be->ops->exec, &dev->exec_cfg, &q->vq);
}

static int device_set_backend(struct bell_device *dev, struct bell_backend *be)
{
	u32 i;

	lockdep_assert_held(&dev->show_lock);
	dev->queue = kvcalloc(be->num_queues, sizeof(*dev->queue),
			      GFP_KERNEL_ACCOUNT);
	dev->worker = kvcalloc(be->num_queues, sizeof(*dev->worker),
			       GFP_KERNEL_ACCOUNT);
	if (!dev->queue || !dev->worker) {
		kvfree(dev->worker);
		kvfree(dev->queue);
		dev->worker = NULL;
		dev->queue = NULL;
		return -ENOMEM;
	}
	dev->be = be;
	for (i = 0; i < be->num_queues; i++)
		device_init_queue(dev, i);
	return 0;
}

static int device_check_unbacked(struct bell_device *dev)
{
	int ret;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev);
	if (ret)
		return ret;
	return dev->be ? -EBUSY : 0;
}

static u32 device_budget(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	return (dev->be ? dev->be->budget : 0) ?: DEVICE_BUDGET;
}

/* Give the device its back end. Returns the error if @be is an ERR_PTR. */
static int device_back(struct bell_device *dev, struct bell_backend *be)
{
	int ret;

	if (IS_ERR(be))
		return PTR_ERR(be);
	mutex_lock(&dev->show_lock);
	ret = device_set_backend(dev, be);
	mutex_unlock(&dev->show_lock);
	if (ret)
		be->ops->destroy(be);
	else if (dev->exec_cfg.budget == DEVICE_BUDGET)
		WRITE_ONCE(dev->exec_cfg.budget, device_budget(dev));
	return ret;
}

/* bell_device_set_blk() - make the device a disk */
int bell_device_set_blk(struct bell_device *dev,
			const struct vhost_doorbell_blk *cfg)
{
	int ret;

	if (cfg->flags & ~DEVICE_BLK_FLAGS || cfg->pad || cfg->pad2 ||
	    (!(cfg->flags & VHOST_DOORBELL_BLK_F_LIFETIME) &&
	     (cfg->pre_eol_info || cfg->lifetime_est_typ_a ||
	      cfg->lifetime_est_typ_b)) ||
	    memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)) ||
	    !cfg->num_queues || cfg->num_queues > VHOST_DOORBELL_MAX_QUEUES)
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	ret = device_check_unbacked(dev);
	if (ret)
		return ret;
	return device_back(dev, bell_backend_blk_create(cfg));
}

/* bell_device_set_net() - make the device a network card */
int bell_device_set_net(struct bell_device *dev,
			const struct vhost_doorbell_net *cfg)
{
	int ret;

	if (cfg->flags || cfg->pad ||
	    memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)))
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	ret = device_check_unbacked(dev);
	if (ret)
		return ret;
	return device_back(dev, bell_backend_net_create(cfg));
}

static int device_check_net(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	return dev->be && bell_backend_is_net(dev->be) ? 0 : -ENXIO;
}

/* bell_device_set_net_port() - attach a tap to a pair of queues, or detach it */
int bell_device_set_net_port(struct bell_device *dev,
			     const struct vhost_doorbell_net_port *cfg)
{
	struct bell_port *old = NULL;
	int ret;

	if (memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)))
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev) ?: device_check_net(dev);
	if (ret)
		return ret;
	mutex_lock(&dev->show_lock);
	ret = bell_backend_net_set_port(dev->be, cfg, &old);
	mutex_unlock(&dev->show_lock);
	bell_backend_net_close_port(old);
	return ret;
}

/* bell_device_set_net_dev() - create a network device as the card's port */
int bell_device_set_net_dev(struct bell_device *dev,
			    struct vhost_doorbell_net_dev *cfg)
{
	int ret;

	if (cfg->flags || cfg->pad || cfg->ifindex ||
	    memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)))
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev) ?: device_check_net(dev);
	if (ret)
		return ret;
	guard(mutex)(&dev->show_lock);
	return bell_backend_net_set_dev(dev->be, cfg);
}

/* bell_device_get_config() - read a part of the config space */
int bell_device_get_config(struct bell_device *dev,
			   struct vhost_doorbell_config *cfg)
{
	lockdep_assert_held(&dev->lock);
	if (!dev->be)
		return -ENXIO;
	if (!cfg->size || cfg->offset >= sizeof(cfg->data) ||
	    cfg->size > sizeof(cfg->data) - cfg->offset)
		return -EINVAL;
	memset(cfg->data, 0, sizeof(cfg->data));
	dev->be->ops->get_config(dev->be, cfg->offset, cfg->data, cfg->size);
	return 0;
}

/* bell_device_set_config() - write a part of the config space, as the driver did */
int bell_device_set_config(struct bell_device *dev,
			   const struct vhost_doorbell_config *cfg)
{
	int ret;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev);
	if (ret)
		return ret;
	if (!dev->be || !cfg->size || cfg->size > sizeof(cfg->data))
		return -EPERM;
	return dev->be->ops->set_config(dev->be, cfg->offset, cfg->data,
					cfg->size);
}

/* bell_device_resize() - have the back end read the size of the disk again */
int bell_device_resize(struct bell_device *dev, u64 *sectors)
{
	int ret;

	ret = device_check_backed(dev);
	if (ret)
		return ret;
	return dev->be->ops->resize(dev->be, sectors);
}

/* bell_device_get_exec() - read how the queues are served */
int bell_device_get_exec(struct bell_device *dev, struct vhost_doorbell_exec *e)
{
	*e = (struct vhost_doorbell_exec){
		.mode = READ_ONCE(dev->exec_cfg.mode),
		.inline_max = READ_ONCE(dev->exec_cfg.inline_max),
		.budget = READ_ONCE(dev->exec_cfg.budget),
		.poll_us = READ_ONCE(dev->exec_cfg.poll_us),
		.poll_share = READ_ONCE(dev->exec_cfg.poll_share),
		.coalesce_us = READ_ONCE(dev->signal_cfg.coalesce_us),
		.coalesce_count = READ_ONCE(dev->signal_cfg.coalesce_count),
	};
	return 0;
}

/* bell_device_set_exec() - set how the queues are served; also while they run */
int bell_device_set_exec(struct bell_device *dev,
			 const struct vhost_doorbell_exec *e)
{
	if (e->mode > VHOST_DOORBELL_MODE_POLL || e->inline_max > U16_MAX ||
	    e->budget > U16_MAX || e->poll_us > VHOST_DOORBELL_MAX_POLL_US ||
	    e->poll_share > 100 ||
	    e->coalesce_us > VHOST_DOORBELL_MAX_COALESCE_US ||
	    e->coalesce_count > U16_MAX || e->pad ||
	    memchr_inv(e->reserved, 0, sizeof(e->reserved)))
		return -EINVAL;
	/* Polling uses CPU time even if the guest does nothing. */
	if (e->mode == VHOST_DOORBELL_MODE_POLL && !capable(CAP_SYS_NICE))
		return -EPERM;

	lockdep_assert_held(&dev->lock);
	WRITE_ONCE(dev->exec_cfg.mode, e->mode);
	WRITE_ONCE(dev->exec_cfg.inline_max, e->inline_max ?: DEVICE_INLINE_MAX);
	WRITE_ONCE(dev->exec_cfg.budget, e->budget ?: device_budget(dev));
	WRITE_ONCE(dev->exec_cfg.poll_us, e->poll_us ?: DEVICE_POLL_US);
	WRITE_ONCE(dev->exec_cfg.poll_share,
		   e->poll_share ?: DEVICE_POLL_SHARE);
	WRITE_ONCE(dev->signal_cfg.coalesce_count,
		   e->coalesce_count ?: DEVICE_COALESCE_COUNT);
	WRITE_ONCE(dev->signal_cfg.coalesce_us, e->coalesce_us);
	return 0;
}
