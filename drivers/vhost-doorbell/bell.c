// SPDX-License-Identifier: GPL-2.0
/*
 * bell - a counter that eventfds, or an ioctl, ring
 *
 * At each signal the bell takes the whole count of a wired eventfd, so coalesced
 * signals lose nothing. The mode says which context adds it to the counter: the signal
 * itself (any context, under the eventfd's wqh->lock, interrupts off), or the contexts
 * that also serve virtqueues (exec.c). A histogram counts the times from the ringer's
 * stamp, or from the signal, until the bell adds the count.
 *
 * Teardown: 1. no wire rings; 2. no pass runs; 3. a grace period, as a context that
 * woke the worker may still access it; 4. worker, interrupt work and page are freed.
 * Task work that was queued holds a reference, as for queues.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/wait.h>

#include <uapi/linux/vhost_doorbell.h>

#include "bell.h"
#include "exec.h"
#include "kickfd.h"

#define BELL_BUDGET	64	/* budget of an inline pass; the worker does the rest */
/* Longer times, over about 20 minutes, are no sample */
#define BELL_MAX_CYCLES	(1ULL << 42)
/* Most that is taken from a semaphore eventfd at each signal */
#define BELL_SEMAPHORE	64

struct bell_wire {
	struct bell_kickfd	kick;
	struct bell_bell	*bell;
	struct list_head	node;
};

struct bell_bell {
	struct kref				 ref;

	/* Constant. */
	u32					 id;
	u32					 mode;
	struct bell_exec_config			 exec_cfg;
	struct page				*page;
	struct vhost_doorbell_bell_page		*shared;

	struct bell_exec			 exec;
	struct bell_worker			 worker;

	/* Interrupt work: wakes the threads in @wait, outside of the eventfd's lock */
	struct irq_work				 wake;
	/* Threads that wait in poll() until @count has passed @mark */
	wait_queue_head_t			 wait;

	u64					 count __guarded_by(&lock);
	u64					 mark __guarded_by(&lock);
	/* Rings that a pass has still to add to @count */
	u64					 rung __guarded_by(&lock);
	/* When the first of the rings in @rung came, in CPU cycles */
	u64					 rung_at __guarded_by(&lock);
	u64					 rings __guarded_by(&lock);
	u64					 handled __guarded_by(&lock);
	u64					 samples __guarded_by(&lock);
	u64					 sum_ns __guarded_by(&lock);
	u64					 min_ns __guarded_by(&lock);
	u64					 max_ns __guarded_by(&lock);
	u64					 hist[VHOST_DOORBELL_BELL_BUCKETS]
						 __guarded_by(&lock);
	spinlock_t				 lock;

	struct list_head			 wires __guarded_by(&wire_lock);
	u64					 nwires __guarded_by(&wire_lock);
	u64					 hangups __guarded_by(&wire_lock);
	struct mutex				 wire_lock;
};

static atomic_t bell_ids = ATOMIC_INIT(0);

/* --- counting rings --- */

static bool bell_passed(const struct bell_bell *b)
{
	return (s64)(b->count - b->mark) > 0;
}

static void bell_add_sample(struct bell_bell *b, u64 cycles)
{
	u32 khz = bell_cycles_khz();
	unsigned int i;
	u64 ns;

	/* The clock is unknown, or the ringer's stamp is wrong. */
	if (!khz || cycles > BELL_MAX_CYCLES)
		return;
	ns = mul_u64_u32_div(cycles, NSEC_PER_MSEC, khz);
	i = ns ? ilog2(ns) : 0;
	b->hist[min(i, VHOST_DOORBELL_BELL_BUCKETS - 1U)]++;
	b->samples++;
	b->sum_ns += ns;
	b->min_ns = b->samples == 1 ? ns : min(b->min_ns, ns);
	b->max_ns = max(b->max_ns, ns);
}

/*
 * Add @n to the counter. @now: when counting began, in cycles; @rung_at: when it was
 * rung, or 0 in the hook, where that is the same.
 */
static void bell_count(struct bell_bell *b, u64 n, u64 rung_at, u64 now)
{
	u64 begun = READ_ONCE(b->shared->stamp);

	lockdep_assert_held(&b->lock);
	/* Clear the stamp: the next ring may have none and must not find this one. */
	if (begun)
		begun = xchg(&b->shared->stamp, 0);
	if (!begun)
		begun = rung_at;
	/* The ringer may have written anything there. */
	if (begun && begun <= now)
		bell_add_sample(b, now - begun);
	b->handled++;
	b->count += n;
	WRITE_ONCE(b->shared->entered, now);
	/* Publishes @entered: readers of the shared page read @count first. */
	smp_store_release(&b->shared->count, b->count);
}

