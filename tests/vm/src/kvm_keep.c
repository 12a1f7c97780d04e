// SPDX-License-Identifier: GPL-2.0
/*
 * kvm_keep: holds two virtual machines that never run, until a signal ends it.
 *
 * KVM patches its own code when the first machine is created and when the last
 * one is destroyed. It does so, too, when the first vCPU without a local APIC,
 * or with the APIC off, comes or the last one goes. An emulated processor may
 * hit the breakpoint of such a patch after the kernel has removed it; then L1
 * dies of "Oops: int3". With one vCPU of each kind here, KVM never patches.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include <unistd.h>

static int new_vm(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0)
		err(1, "KVM_CREATE_VM");
	return vm;
}

static int new_vcpu(int vm, unsigned long id)
{
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, id);

	if (vcpu < 0)
		err(1, "KVM_CREATE_VCPU");
	return vcpu;
}

static void disable_apic(int vcpu)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	sregs.apic_base = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		err(1, "KVM_SET_SREGS");
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR), vm;

	if (kvm < 0)
		err(1, "/dev/kvm");
	/* Without a local APIC */
	new_vcpu(new_vm(kvm), 0);

	vm = new_vm(kvm);
	if (ioctl(vm, KVM_CREATE_IRQCHIP, 0))
		err(1, "KVM_CREATE_IRQCHIP");
	/*
	 * One vCPU whose APIC is off by its spurious-interrupt vector register,
	 * as after reset
	 */
	new_vcpu(vm, 0);
	/* One vCPU whose APIC is off by the MSR */
	disable_apic(new_vcpu(vm, 1));

	for (;;)
		pause();
}
