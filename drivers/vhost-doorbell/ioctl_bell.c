// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_bell - the file of a bell: copy arguments in, call the bell, copy results out
 */
#include <linux/anon_inodes.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include <uapi/linux/vhost_doorbell.h>

#include "bell.h"
#include "ioctl_bell.h"

static_assert(sizeof(struct vhost_doorbell_bell) == 32);
static_assert(sizeof(struct vhost_doorbell_bell_wire) == 16);
static_assert(sizeof(struct vhost_doorbell_bell_page) == 80);
static_assert(sizeof(struct vhost_doorbell_bell_stats) == 512);

static int ioctl_copy_stats(struct bell_bell *b, void __user *user)
{
	struct vhost_doorbell_bell_stats st;

	bell_bell_get_stats(b, &st);
	return copy_to_user(user, &st, sizeof(st)) ? -EFAULT : 0;
}

static long ioctl_bell(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct bell_bell *b = file->private_data;
	void __user *user = (void __user *)uarg;
	union {
		u64				value;
		struct vhost_doorbell_bell_wire	wire;
	} arg = {};

	switch (cmd) {
	case VHOST_DOORBELL_BELL_RING:
	case VHOST_DOORBELL_BELL_WIRE:
	case VHOST_DOORBELL_BELL_UNWIRE:
	case VHOST_DOORBELL_BELL_SET_MARK:
		if (copy_from_user(&arg, user, _IOC_SIZE(cmd)))
			return -EFAULT;
		break;
	}
	switch (cmd) {
	case VHOST_DOORBELL_BELL_RING:
		return bell_bell_ring(b, arg.value);
	case VHOST_DOORBELL_BELL_WIRE:
		return bell_bell_wire(b, &arg.wire);
	case VHOST_DOORBELL_BELL_UNWIRE:
		return bell_bell_unwire(b, &arg.wire);
	case VHOST_DOORBELL_BELL_SET_MARK:
		bell_bell_set_mark(b, arg.value);
		return 0;
	case VHOST_DOORBELL_BELL_GET_STATS:
		return ioctl_copy_stats(b, user);
	default:
		return -ENOTTY;
	}
}

static ssize_t ioctl_bell_read(struct file *file, char __user *buf, size_t len,
			       loff_t *pos)
{
	u64 count;

	if (len < sizeof(count))
		return -EINVAL;
	count = bell_bell_read(file->private_data);
	return copy_to_user(buf, &count, sizeof(count)) ? -EFAULT :
							  sizeof(count);
}

static __poll_t ioctl_bell_poll(struct file *file, poll_table *table)
{
	return bell_bell_poll(file->private_data, file, table) ?
	       EPOLLIN | EPOLLRDNORM : 0;
}

static vm_fault_t ioctl_bell_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	vmf->page = bell_bell_page(vmf->vma->vm_file->private_data);
	return 0;
}

static const struct vm_operations_struct ioctl_bell_vm_ops = {
	.fault	= ioctl_bell_fault,
};

static int ioctl_bell_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff ||
	    vma_pages(vma) != 1)
		return -EINVAL;
	vma->vm_ops = &ioctl_bell_vm_ops;
	return 0;
}

static int ioctl_bell_release(struct inode *inode, struct file *file)
{
	bell_bell_release(file->private_data);
	return 0;
}

static void ioctl_bell_show_fdinfo(struct seq_file *m, struct file *file)
{
	bell_bell_show(file->private_data, m);
}

static const struct file_operations ioctl_bell_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= ioctl_bell,
	.compat_ioctl	= compat_ptr_ioctl,
	.read		= ioctl_bell_read,
	.poll		= ioctl_bell_poll,
	.mmap		= ioctl_bell_mmap,
	.release	= ioctl_bell_release,
	.show_fdinfo	= ioctl_bell_show_fdinfo,
	.llseek		= noop_llseek,
};

/**
 * bell_ioctl_bell_create() - make a bell for VHOST_DOORBELL_CREATE_BELL
 * @arg: the caller's struct vhost_doorbell_bell
 *
 * Context: Process context.
 * Return: a file descriptor or a negative errno.
 */
long bell_ioctl_bell_create(const void __user *arg)
{
	struct vhost_doorbell_bell cfg;
	struct bell_bell *b;
	int fd;

	if (copy_from_user(&cfg, arg, sizeof(cfg)))
		return -EFAULT;
	b = bell_bell_create(&cfg);
	if (IS_ERR(b))
		return PTR_ERR(b);
	fd = anon_inode_getfd("[vhost-doorbell-bell]", &ioctl_bell_fops, b,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		bell_bell_release(b);
	return fd;
}
