// SPDX-License-Identifier: GPL-2.0
/*
 * callfd - tell the guest (through KVM's irqfd) or the VMM that we are done
 *
 * Context: signalling works anywhere, hard irq included, and takes no lock of
 * ours; the pointer is exchanged under RCU, as a VMM swaps the eventfd of a
 * running queue each time the guest masks a vector.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vhost.h>

#include "callfd.h"

struct bell_callfd_target {
	struct eventfd_ctx	*ctx;
	struct rcu_head		 rcu;
};

/*
 * The thread that signals on this CPU, for bell_callfd_is_signalling(). It is a
 * hint and needs no lock: an interrupt that signals in between wipes it out, and a
 * thread that is moved in between leaves it behind until the next signal there.
 */
static DEFINE_PER_CPU(struct task_struct *, callfd_signaller);

static void callfd_put(struct rcu_head *rcu)
{
	struct bell_callfd_target *t =
		container_of(rcu, struct bell_callfd_target, rcu);

	eventfd_ctx_put(t->ctx);
	kfree(t);
}

static void callfd_exchange(struct bell_callfd *c,
			    struct bell_callfd_target *new)
{
	struct bell_callfd_target *old =
		unrcu_pointer(xchg(&c->target, RCU_INITIALIZER(new)));

	/* A completion may be about to signal the old one. */
	if (old)
		call_rcu(&old->rcu, callfd_put);
}

/**
 * bell_callfd_set() - signal another eventfd from now on
 * @c: where to put it
 * @fd: file descriptor of an eventfd, or VHOST_FILE_UNBIND for none
 *
 * Context: Process context. The caller serialises calls.
 * Return: 0, -EBADF if @fd is not open, -EINVAL if it is no eventfd, -ENOMEM.
 */
int bell_callfd_set(struct bell_callfd *c, int fd)
{
	struct bell_callfd_target *new = NULL;
	int ret;

	if (fd != VHOST_FILE_UNBIND) {
		new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
		if (!new)
			return -ENOMEM;
		new->ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(new->ctx)) {
			ret = PTR_ERR(new->ctx);
			kfree(new);
			return ret;
		}
	}
	callfd_exchange(c, new);
	return 0;
}

/**
 * bell_callfd_clear() - forget the eventfd
 * @c: where it is
 *
 * Context: Process context. Others may signal the old one for a grace period.
 */
void bell_callfd_clear(struct bell_callfd *c)
{
	callfd_exchange(c, NULL);
}

/**
 * bell_callfd_signal() - add one to the eventfd, if there is one
 * @c: where it is
 *
 * Context: Any, but not inside another eventfd's wake-up.
 */
void bell_callfd_signal(struct bell_callfd *c)
{
	struct bell_callfd_target *t;

	rcu_read_lock();
	t = rcu_dereference(c->target);
	if (t) {
		this_cpu_write(callfd_signaller, current);
		eventfd_signal(t->ctx);
		this_cpu_write(callfd_signaller, NULL);
	}
	rcu_read_unlock();
}

/**
 * bell_callfd_is_signalling() - does this thread run in bell_callfd_signal()?
 *
 * An owner may have the call eventfd of one queue be the kick eventfd of another,
 * and the other way round. If each rang its pass into the same thread's task work,
 * the thread would not leave the kernel while there are requests.
 *
 * Context: Under an eventfd's lock, interrupts off.
 * Return: almost always right: a wrong answer moves one ring to another context.
 */
bool bell_callfd_is_signalling(void)
{
	return this_cpu_read(callfd_signaller) == current;
}