/* The interrupt work. A woken waiter may do anything, also signal an eventfd. */
static void bell_wake(struct irq_work *work)
{
	struct bell_bell *b = container_of(work, struct bell_bell, wake);

	wake_up_poll(&b->wait, EPOLLIN | EPOLLRDNORM);
}

static void bell_tell(struct bell_bell *b, bool passed)
{
	/*
	 * wq_has_sleeper() has a barrier, which pairs with bell_bell_poll() taking
	 * b->lock.
	 */
	if (passed && wq_has_sleeper(&b->wait))
		irq_work_queue(&b->wake);
}

/* Add @n rings, in any context, also under an eventfd's lock with interrupts off. */
static void bell_add(struct bell_bell *b, u64 n)
{
	u64 now = get_cycles();
	unsigned long flags;
	bool passed;

	spin_lock_irqsave(&b->lock, flags);
	b->rings++;
	if (b->mode == VHOST_DOORBELL_BELL_HOOK) {
		bell_count(b, n, 0, now);
		passed = bell_passed(b);
		spin_unlock_irqrestore(&b->lock, flags);
		bell_tell(b, passed);
		return;
	}
	if (!b->rung)
		b->rung_at = now;
	b->rung += n;
	spin_unlock_irqrestore(&b->lock, flags);
	bell_exec_ring(&b->exec);
}

/* Runs in the holder of the run token: the worker or the ringing thread. */
static enum bell_pass bell_pass(struct bell_exec *exec, struct bell_run *run)
{
	struct bell_bell *b = container_of(exec, struct bell_bell, exec);
	u64 now = get_cycles();
	bool passed = false;

	spin_lock_irq(&b->lock);
	if (b->rung) {
		bell_count(b, b->rung, b->rung_at, now);
		b->rung = 0;
		passed = bell_passed(b);
	}
	spin_unlock_irq(&b->lock);
	bell_tell(b, passed);
	return BELL_PASS_DONE;
}

static const struct bell_exec_ops bell_exec_ops = {
	.pass = bell_pass,
};

/* --- creation and release --- */

/* The module is unloaded only after this has returned: see bell_device_free(). */
static void bell_free(struct kref *ref)
{
	struct bell_bell *b = container_of(ref, struct bell_bell, ref);

	kfree(b);
	module_put(THIS_MODULE);
}

static int bell_start(struct bell_bell *b)
{
	char name[TASK_COMM_LEN];
	int ret;

	b->exec.owner = &b->ref;
	b->exec.owner_release = bell_free;
	b->exec.may_inline = true;
	b->exec_cfg.mode = b->mode == VHOST_DOORBELL_BELL_INLINE ?
			   VHOST_DOORBELL_MODE_INLINE :
			   VHOST_DOORBELL_MODE_WORKER;
	b->exec_cfg.budget = BELL_BUDGET;
	bell_exec_init(&b->exec, &bell_exec_ops, &b->exec_cfg, NULL);
	/* A bell is for measuring: no ring is to wait until a thread is made. */
	b->worker.keep_thread = true;
	snprintf(name, sizeof(name), "vhd-bell-%u", b->id);
	ret = bell_exec_worker_start(&b->exec, &b->worker, name);
	if (ret)
		return ret;
	bell_exec_resume(&b->exec);
	return 0;
}

static void bell_stop(struct bell_bell *b)
{
	/* A bell's passes do not sleep, so this wait is short. */
	bell_exec_pause(&b->exec, NULL);
	synchronize_rcu();
	bell_exec_worker_stop(&b->exec);
}

/**
 * bell_bell_create() - make a bell that no eventfd is wired to
 * @cfg: the ioctl's argument, not checked
 *
 * Context: Process context, of a user process.
 * Return: the bell, or an ERR_PTR as Documentation/uapi.rst lists for
 * VHOST_DOORBELL_CREATE_BELL.
 */
struct bell_bell *bell_bell_create(const struct vhost_doorbell_bell *cfg)
{
	struct bell_bell *b;
	int ret = -ENOMEM;

	if (cfg->mode > VHOST_DOORBELL_BELL_INLINE || cfg->flags ||
	    memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)))
		return ERR_PTR(-EINVAL);

	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return ERR_PTR(-ENOMEM);
	b->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!b->page)
		goto err_free;
	b->shared = page_address(b->page);
	b->mode = cfg->mode;
	b->id = atomic_inc_return(&bell_ids);
	kref_init(&b->ref);
	spin_lock_init(&b->lock);
	mutex_init(&b->wire_lock);
	INIT_LIST_HEAD(&b->wires);
	init_waitqueue_head(&b->wait);
	init_irq_work(&b->wake, bell_wake);
	if (b->mode != VHOST_DOORBELL_BELL_HOOK) {
		ret = bell_start(b);
		if (ret)
			goto err_page;
	}
	/*
	 * Held until the bell's memory is freed. Cannot fail: the caller's device holds
	 * one, too.
	 */
	__module_get(THIS_MODULE);
	return b;

