/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest - what the guest of the micro-VMM runs
 *
 * A blob of position-independent code for 64-bit mode with one entry per way to
 * ring. Each rings RCX times and halts. Registers on entry:
 *
 *	RCX	how often, at least once
 *	RAX	what is written
 *	RDX	the port (OUT)
 *	RDI	the address (MOV)
 *
 * It leaves the time stamp counter as it was before in R14, after in R15.
 *
 * GUEST_VMCALL, GUEST_VMMCALL: RBX, zero on entry, counts the calls that KVM
 *	answered with "no such hypercall"
 * GUEST_TSC: does nothing between
 * GUEST_HANDSHAKE: MOV of 4 bytes, one ring at a time: after R10 cycles or more
 *	the time goes to the stamp of the bell's page at RSI, then the ring, then
 *	the count of that page is waited for; the time from stamp to entered goes
 *	to the array of 64-bit words at R8. After R9 cycles without it the guest
 *	halts. RCX is how many are left, zero if all came; RBX how many cycles
 *	passed before the rings
 */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>

enum guest_op {
	GUEST_OUT1,
	GUEST_OUT2,
	GUEST_OUT4,
	GUEST_MOV1,
	GUEST_MOV2,
	GUEST_MOV4,
	GUEST_MOV8,
	GUEST_VMCALL,
	GUEST_VMMCALL,
	GUEST_TSC,
	GUEST_HANDSHAKE,
};

/* The blob, and its length. */
const void *guest_code(size_t *len);
/* Where in it an operation starts. */
size_t guest_entry(enum guest_op op);

/* The write of @len bytes: OUT (1, 2, 4) or MOV (1, 2, 4, 8). */
enum guest_op guest_write_op(int pio, unsigned int len);
/* The instruction that this machine's processors have for a hypercall. */
enum guest_op guest_hypercall_op(void);

#endif
