// SPDX-License-Identifier: GPL-2.0
/* check_kvm - does KVM have ioeventfd and irqfd? */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>

#include "check.h"
#include "fd.h"

#define KVM_PATH	"/dev/kvm"

static int kvm_open(void)
{
	int fd = open(KVM_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void check_kvm_open(const struct ctl_options *o, struct check *c)
{
	_cleanup_fd_ int kvm = kvm_open();

	(void)o;
	if (kvm >= 0)
		check_ok(c, KVM_PATH " opens, API version %d",
			 ioctl(kvm, KVM_GET_API_VERSION, 0));
	else if (kvm == -ENOENT || kvm == -ENODEV || kvm == -ENXIO)
		check_no(c, "enable virtualization in the firmware, modprobe kvm_intel or kvm_amd",
			 KVM_PATH ": %s", strerror(-kvm));
	else if (kvm == -EACCES || kvm == -EPERM)
		check_no(c, "add the user to the group: usermod -aG kvm USER",
			 "no permission to open " KVM_PATH);
	else
		check_no(c, "", KVM_PATH ": %s", strerror(-kvm));
}

/* Returns -1 if it is not known, as /dev/kvm does not open. */
static int kvm_has(int cap)
{
	_cleanup_fd_ int kvm = kvm_open();

	if (kvm < 0)
		return -1;
	return ioctl(kvm, KVM_CHECK_EXTENSION, cap) > 0;
}

static void check_cap(struct check *c, int cap, const char *has,
		      const char *lacks)
{
	switch (kvm_has(cap)) {
	case 1:
		check_ok(c, "%s", has);
		break;
	case 0:
		check_no(c, "use a kernel with it; all of the last ten years have",
			 "%s", lacks);
		break;
	default:
		check_note(c, "", "not known, " KVM_PATH " does not open");
	}
}

void check_kvm_ioeventfd(const struct ctl_options *o, struct check *c)
{
	(void)o;
	check_cap(c, KVM_CAP_IOEVENTFD, "a guest's write rings an eventfd",
		  "a guest's write cannot ring an eventfd");
}

void check_kvm_irqfd(const struct ctl_options *o, struct check *c)
{
	(void)o;
	check_cap(c, KVM_CAP_IRQFD, "an eventfd interrupts a guest",
		  "an eventfd cannot interrupt a guest");
}

void check_kvm_any_length(const struct ctl_options *o, struct check *c)
{
	(void)o;
	check_cap(c, KVM_CAP_IOEVENTFD_ANY_LENGTH,
		  "KVM need not decode the guest's write",
		  "KVM decodes the guest's write at each kick");
	if (c->verdict == CHECK_NO)
		c->verdict = CHECK_NOTE;	/* it works, but slower */
}
