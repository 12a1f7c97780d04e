/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmm - a virtual machine just large enough to ring from
 *
 * One vCPU in 64-bit mode, no devices, no interrupts. The first 4 GiB are
 * mapped one to one:
 *
 *	0		tables, the guest's code; an array from VMM_SAMPLES on
 *	VMM_PAGE	pages of the caller: vmm_map_page()
 *	VMM_MMIO	no memory: a write exits to user space, or hits an ioeventfd
 *
 * Functions return 0 or -errno. A machine belongs to one thread. Its file
 * descriptor @fd takes ioctls from any thread.
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

/* A write of the guest that exited to user space. */
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
	/* Guest's time stamp counter minus the host's. */
	int64_t		 tsc_offset;
	uint64_t	 exits;
	/* Called for each exit to user space; NULL: exits are only counted. */
	int		 (*on_exit)(void *arg, const struct vmm_exit *e);
	void		*arg;
	/*
	 * Results of the guest: times by its own clock, and registers, see
	 * guest.h.
	 */
	uint64_t	 began;
	uint64_t	 ended;
	uint64_t	 rbx;
	uint64_t	 rcx;
};

/* The operation that the guest performs, with its arguments: see guest.h. */
struct vmm_job {
	enum guest_op	op;
	uint64_t	count;
	uint64_t	addr;		/* address of a MOV, or port of an OUT */
	uint64_t	data;
	/* GUEST_HANDSHAKE only: number of the page */
	unsigned int	page;
	uint64_t	quiet;	/* cycles to wait before each ring */
	/* Cycles to wait for the count after a ring */
	uint64_t	patience;
};

/*
 * Returns -errno if /dev/kvm cannot be used. @what, if not NULL, is set to the
 * step that failed.
 */
int vmm_create(struct vmm *v, const char **what);
void vmm_destroy(struct vmm *v);

/* Maps @host as page @n; @host must stay while the machine lives. */
int vmm_map_page(struct vmm *v, unsigned int n, void *host);

/* Runs until the guest halts; -EIO if it ends otherwise. */
int vmm_run(struct vmm *v, const struct vmm_job *job);
const uint64_t *vmm_samples(const struct vmm *v);

/* The value of a KVM_CAP_*; zero: KVM does not have it. */
int vmm_cap(const struct vmm *v, int cap);

/* For vmm_create(): set up registers and time of the vCPU. */
int vmm_cpu_init(struct vmm *v);
int vmm_cpu_init_tsc(struct vmm *v);

static inline uint64_t vmm_rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
