/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest - the program that the guest of the micro-VMM runs
 *
 * A blob of position-independent code for 64-bit mode with one entry for each
 * way to ring. Each entry rings RCX times and then halts. Registers on entry:
 *
 *	RCX	number of rings, at least one
 *	RAX	the value to write
 *	RDX	the port (OUT)
 *	RDI	the address (MOV)
 *
 * On exit R14 holds the time stamp counter before the rings, R15 the one after
 * them.
 *
 * GUEST_VMCALL, GUEST_VMMCALL: RBX, zero on entry, counts the calls that KVM
 *	answered with "no such hypercall"
 * GUEST_TSC: reads the counter twice and does nothing in between
 * GUEST_HANDSHAKE: MOV of 4 bytes, one ring at a time. At least R10 cycles after
 *	the last ring it writes the time to the stamp in the bell's page at RSI,
 *	rings, and waits for the count in that page. The time from stamp to entered
 *	goes to the array of 64-bit words at R8. If the count does not come within
 *	R9 cycles the guest halts. On exit RCX is the number of rings left, zero if
 *	all were counted, and RBX the number of cycles spent waiting before rings
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

/* The blob and its length. */
const void *guest_code(size_t *len);
/* The offset of an operation's entry in the blob. */
size_t guest_entry(enum guest_op op);

/* The operation that writes @len bytes: OUT (1, 2, 4) or MOV (1, 2, 4, 8). */
enum guest_op guest_write_op(int pio, unsigned int len);
/* The hypercall instruction of this machine's processors. */
enum guest_op guest_hypercall_op(void);

#endif
