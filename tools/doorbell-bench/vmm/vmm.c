// SPDX-License-Identifier: GPL-2.0
/* vmm - create and run the virtual machine */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fd.h"

#define VMM_CODE	0x10000u
#define VMM_MEM_SIZE	0x200000u

#define PAGE_SIZE	4096u

enum { SLOT_MEM, SLOT_PAGE };

static uint64_t page_gpa(unsigned int n)
{
	return VMM_PAGE + (uint64_t)n * PAGE_SIZE;
}

static int set_slot(struct vmm *v, uint32_t slot, uint64_t gpa, void *host,
		    uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return ioctl(v->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

int vmm_map_page(struct vmm *v, unsigned int n, void *host)
{
	return set_slot(v, SLOT_PAGE + n, page_gpa(n), host, PAGE_SIZE);
}

static int init_memory(struct vmm *v)
{
	const void *code;
	size_t len;

	v->mem = mmap(NULL, VMM_MEM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (v->mem == MAP_FAILED) {
		v->mem = NULL;
		return -errno;
	}
	code = guest_code(&len);
	memcpy(v->mem + VMM_CODE, code, len);
	return set_slot(v, SLOT_MEM, 0, v->mem, VMM_MEM_SIZE);
}

static int init_vcpu(struct vmm *v)
{
	int size = ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (size < 0)
		return -errno;
	v->vcpu = ioctl(v->fd, KVM_CREATE_VCPU, 0);
	if (v->vcpu < 0)
		return -errno;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   v->vcpu, 0);
	if (run == MAP_FAILED)
		return -errno;
	v->run = run;
	v->run_size = (size_t)size;
	return vmm_cpu_init(v);
}

/* Before each step sets @what to its name. */
static int init(struct vmm *v, const char **what)
{
	int ret;

	*what = "/dev/kvm";
	v->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (v->kvm < 0)
		return -errno;
	*what = "KVM_CREATE_VM";
	v->fd = ioctl(v->kvm, KVM_CREATE_VM, 0);
	if (v->fd < 0)
		return -errno;
	*what = "the guest's memory";
	ret = init_memory(v);
	if (ret)
		return ret;
	*what = "the vCPU";
	ret = init_vcpu(v);
	if (ret)
		return ret;
	*what = "the vCPU's time";
	return vmm_cpu_init_tsc(v);
}

int vmm_create(struct vmm *v, const char **what)
{
	const char *step;
	int ret;

	*v = (struct vmm){ .kvm = -1, .fd = -1, .vcpu = -1 };
	ret = init(v, what ? what : &step);
	if (ret)
		vmm_destroy(v);
	return ret;
}

void vmm_destroy(struct vmm *v)
{
	if (v->run)
		munmap(v->run, v->run_size);
	fd_close(&v->vcpu);
	fd_close(&v->fd);
	fd_close(&v->kvm);
	if (v->mem)
		munmap(v->mem, VMM_MEM_SIZE);
	v->run = NULL;
	v->mem = NULL;
}

int vmm_cap(const struct vmm *v, int cap)
{
	int ret = ioctl(v->kvm, KVM_CHECK_EXTENSION, cap);

	return ret < 0 ? 0 : ret;
}

const uint64_t *vmm_samples(const struct vmm *v)
{
	return (const uint64_t *)(v->mem + VMM_SAMPLES);
}

static int handle_exit(struct vmm *v, struct vmm_exit *e, const void *data)
{
	if (e->len > sizeof(e->data))
		return -EIO;
	memcpy(&e->data, data, e->len);
	v->exits++;
	return v->on_exit ? v->on_exit(v->arg, e) : 0;
}

/* Handles one exit. Returns 1 when the guest has halted. */
static int one_exit(struct vmm *v)
{
	struct kvm_run *run = v->run;
	struct vmm_exit e = { 0 };

	switch (run->exit_reason) {
	case KVM_EXIT_HLT:
		return 1;
	case KVM_EXIT_IO:
		if (run->io.direction != KVM_EXIT_IO_OUT || run->io.count != 1)
			return -EIO;
		e.pio = true;
		e.addr = run->io.port;
		e.len = run->io.size;
		return handle_exit(v, &e, (char *)run + run->io.data_offset);
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			return -EIO;
		e.addr = run->mmio.phys_addr;
		e.len = run->mmio.len;
		return handle_exit(v, &e, run->mmio.data);
	default:
		return -EIO;
	}
}

static int set_regs(struct vmm *v, const struct vmm_job *job)
{
	struct kvm_regs regs = {
		.rip = VMM_CODE + guest_entry(job->op),
		.rflags = 2,
		.rax = job->data,
		.rcx = job->count,
		.rdx = job->addr,
		.rdi = job->addr,
		.rsi = page_gpa(job->page),
		.r8 = VMM_SAMPLES,
		.r9 = job->patience,
		.r10 = job->quiet,
	};

	return ioctl(v->vcpu, KVM_SET_REGS, &regs) ? -errno : 0;
}

static int get_regs(struct vmm *v)
{
	struct kvm_regs regs;

	if (ioctl(v->vcpu, KVM_GET_REGS, &regs))
		return -errno;
	v->began = regs.r14;
	v->ended = regs.r15;
	v->rbx = regs.rbx;
	v->rcx = regs.rcx;
	return 0;
}

int vmm_run(struct vmm *v, const struct vmm_job *job)
{
	int ret = set_regs(v, job);

	v->exits = 0;
	while (!ret) {
		if (!ioctl(v->vcpu, KVM_RUN, 0))
			ret = one_exit(v);
		else if (errno != EINTR)
			ret = -errno;
	}
	return ret < 0 ? ret : get_regs(v);
}
