// SPDX-License-Identifier: GPL-2.0
/* vmm_cpu - set up a vCPU in 64-bit mode, with the host's time stamp counter */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm.h"

#define PML4		0x1000u
#define PDPT		0x2000u
#define PD		0x3000u		/* four tables */

#define PTE_PRESENT	(1u << 0)
#define PTE_WRITE	(1u << 1)
#define PTE_LARGE	(1u << 7)

#define CR0_PE		(1u << 0)
#define CR0_ET		(1u << 4)
#define CR0_NE		(1u << 5)
#define CR0_PG		(1u << 31)
#define CR4_PAE		(1u << 5)
#define EFER_LME	(1u << 8)
#define EFER_LMA	(1u << 10)

#define CPUID_ENTRIES	256
#define TSC_TRIES	16

static void make_tables(struct vmm *v)
{
	uint64_t *pml4 = (uint64_t *)(v->mem + PML4);
	uint64_t *pdpt = (uint64_t *)(v->mem + PDPT);
	uint64_t *pd = (uint64_t *)(v->mem + PD);

	pml4[0] = PDPT | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[i] = (PD + (i << 12)) | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i] = (i << 21) | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

static int set_cpuid(struct vmm *v)
{
	struct kvm_cpuid2 *cpuid;
	int ret = 0;

	cpuid = calloc(1, sizeof(*cpuid) +
			  CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(v->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(v->vcpu, KVM_SET_CPUID2, cpuid))
		ret = -errno;
	free(cpuid);
	return ret;
}

int vmm_cpu_init(struct vmm *v)
{
	const struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_sregs s;
	int ret;

	make_tables(v);
	ret = set_cpuid(v);
	if (ret)
		return ret;
	if (ioctl(v->vcpu, KVM_GET_SREGS, &s))
		return -errno;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cs = data;
	s.cs.selector = 8;
	s.cs.type = 11;
	s.cs.db = 0;
	s.cs.l = 1;
	s.tr.type = 11;
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	s.cr3 = PML4;
	s.cr4 = CR4_PAE;
	s.efer = EFER_LME | EFER_LMA;
	return ioctl(v->vcpu, KVM_SET_SREGS, &s) ? -errno : 0;
}

/*
 * Sets the offset to 0. Older kernels lack the attribute; then the offset is
 * measured.
 */
static void clear_offset(struct vmm *v)
{
#ifdef KVM_VCPU_TSC_CTRL
	uint64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	ioctl(v->vcpu, KVM_SET_DEVICE_ATTR, &attr);
#else
	(void)v;
#endif
}

/*
 * Each reading of the guest's counter lies between two readings of ours. If it
 * fits there each time, the offset is 0; else it is computed from the closest
 * pair.
 */
static int measure_offset(struct vmm *v)
{
	const struct vmm_job job = { .op = GUEST_TSC };
	uint64_t best = UINT64_MAX;
	bool fits = true;

	for (int i = 0; i < TSC_TRIES; i++) {
		uint64_t before = vmm_rdtsc(), after;
		int ret = vmm_run(v, &job);

		after = vmm_rdtsc();
		if (ret)
			return ret;
		fits &= v->began - before <= after - before;
		if (after - before >= best)
			continue;
		best = after - before;
		v->tsc_offset = (int64_t)(v->began - before - best / 2);
	}
	if (fits)
		v->tsc_offset = 0;
	return 0;
}

int vmm_cpu_init_tsc(struct vmm *v)
{
	int khz = ioctl(v->vcpu, KVM_GET_TSC_KHZ, 0);

	if (khz < 0)
		return -errno;
	if (!khz)
		return -ENODEV;
	v->tsc_khz = (uint32_t)khz;
	clear_offset(v);
	return measure_offset(v);
}
