// SPDX-License-Identifier: GPL-2.0
/*
 * callfd - signal an eventfd: the call eventfd, from which KVM's irqfd interrupts the
 * guest, or the error eventfd, which the VMM reads
 *
 * Context: signalling works in any context, also in hard irqs, and takes no lock of the
 * module. The pointer to the eventfd is exchanged under RCU: a VMM replaces the call
 * eventfd of a running queue each time the guest masks or unmasks an interrupt vector.
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
 * The thread that signals on this CPU, for bell_callfd_is_signalling(). It is a hint
 * and needs no lock: an interrupt that signals meanwhile clears it, and a thread that
 * migrates meanwhile leaves it set until the next signal on the old CPU.
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

	/*
	 * Another context may be signalling the old eventfd: put it after a grace
	 * period.
	 */
	if (old)
		call_rcu(&old->rcu, callfd_put);
}

/**
 * bell_callfd_set() - signal another eventfd from now on
 * @c: the holder of the eventfd
 * @fd: file descriptor of an eventfd, or VHOST_FILE_UNBIND for none
 *
 * Context: Process context. The caller serialises calls.
 * Return: 0, -EBADF if @fd is not open, -EINVAL if it is not an eventfd, -ENOMEM.
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
 * bell_callfd_clear() - drop the eventfd
 * @c: the holder of the eventfd
 *
 * Context: Process context. Other contexts may signal the old eventfd until an RCU grace
 * period has passed.
 */
void bell_callfd_clear(struct bell_callfd *c)
{
	callfd_exchange(c, NULL);
}

/**
 * bell_callfd_signal() - add one to the eventfd's counter, if an eventfd is set
 * @c: the holder of the eventfd
 *
 * Context: Any, except the wake-up callback of an eventfd.
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
 * An owner may use the call eventfd of each of two queues as the kick eventfd of the
 * other. If each completion queued the other's pass as task work of the same thread, that
 * thread would not leave the kernel while there are requests.
 *
 * Context: Under an eventfd's lock, interrupts off.
 * Return: true if so. It may be wrong when an interrupt signals meanwhile; then one
 * ring is served in another context.
 */
bool bell_callfd_is_signalling(void)
{
	return this_cpu_read(callfd_signaller) == current;
}