err_page:
	put_page(b->page);
err_free:
	kfree(b);
	return ERR_PTR(ret);
}

static void bell_drop_wire(struct bell_bell *b, struct bell_wire *w)
{
	lockdep_assert_held(&b->wire_lock);
	bell_kickfd_detach(&w->kick);
	list_del(&w->node);
	b->nwires--;
	kfree(w);
}

/**
 * bell_bell_release() - release a bell at the last close of its file
 * @b: the bell; the caller does not access it any more
 *
 * Context: Process context, sleeps.
 */
void bell_bell_release(struct bell_bell *b)
{
	struct bell_wire *w, *next;

	/* Step 1 of the teardown */
	mutex_lock(&b->wire_lock);
	list_for_each_entry_safe(w, next, &b->wires, node)
		bell_drop_wire(b, w);
	mutex_unlock(&b->wire_lock);
	/* Steps 2 to 4 */
	if (b->mode != VHOST_DOORBELL_BELL_HOOK)
		bell_stop(b);
	irq_work_sync(&b->wake);
	put_page(b->page);
	kref_put(&b->ref, bell_free);
}

/* --- wires: eventfds that ring the bell --- */

/* Under the eventfd's lock, interrupts off. */
static void bell_wire_ring(struct bell_kickfd *kick, u64 count)
{
	struct bell_wire *w = container_of(kick, struct bell_wire, kick);
	unsigned int i;

	/* An eventfd that is no semaphore gave all of its count at once. */
	for (i = 1; count == i && i < BELL_SEMAPHORE; i++)
		count += bell_kickfd_take(kick);
	/* Zero if another waiter of the eventfd took the count first. */
	if (count)
		bell_add(w->bell, count);
}

/* Free the wires whose eventfd was closed. */
static void bell_reap_wires(struct bell_bell *b)
{
	struct bell_wire *w, *next;

	lockdep_assert_held(&b->wire_lock);
	list_for_each_entry_safe(w, next, &b->wires, node) {
		if (!READ_ONCE(w->kick.hungup))
			continue;
		bell_drop_wire(b, w);
		b->hangups++;
	}
}

static struct bell_wire *bell_find_wire(struct bell_bell *b,
					const struct eventfd_ctx *ctx)
{
	struct bell_wire *w;

	lockdep_assert_held(&b->wire_lock);
	list_for_each_entry(w, &b->wires, node) {
		if (w->kick.ctx == ctx)
			return w;
	}
	return NULL;
}

static int bell_check_wire(const struct vhost_doorbell_bell_wire *w)
{
	return w->flags || w->reserved ? -EINVAL : 0;
}

/**
 * bell_bell_wire() - let an eventfd ring the bell
 * @b: the bell
 * @cfg: the ioctl's argument, not checked
 *
 * Context: Process context.
 * Return: 0, or an errno as Documentation/uapi.rst lists for VHOST_DOORBELL_BELL_WIRE.
 */
int bell_bell_wire(struct bell_bell *b,
		   const struct vhost_doorbell_bell_wire *cfg)
{
	struct bell_wire *w;
	int ret;

	ret = bell_check_wire(cfg);
	if (ret)
		return ret;
	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOMEM;
	w->bell = b;

	mutex_lock(&b->wire_lock);
	bell_reap_wires(b);
	ret = bell_kickfd_attach(&w->kick, cfg->fd, false, bell_wire_ring);
	if (ret)
		goto err_free;
	ret = -EEXIST;
	if (bell_find_wire(b, w->kick.ctx))
		goto err_detach;
	list_add_tail(&w->node, &b->wires);
	b->nwires++;
	bell_kickfd_arm(&w->kick, true);
	/* Ring for the count that it held before; later signals call the hook. */
	bell_kickfd_ring_pending(&w->kick);
	mutex_unlock(&b->wire_lock);
	return 0;

err_detach:
	bell_kickfd_detach(&w->kick);
err_free:
	mutex_unlock(&b->wire_lock);
	kfree(w);
	return ret;
}

/**
 * bell_bell_unwire() - detach an eventfd from the bell
 * @b: the bell
 * @cfg: the ioctl's argument, not checked
 *
 * Context: Process context. Afterwards no signal of the eventfd rings the bell.
 * Return: 0, or an errno as Documentation/uapi.rst lists for VHOST_DOORBELL_BELL_UNWIRE.
 */
