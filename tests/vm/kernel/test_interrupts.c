// SPDX-License-Identifier: GPL-2.0
/*
 * test_interrupts - end L1 when its processor delivers an interrupt that it
 * must not
 *
 * QEMU's emulated SVM sometimes keeps a guest's way to deliver interrupts
 * (HF2_VINTR_MASK) when it returns to the host. From then on the host gets
 * interrupts while the kernel has them disabled. It deadlocks on its own locks,
 * or fails far from the cause. On a sound processor the timer interrupt never
 * finds RFLAGS.IF clear. If it does, later results say nothing about the tested
 * code, so this module panics; tests/vm/l1 recognises the message.
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

/* There is no exit function: the module stays loaded. */

MODULE_DESCRIPTION("Watches for interrupts that the processor may not deliver");
MODULE_LICENSE("GPL");
