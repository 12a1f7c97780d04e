// SPDX-License-Identifier: GPL-2.0
/* The owner's address space, and the memory accounted to it. */
#include <linux/kthread.h>
#include <linux/sched/mm.h>

#include "world.h"

void mmgrab(struct mm_struct *mm)
{
	mm->count++;
}

void mmdrop(struct mm_struct *mm)
{
	if (!--mm->count)
		shim_die("too many mmdrop()");
}

void world_exit_mm(void)
{
	shim_task.mm = NULL;
}

bool mmget_not_zero(struct mm_struct *mm)
{
	if (!mm->mm_users.counter)
		return false;
	mm->mm_users.counter++;
	return true;
}

void mmput(struct mm_struct *mm)
{
	might_sleep();
	if (!--mm->mm_users.counter)
		world_invalidate(0, ~0UL);
}

/* One task plays both the owner and the worker. */
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