int bell_bell_unwire(struct bell_bell *b,
		     const struct vhost_doorbell_bell_wire *cfg)
{
	struct eventfd_ctx *ctx;
	struct bell_wire *w;
	int ret;

	ret = bell_check_wire(cfg);
	if (ret)
		return ret;
	ctx = eventfd_ctx_fdget(cfg->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	mutex_lock(&b->wire_lock);
	w = bell_find_wire(b, ctx);
	if (w)
		bell_drop_wire(b, w);
	mutex_unlock(&b->wire_lock);
	eventfd_ctx_put(ctx);
	return w ? 0 : -ENOENT;
}

/* --- the ioctls of a bell --- */

/**
 * bell_bell_ring() - ring the bell without an eventfd
 * @b: the bell
 * @count: how much to add to the counter
 *
 * Context: Process context.
 * Return: 0, -EINVAL if @count is zero.
 */
int bell_bell_ring(struct bell_bell *b, u64 count)
{
	if (!count)
		return -EINVAL;
	bell_add(b, count);
	return 0;
}

/**
 * bell_bell_read() - read the counter and set the mark to its value
 * @b: the bell
 *
 * Context: Process context.
 */
u64 bell_bell_read(struct bell_bell *b)
{
	u64 count;

	spin_lock_irq(&b->lock);
	count = b->count;
	b->mark = count;
	spin_unlock_irq(&b->lock);
	return count;
}

/**
 * bell_bell_set_mark() - set the mark; poll() waits until the counter has passed it
 * @b: the bell
 * @mark: a value of the counter
 *
 * Context: Process context.
 */
void bell_bell_set_mark(struct bell_bell *b, u64 mark)
{
	bool passed;

	spin_lock_irq(&b->lock);
	b->mark = mark;
	passed = bell_passed(b);
	spin_unlock_irq(&b->lock);
	/* Threads that wait may have waited for a higher mark: wake them. */
	bell_tell(b, passed);
}

/**
 * bell_bell_poll() - has the counter passed the mark?
 * @b: the bell
 * @file: the bell's file
 * @table: poll table to which the bell's wait queue is added
 *
 * Context: Process context.
 */
bool bell_bell_poll(struct bell_bell *b, struct file *file,
		    struct poll_table_struct *table)
{
	bool passed;

	poll_wait(file, &b->wait, table);
	spin_lock_irq(&b->lock);
	passed = bell_passed(b);
	spin_unlock_irq(&b->lock);
	return passed;
}

/**
 * bell_bell_page() - the page that is shared with ringers and waiters
 * @b: the bell
 *
 * Return: the page, with a reference for the caller.
 */
struct page *bell_bell_page(struct bell_bell *b)
{
	get_page(b->page);
	return b->page;
}

/**
 * bell_bell_get_stats() - read counter, mark, counters and histogram of a bell
 * @b: the bell
 * @st: out
 *
 * Context: Process context.
 */
void bell_bell_get_stats(struct bell_bell *b,
			 struct vhost_doorbell_bell_stats *st)
{
	*st = (struct vhost_doorbell_bell_stats){
		.cycles_khz = bell_cycles_khz(),
	};
	if (b->mode != VHOST_DOORBELL_BELL_HOOK)
		st->worker_pid = bell_exec_worker_pid(&b->exec);

	mutex_lock(&b->wire_lock);
	bell_reap_wires(b);
	st->wires = b->nwires;
	st->hangups = b->hangups;
	mutex_unlock(&b->wire_lock);
	spin_lock_irq(&b->lock);
	st->count = b->count;
	st->mark = b->mark;
	st->rings = b->rings;
	st->handled = b->handled;
	st->samples = b->samples;
	st->sum_ns = b->sum_ns;
	st->min_ns = b->min_ns;
	st->max_ns = b->max_ns;
	memcpy(st->hist, b->hist, sizeof(st->hist));
	spin_unlock_irq(&b->lock);
}

static const char *const bell_mode_names[] = {
	[VHOST_DOORBELL_BELL_HOOK]	= "hook",
	[VHOST_DOORBELL_BELL_WORKER]	= "worker",
	[VHOST_DOORBELL_BELL_INLINE]	= "inline",
};

/**
 * bell_bell_show() - print /proc/PID/fdinfo/FD
 * @b: the bell
 * @m: the output
 *
 * Context: Process context.
 */
void bell_bell_show(struct bell_bell *b, struct seq_file *m)
{
	struct vhost_doorbell_bell_stats st;

	bell_bell_get_stats(b, &st);
	seq_printf(m, "vhost-doorbell-bell:\t%u\n", b->id);
	seq_printf(m, "mode:\t%s\n", bell_mode_names[b->mode]);
	seq_printf(m, "count:\t%llu\n", st.count);
	seq_printf(m, "rings:\t%llu\n", st.rings);
	seq_printf(m, "handled:\t%llu\n", st.handled);
	seq_printf(m, "wires:\t%llu\n", st.wires);
	seq_printf(m, "hangups:\t%llu\n", st.hangups);
	seq_printf(m, "times:\tsamples=%llu sum_ns=%llu min_ns=%llu max_ns=%llu\n",
		   st.samples, st.sum_ns, st.min_ns, st.max_ns);
}
