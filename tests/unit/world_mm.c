// SPDX-License-Identifier: GPL-2.0
/* The owner: its address space, what is accounted to it. */
#include <linux/kthread.h>
#include <linux/sched/mm.h>

#include "world.h"

int mmap_write_lock_killable(struct mm_struct *mm)
{
	might_sleep();
	if (mm->locked)
		shim_die("the mmap lock is taken twice");
	if (current->killed)
		return -EINTR;
	mm->locked = true;
	return 0;
}

void mmap_write_unlock(struct mm_struct *mm)
{
	mm->locked = false;
}

int account_locked_vm(struct mm_struct *mm, unsigned long n, bool inc)
{
	int ret;

	mm->locked = true;
	ret = __account_locked_vm(mm, n, inc, current, false);
	mm->locked = false;
	return ret;
}

int __account_locked_vm(struct mm_struct *mm, unsigned long n, bool inc,
			struct task_struct *task, bool bypass)
{
	(void)task;
	if (!mm->locked || bypass)
		shim_die("accounting without the lock, or without a limit");
	if (!inc) {
		if (n > mm->locked_vm)
			shim_die("%lu pages given back of %lu", n,
				 mm->locked_vm);
		mm->locked_vm -= n;
		return 0;
	}
	if (mm->locked_vm + n > mm->limit)
		return -ENOMEM;
	mm->locked_vm += n;
	return 0;
}

void mmgrab(struct mm_struct *mm)
{
	mm->count++;
}

void mmdrop(struct mm_struct *mm)
{
	if (!--mm->count)
		shim_die("too many mmdrop()");
}

bool mmget_not_zero(struct mm_struct *mm)
{
	if (!mm->users)
		return false;
	mm->users++;
	return true;
}

void mmput(struct mm_struct *mm)
{
	might_sleep();
	if (!--mm->users)
		world_invalidate(0, ~0UL);
}

void world_exit_mm(void)
{
	shim_task.mm = NULL;
	mmput(&world.mm);
}

/* The one task here is owner and worker in turn. */
static struct mm_struct *own_mm;
static bool lent;

void kthread_use_mm(struct mm_struct *mm)
{
	if (lent)
		shim_die("kthread_use_mm() twice");
	lent = true;
	own_mm = shim_task.mm;
	shim_task.mm = mm;
}

void kthread_unuse_mm(struct mm_struct *mm)
{
	if (!lent || shim_task.mm != mm)
		shim_die("kthread_unuse_mm() of another mm");
	shim_task.mm = own_mm;
	lent = false;
}
