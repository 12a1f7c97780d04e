// SPDX-License-Identifier: GPL-2.0
/*
 * kickfd - run device work when a guest rings a queue's eventfd
 *
 * Context: the wake-up runs under the eventfd's wqh->lock with interrupts off,
 * mostly on a vCPU thread inside KVM's ioeventfd write. It may only set
 * flags and hand the work to another context; it never touches guest memory.
 *
 * A queue holds the eventfd's file: KVM keeps only the context, so that it may ring
 * an eventfd whose last descriptor the VMM has closed. A bell's wire holds the
 * context only: the last close is seen as a hang-up and unhooks it, which is how a
 * wire ends. Holding the file cannot make a cycle of references: an eventfd refers
 * to no other file.
 *
 * Teardown: after bell_kickfd_arm(k, false) or bell_kickfd_detach(k) no wake-up
 * rings and none can start. A write while it is not armed stays in the eventfd's count;
 * the caller that arms it must look at the ring once.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>

#include "kickfd.h"

/* Runs under wqh->lock with interrupts off, in the context that signals the eventfd. */
static int kickfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync,
		       void *key)
{
	struct bell_kickfd *k = container_of(wait, struct bell_kickfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if ((events & EPOLLIN) && k->armed) {
		eventfd_ctx_do_read(k->ctx, &count);
		k->ring(k, count);
	}
	if (events & EPOLLHUP) {
		/*
		 * Empty the entry: bell_kickfd_detach() removes it once more, which
		 * does nothing then.
		 */
		list_del_init(&wait->entry);
		WRITE_ONCE(k->hungup, true);
	}
	return 0;
}

static void kickfd_hook(struct file *file, wait_queue_head_t *wqh,
			poll_table *table)
{
	struct bell_kickfd *k = container_of(table, struct bell_kickfd, table);

	k->wqh = wqh;
	add_wait_queue(wqh, &k->wait);
}

/**
 * bell_kickfd_attach() - hook into an eventfd, not armed yet
 * @k: zeroed or detached
 * @fd: file descriptor of an eventfd
 * @hold: keep its file open until it is detached; if not, its last close is seen as a
 *	hang-up
 * @ring: called for each signal while armed
 *
 * Context: Process context. The caller serialises attach, arm and detach.
 * Return: 0, -EBADF if @fd is not open, -EINVAL if it is no eventfd.
 */
int bell_kickfd_attach(struct bell_kickfd *k, int fd, bool hold,
		       void (*ring)(struct bell_kickfd *k, u64 count))
{
	struct eventfd_ctx *ctx;
	struct file *file;

	file = eventfd_fget(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(ctx)) {
		fput(file);
		return PTR_ERR(ctx);
	}

	*k = (struct bell_kickfd){ .ctx = ctx, .ring = ring };
	init_waitqueue_func_entry(&k->wait, kickfd_wake);
	init_poll_funcptr(&k->table, kickfd_hook);
	vfs_poll(file, &k->table);
	if (hold)
		k->file = file;
	else
		fput(file);
	return 0;
}

/**
 * bell_kickfd_arm() - arm or disarm the hook
 * @k: attached
 * @armed: whether signals of the eventfd call @k->ring
 *
 * Context: Process context. After disarming no call of @k->ring runs.
 */
void bell_kickfd_arm(struct bell_kickfd *k, bool armed)
{
	spin_lock_irq(&k->wqh->lock);
	k->armed = armed;
	spin_unlock_irq(&k->wqh->lock);
}

/**
 * bell_kickfd_take() - take more of the eventfd's count
 * @k: attached
 *
 * Needed only for an eventfd made with EFD_SEMAPHORE, which gives one at a time; of any
 * other one @k->ring got the whole count.
 *
 * Context: In @k->ring only.
 * Return: the count that was taken, 0 if the eventfd was empty.
 */
u64 bell_kickfd_take(struct bell_kickfd *k)
{
	u64 count;

	lockdep_assert_held(&k->wqh->lock);
	eventfd_ctx_do_read(k->ctx, &count);
	return count;
}

/**
 * bell_kickfd_ring_pending() - call @k->ring for writes from before it was armed
 * @k: armed
 *
 * Context: Process context.
 */
void bell_kickfd_ring_pending(struct bell_kickfd *k)
{
	u64 count;

	spin_lock_irq(&k->wqh->lock);
	count = bell_kickfd_take(k);
	if (count) {
		k->ring(k, count);
		/* Writers that block on a full eventfd may write again. */
		wake_up_locked_poll(k->wqh, EPOLLOUT);
	}
	spin_unlock_irq(&k->wqh->lock);
}

/**
 * bell_kickfd_detach() - unhook from the eventfd
 * @k: attached or not
 *
 * Context: Process context.
 */
void bell_kickfd_detach(struct bell_kickfd *k)
{
	u64 count;

	if (!k->ctx)
		return;
	/* Unhooking empties the count; put it back, so that no unserved ring is lost. */
	eventfd_ctx_remove_wait_queue(k->ctx, &k->wait, &count);
	if (count)
		eventfd_signal(k->ctx);
	eventfd_ctx_put(k->ctx);
	k->ctx = NULL;
	if (k->file)
		fput(k->file);
	k->file = NULL;
}
