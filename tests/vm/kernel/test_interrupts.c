// SPDX-License-Identifier: GPL-2.0
/*
 * test_interrupts - end L1 when its processor breaks a rule
 *
 * QEMU's emulation of SVM sometimes takes the way it delivers interrupts within a
 * guest (HF2_VINTR_MASK) along to the host: from then on, interrupts come while
 * the kernel has them off. It deadlocks on its own locks, or worse, far from the
 * cause. On no sound processor does the timer's interrupt find RFLAGS.IF clear;
 * if it does, what follows says nothing about what is tested: panic, by which
 * tests/vm/l1 knows.
 */
#include <linux/module.h>
#include <linux/tracepoint.h>

#include <asm/irq_regs.h>
#include <asm/processor-flags.h>

static struct tracepoint *entry;

static void timer_entry(void *data, int vector)
{
	struct pt_regs *regs = get_irq_regs();

	if (regs && !(regs->flags & X86_EFLAGS_IF))
		panic("the processor interrupts while interrupts are off");
}

static void find_entry(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "local_timer_entry"))
		entry = tp;
}

static int __init test_interrupts_init(void)
{
	for_each_kernel_tracepoint(find_entry, NULL);
	return entry ? tracepoint_probe_register(entry, timer_entry, NULL) :
		       -ENOENT;
}
module_init(test_interrupts_init);

/* No exit: it stays as long as the kernel. */

MODULE_DESCRIPTION("Watches for interrupts that the processor may not deliver");
MODULE_LICENSE("GPL");
