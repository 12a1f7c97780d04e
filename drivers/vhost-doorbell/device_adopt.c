// SPDX-License-Identifier: GPL-2.0
/*
 * device_adopt - the owner of a device, and another one in its place
 *
 * The device holds the address space of its owner, as vhost does: a reference to its users
 * and not only to the mm_struct. So guest memory stays mapped and can be pinned after the
 * owner has died, and the queues run on, until the last close of the device's file.
 *
 * There is no circle of references: the device's own file cannot be mapped, and a bell,
 * which can, holds no device. What another file can hold is in threat-model.rst.
 *
 * A new process adopts the device: it becomes the owner and brings the memory table for
 * its own addresses. Both happen at once, as a table is worth nothing without the address
 * space that it is for.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vhost_types.h>

#include "backend.h"
#include "device.h"
#include "device_priv.h"
#include "gmem.h"
#include "vq.h"

static void adopt_set_owner(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	mmget(current->mm);
	dev->mm = current->mm;
	dev->owner = get_pid(task_tgid(current));
}

/* bell_device_set_owner() - make the caller the owner, whose addresses ioctls use */
int bell_device_set_owner(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	if (dev->mm)
		return -EBUSY;
	adopt_set_owner(dev);
	return 0;
}

/*
 * Is the caller the owner? Addresses in ioctls are addresses of the owner's memory.
 * Returns 0 or -EPERM.
 */
int bell_device_check_owner(struct bell_device *dev)
{
	lockdep_assert_held(&dev->lock);
	return dev->mm == current->mm ? 0 : -EPERM;
}

/**
 * bell_device_is_owner() - is this a thread of the owner's process?
 * @dev: the device
 *
 * Also true for a thread that exits and has no address space any more.
 */
bool bell_device_is_owner(struct bell_device *dev)
{
	if (current->flags & PF_EXITING)
		return dev->owner == task_tgid(current);
	return dev->mm && dev->mm == current->mm;
}

/**
 * bell_device_put_owner() - give up the address space of an owner
 * @mm: the address space; may be NULL
 * @owner: the owner's process; may be NULL
 * @later: do not unmap it here, as the caller need not pay for that
 *
 * Context: Process context, without locks; sleeps, unless @later.
 */
void bell_device_put_owner(struct mm_struct *mm, struct pid *owner, bool later)
{
	put_pid(owner);
	if (mm && later)
		mmput_async(mm);
	else if (mm)
		mmput(mm);
}

/*
 * Does a thread of the process that became the owner still use that address space? A
 * thread that exits gives it up before its files; so does one that calls execve().
 */
static bool adopt_owner_lives(struct bell_device *dev)
{
	struct task_struct *leader, *thread;
	bool lives = false;

	lockdep_assert_held(&dev->lock);
	rcu_read_lock();
	leader = pid_task(dev->owner, PIDTYPE_TGID);
	if (leader) {
		for_each_thread(leader, thread)
			lives |= READ_ONCE(thread->mm) == dev->mm;
	}
	rcu_read_unlock();
	return lives;
}

/* The same guest memory for another owner; @cfg is unchanged after an error. */
static int adopt_move_rings(struct bell_gmem *from, struct bell_gmem *to,
			    struct bell_vq_config *cfg)
{
	struct bell_vq_config moved = *cfg;

	if (!from || !to ||
	    bell_gmem_move_uaddr(from, to, &moved.desc_uaddr) ||
	    bell_gmem_move_uaddr(from, to, &moved.avail_uaddr) ||
	    bell_gmem_move_uaddr(from, to, &moved.used_uaddr))
		return -EFAULT;
	*cfg = moved;
	return 0;
}

/*
 * Where the in-flight region is in the old owner's memory says nothing to the new one. A
 * queue that runs has its part pinned.
 */
static void adopt_forget_inflight(struct bell_vq_config *cfg)
{
	cfg->inflight_uaddr = 0;
	cfg->inflight_size = 0;
}

/* Where the rings of each queue are in @gm. Returns an ERR_PTR if a running queue's are not. */
static struct bell_moved *adopt_move_queues(struct bell_device *dev,
					    struct bell_gmem *gm)
{
	u32 i, n = dev->be ? dev->be->num_queues : 0;
	struct bell_moved *moved;

	lockdep_assert_held(&dev->lock);
	moved = kvcalloc(max(n, 1U), sizeof(*moved), GFP_KERNEL_ACCOUNT);
	if (!moved)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < n; i++) {
		struct bell_queue *q = &dev->queue[i];

		moved[i].cfg = q->cfg;
		adopt_forget_inflight(&moved[i].cfg);
		moved[i].has_addr = q->has_addr &&
				    !adopt_move_rings(dev->gmem, gm,
						      &moved[i].cfg);
		if (q->running && (!moved[i].has_addr ||
				   !bell_vq_covered(&moved[i].cfg, gm))) {
			kvfree(moved);
			return ERR_PTR(-EBUSY);
		}
	}
	return moved;
}

/* Exchange the table. Returns 0, or a negative errno with nothing changed. */
static int adopt_table(struct bell_device *dev, struct bell_gmem *gm)
{
	struct bell_moved *moved = adopt_move_queues(dev, gm);
	int ret;

	lockdep_assert_held(&dev->lock);
	ret = PTR_ERR_OR_ZERO(moved);
	if (!ret && dev->gmem &&
	    !bell_gmem_log_covers(bell_gmem_get_log(dev->gmem), gm))
		ret = -EINVAL;
	if (ret)
		bell_gmem_revert(gm, dev->gmem);
	else
		ret = bell_device_exchange_gmem(dev, gm, moved);
	if (!IS_ERR(moved))
		kvfree(moved);
	return ret;
}

static int adopt_no_table(struct bell_device *dev)
{
	u32 i;

	lockdep_assert_held(&dev->lock);
	if (dev->gmem)
		return -EINVAL;
	for (i = 0; dev->be && i < dev->be->num_queues; i++) {
		dev->queue[i].has_addr = false;
		adopt_forget_inflight(&dev->queue[i].cfg);
	}
	return 0;
}

/**
 * bell_device_adopt() - make the caller the owner, with a memory table of its own
 * @dev: the device, whose owner has died
 * @regions: as for bell_device_set_mem_table()
 * @n: number of regions
 *
 * Context: Process context; waits for requests in flight.
 * Return: 0 or a negative errno, as Documentation/uapi.rst says.
 */
int bell_device_adopt(struct bell_device *dev,
		      const struct vhost_memory_region *regions, unsigned int n)
{
	struct mm_struct *mm = dev->mm;
	struct pid *owner = dev->owner;
	struct bell_gmem *gm;
	int ret;

	lockdep_assert_held(&dev->lock);
	if (!mm)
		return -ENXIO;
	if (mm == current->mm || adopt_owner_lives(dev))
		return -EBUSY;
	if (n) {
		gm = bell_gmem_create(current->mm, regions, n, dev->gmem);
		ret = IS_ERR(gm) ? PTR_ERR(gm) : adopt_table(dev, gm);
	} else {
		ret = adopt_no_table(dev);
	}
	if (ret)
		return ret;
	adopt_set_owner(dev);
	bell_device_put_owner(mm, owner, true);
	return 0;
}
