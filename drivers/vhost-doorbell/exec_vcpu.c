// SPDX-License-Identifier: GPL-2.0
/*
 * exec_vcpu - serve the queue in the ringing thread, before it returns to the guest
 *
 * The kick hook runs in KVM's ioeventfd write, on the vCPU's own thread. It queues the
 * pass as task work, which KVM runs before it enters the guest again, and a system call
 * before it returns to user space. No thread is woken and there is no context switch.
 * Nothing here may block, as that would stall the vCPU.
 *
 * Task work cannot be cancelled. So it holds a reference to the device, does nothing if
 * the executor is dead, and no release waits for it.
 */
#include <linux/kref.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/task_work.h>

#include "exec.h"

#define VCPU_QUEUED	0	/* in vcpu_flags: the task work is queued */
/*
 * Upper bound of a pass in chains, whatever budget is configured: a pass never calls
 * cond_resched().
 */
#define VCPU_BUDGET_MAX	1024U

/* The task work, in the thread that rang, or during its exit. */
static void vcpu_run(struct callback_head *work)
{
	struct bell_exec *exec =
		container_of(work, struct bell_exec, vcpu_work);
	enum bell_pass how;

	WRITE_ONCE(exec->ringer, NULL);
	clear_bit(VCPU_QUEUED, &exec->vcpu_flags);
	/*
	 * A ring after the clear queues the task work again; a ring before it is seen by
	 * the pass below.
	 */
	smp_mb__after_atomic();
	if (current->flags & PF_EXITING) {
		bell_exec_ask_worker(exec);
	} else {
		how = bell_exec_pass(exec,
				     min(READ_ONCE(exec->cfg->budget),
					 VCPU_BUDGET_MAX), false);
		if (how == BELL_PASS_PUNT)
			bell_exec_auto_would_block(exec);
		bell_exec_auto_tried(exec);
	}
	kref_put(exec->owner, exec->owner_release);
}

/* bell_exec_vcpu_init() - initialise the task work */
void bell_exec_vcpu_init(struct bell_exec *exec)
{
	init_task_work(&exec->vcpu_work, vcpu_run);
}

/*
 * Do what task_work_add(current, work, TWA_RESUME) does: mainline exports no such
 * function to modules.
 *
 * Context: Task context of a thread that is not exiting. Only the thread itself
 * closes its list, in exit_task_work(), after it has set PF_EXITING: so the list is
 * open here. Other threads and this one's interrupts may push at the same time.
 */
static void vcpu_push(struct callback_head *work)
{
	struct callback_head *head = READ_ONCE(current->task_works);

	do {
		work->next = head;
		/* A full barrier: the runner of the list sees all that @work needs. */
	} while (!try_cmpxchg(&current->task_works, &head, work));
	set_thread_flag(TIF_NOTIFY_RESUME);
}

/**
 * bell_exec_vcpu_queue() - serve the queue before this thread leaves the kernel
 * @exec: the executor
 *
 * Context: Any, also with interrupts off.
 * Return: false if this context cannot do it.
 */
bool bell_exec_vcpu_queue(struct bell_exec *exec)
{
	if (!in_task() || current->flags & (PF_KTHREAD | PF_USER_WORKER |
					    PF_IO_WORKER | PF_EXITING))
		return false;
	/*
	 * Queued already, perhaps by another thread, which may not leave the kernel
	 * soon: then the worker has to serve.
	 */
	if (test_and_set_bit(VCPU_QUEUED, &exec->vcpu_flags))
		return READ_ONCE(exec->ringer) == current;

	kref_get(exec->owner);
	WRITE_ONCE(exec->ringer, current);
	vcpu_push(&exec->vcpu_work);
	return true;
}
