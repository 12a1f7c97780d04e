// SPDX-License-Identifier: GPL-2.0
/* guest_code - the guest's program, and the offsets of its entries */
#include "guest.h"

#include <cpuid.h>
#include <stdint.h>
#include <string.h>
#include <linux/vhost_doorbell.h>

#include "bench.h"
#include "guest_code.h"

/* Offsets in struct vhost_doorbell_bell_page, for the assembler. */
#define ENTERED	64
#define COUNT	72

_Static_assert(offsetof(struct vhost_doorbell_bell_page, stamp) == 0, "stamp");
_Static_assert(offsetof(struct vhost_doorbell_bell_page, entered) == ENTERED,
	       "entered");
_Static_assert(offsetof(struct vhost_doorbell_bell_page, count) == COUNT,
	       "count");

#define STR_(x)	#x
#define STR(x)	STR_(x)

/*
 * Number of reads of the count, or of idle loops, between two reads of the
 * time.
 */
#define LOOKS	1000

/* The hypercall error KVM_ENOSYS. */
#define KVM_ENOSYS_ 1000

#define READ_TSC \
	"rdtsc\n\t" \
	"shl $32, %rdx\n\t" \
	"or %rdx, %rax\n\t"

/* From here to HALT runs the time that the guest reports. */
#define START(name) \
	".globl guest_" name "\n" \
	"guest_" name ":\n\t" \
	"mov %rax, %r12\n\t" \
	"mov %rdx, %r13\n\t" \
	READ_TSC \
	"mov %rax, %r14\n\t" \
	"mov %r12, %rax\n\t" \
	"mov %r13, %rdx\n"

#define HALT \
	READ_TSC \
	"mov %rax, %r15\n\t" \
	"hlt\n"

#define LOOP(name, insn) \
	START(name) \
	"1:\n\t" \
	insn "\n\t" \
	"dec %rcx\n\t" \
	"jnz 1b\n\t" \
	HALT

/* Number 0 is no hypercall. KVM changes no register except RAX. */
#define CALLS(name, insn) \
	LOOP(name, "xor %eax, %eax\n\t" \
		   insn "\n\t" \
		   "cmp $-" STR(KVM_ENOSYS_) ", %rax\n\t" \
		   "sete %al\n\t" \
		   "movzbl %al, %eax\n\t" \
		   "add %rax, %rbx")

/*
 * The loop that waits for the count has no PAUSE and rarely reads the time. In
 * QEMU's emulated processor each of these takes a lock that all vCPUs share,
 * which delays the awaited vCPU, at times for milliseconds.
 */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"guest_begin:\n"
	LOOP("out1", "outb %al, %dx")
	LOOP("out2", "outw %ax, %dx")
	LOOP("out4", "outl %eax, %dx")
	LOOP("mov1", "movb %al, (%rdi)")
	LOOP("mov2", "movw %ax, (%rdi)")
	LOOP("mov4", "movl %eax, (%rdi)")
	LOOP("mov8", "movq %rax, (%rdi)")
	CALLS("vmcall", "vmcall")
	CALLS("vmmcall", "vmmcall")
	START("tsc")
	HALT
	START("handshake")
	"mov %r10, %r13\n\t"
	"xor %ebx, %ebx\n"
	"1:\n\t"
	READ_TSC
	"mov %rax, %r11\n"
	"5:\n\t"
	"mov $" STR(LOOKS) ", %ebp\n"
	"6:\n\t"
	"dec %ebp\n\t"
	"jnz 6b\n\t"
	READ_TSC
	"sub %r11, %rax\n\t"
	"cmp %r13, %rax\n\t"
	"jb 5b\n\t"
	"add %rax, %rbx\n\t"
	"mov " STR(COUNT) "(%rsi), %r10\n\t"
	READ_TSC
	"mov %rax, %r11\n\t"
	"mov %rax, (%rsi)\n\t"
	"movl %r12d, (%rdi)\n"
	"2:\n\t"
	"mov $" STR(LOOKS) ", %ebp\n"
	"3:\n\t"
	"cmp " STR(COUNT) "(%rsi), %r10\n\t"
	"jne 4f\n\t"
	"dec %ebp\n\t"
	"jnz 3b\n\t"
	READ_TSC
	"sub %r11, %rax\n\t"
	"cmp %r9, %rax\n\t"
	"jb 2b\n\t"
	HALT
	"4:\n\t"
	"mov " STR(ENTERED) "(%rsi), %rax\n\t"
	"sub %r11, %rax\n\t"
	"mov %rax, (%r8)\n\t"
	"add $8, %r8\n\t"
	"dec %rcx\n\t"
	"jnz 1b\n\t"
	HALT
	"guest_end:\n"
	".popsection\n");

static const char *const entries[] = {
	[GUEST_OUT1]		= guest_out1,
	[GUEST_OUT2]		= guest_out2,
	[GUEST_OUT4]		= guest_out4,
	[GUEST_MOV1]		= guest_mov1,
	[GUEST_MOV2]		= guest_mov2,
	[GUEST_MOV4]		= guest_mov4,
	[GUEST_MOV8]		= guest_mov8,
	[GUEST_VMCALL]		= guest_vmcall,
	[GUEST_VMMCALL]		= guest_vmmcall,
	[GUEST_TSC]		= guest_tsc,
	[GUEST_HANDSHAKE]	= guest_handshake,
};

const void *guest_code(size_t *len)
{
	*len = (size_t)(guest_end - guest_begin);
	return guest_begin;
}

size_t guest_entry(enum guest_op op)
{
	return (size_t)(entries[op] - guest_begin);
}

enum guest_op guest_write_op(int pio, unsigned int len)
{
	switch (len) {
	case 1:
		return pio ? GUEST_OUT1 : GUEST_MOV1;
	case 2:
		return pio ? GUEST_OUT2 : GUEST_MOV2;
	case 4:
		return pio ? GUEST_OUT4 : GUEST_MOV4;
	default:
		return GUEST_MOV8;
	}
}

enum guest_op guest_hypercall_op(void)
{
	unsigned int eax, ebx, ecx, edx;
	char vendor[12];

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return GUEST_VMCALL;
	memcpy(vendor, &ebx, 4);
	memcpy(vendor + 4, &edx, 4);
	memcpy(vendor + 8, &ecx, 4);
	if (!memcmp(vendor, "AuthenticAMD", 12) ||
	    !memcmp(vendor, "HygonGenuine", 12))
		return GUEST_VMMCALL;
	return GUEST_VMCALL;
}
