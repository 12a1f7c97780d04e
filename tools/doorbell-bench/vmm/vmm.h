/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmm - a virtual machine just large enough to ring from
 *
 * One vCPU in 64-bit mode, no devices, no interrupts, memory mapped one to one
 * (the first 4 GiB):
 *
 *	0		tables, the guest's code, VMM_SAMPLES and on: an array
 *	VMM_PAGE	pages of the caller's: vmm_map_page()
 *	VMM_MMIO	nothing: what is written there exits, or is an ioeventfd
 *
 * Functions return 0 or -errno. A machine belongs to one thread, save for its
 * file descriptor @fd, which takes ioctls from any.
 */
#ifndef VMM_H
#define VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"

#define VMM_SAMPLES	0x100000u
#define VMM_MAX_SAMPLES	(0x100000u / 8)
#define VMM_PAGE	0x40000000u
#define VMM_MMIO	0xd0000100u
#define VMM_PORT	0x600u

struct kvm_run;

/* A write of the guest's that nobody in the kernel took. */
struct vmm_exit {
	bool		pio;
	uint64_t	addr;
	uint32_t	len;
	uint64_t	data;
};

struct vmm {
	int		 kvm;
	int		 fd;
	int		 vcpu;
	struct kvm_run	*run;
	size_t		 run_size;
	uint8_t		*mem;
	uint32_t	 tsc_khz;
	/* What the guest's counter is ahead of ours. */
	int64_t		 tsc_offset;
	uint64_t	 exits;
	/* Called for each of them; NULL: they are counted only. */
	int		 (*on_exit)(void *arg, const struct vmm_exit *e);
	void		*arg;
	/* What the guest left: by its own clock, and see guest.h. */
	uint64_t	 began;
	uint64_t	 ended;
	uint64_t	 rbx;
	uint64_t	 rcx;
};

/* What the guest is to do: see guest.h. */
struct vmm_job {
	enum guest_op	op;
	uint64_t	count;
	uint64_t	addr;		/* of a MOV, or the port */
	uint64_t	data;
	/* Of GUEST_HANDSHAKE: which page; cycles before and after a ring. */
	unsigned int	page;
	uint64_t	quiet;
	uint64_t	patience;
};

/* -errno if /dev/kvm cannot be used; @what, if not NULL, is what failed. */
int vmm_create(struct vmm *v, const char **what);
void vmm_destroy(struct vmm *v);

/* The @n-th of its pages is @host, which stays while the machine lives. */
int vmm_map_page(struct vmm *v, unsigned int n, void *host);

/* Runs until the guest halts; -EIO if it ends otherwise. */
int vmm_run(struct vmm *v, const struct vmm_job *job);
const uint64_t *vmm_samples(const struct vmm *v);

/* The value of a KVM_CAP_*, zero: it has not. */
int vmm_cap(const struct vmm *v, int cap);

/* For vmm_create(): registers and time of the vCPU. */
int vmm_cpu_init(struct vmm *v);
int vmm_cpu_init_tsc(struct vmm *v);

static inline uint64_t vmm_rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
