// SPDX-License-Identifier: GPL-2.0
/* ioctl - /dev/vhost-doorbell: copy arguments in, call the device, copy results out */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>
#include <linux/vmalloc.h>

#include <uapi/linux/vhost_doorbell.h>

#include "device.h"
#include "ioctl.h"
#include "ioctl_bell.h"

static_assert(sizeof(struct vhost_doorbell_info) == 64);
static_assert(sizeof(struct vhost_doorbell_blk) == 80);
static_assert(sizeof(struct vhost_doorbell_config) == 264);
static_assert(sizeof(struct vhost_doorbell_exec) == 48);
static_assert(sizeof(struct vhost_doorbell_run) == 16);
static_assert(sizeof(struct vhost_doorbell_stats) == 192);
static_assert(sizeof(struct vhost_doorbell_mem_stats) == 64);
static_assert(sizeof(struct vhost_doorbell_hist) == 1088);
static_assert(sizeof(struct vhost_doorbell_errors) == 616);
static_assert(sizeof(struct vhost_doorbell_log) == 32);
static_assert(sizeof(struct vhost_doorbell_claim) == 32);
static_assert(sizeof(struct vhost_doorbell_inflight) == 48);
static_assert(sizeof(struct vhost_doorbell_net) == 48);
static_assert(sizeof(struct vhost_doorbell_net_dev) == 56);
static_assert(sizeof(struct vhost_doorbell_net_port) == 32);
static_assert(sizeof(struct vhost_doorbell_net_stats) == 192);

/* Arguments of all ioctls of fixed size */
union ioctl_arg {
	u64				features;
	u64				sectors;
	struct vhost_vring_state	state;
	struct vhost_vring_file		file;
	struct vhost_vring_addr		addr;
	struct vhost_doorbell_info	info;
	struct vhost_doorbell_blk	blk;
	struct vhost_doorbell_config	config;
	struct vhost_doorbell_exec	exec;
	struct vhost_doorbell_run	run;
	struct vhost_doorbell_stats	stats;
	struct vhost_doorbell_mem_stats	mem_stats;
	struct vhost_doorbell_net	net;
	struct vhost_doorbell_net_dev	net_dev;
	struct vhost_doorbell_net_port	net_port;
	struct vhost_doorbell_net_stats	net_stats;
	struct vhost_doorbell_errors	errors;
	struct vhost_doorbell_log	log;
	struct vhost_doorbell_claim	claim;
	struct vhost_doorbell_inflight	inflight;
};

/*
 * Ioctls that only read. They take the show_lock only, so they are answered while
 * another call waits for the disk.
 */
static int ioctl_read(struct bell_device *dev, unsigned int cmd,
		      union ioctl_arg *arg)
{
	switch (cmd) {
	case VHOST_DOORBELL_GET_INFO:
		return bell_device_get_info(dev, &arg->info);
	case VHOST_DOORBELL_GET_EXEC:
		return bell_device_get_exec(dev, &arg->exec);
	case VHOST_DOORBELL_GET_STATS:
		return bell_device_get_stats(dev, &arg->stats);
	case VHOST_DOORBELL_GET_MEM_STATS:
		return bell_device_get_mem_stats(dev, &arg->mem_stats);
	case VHOST_DOORBELL_GET_NET_STATS:
		return bell_device_get_net_stats(dev, &arg->net_stats);
	case VHOST_DOORBELL_GET_ERRORS:
		return bell_device_get_errors(dev, &arg->errors);
	default:
		return -ENOIOCTLCMD;
	}
}

static int ioctl_call(struct bell_device *dev, unsigned int cmd,
		      union ioctl_arg *arg)
{
	switch (cmd) {
	case VHOST_SET_OWNER:
		return bell_device_set_owner(dev);
	case VHOST_GET_FEATURES:
		return bell_device_get_features(dev, &arg->features);
	case VHOST_SET_FEATURES:
		return bell_device_set_features(dev, arg->features);
	case VHOST_SET_VRING_NUM:
		return bell_device_set_vring_num(dev, &arg->state);
	case VHOST_SET_VRING_BASE:
		return bell_device_set_vring_base(dev, &arg->state);
	case VHOST_GET_VRING_BASE:
		return bell_device_get_vring_base(dev, &arg->state);
	case VHOST_SET_VRING_ADDR:
		return bell_device_set_vring_addr(dev, &arg->addr);
	case VHOST_SET_VRING_KICK:
		return bell_device_set_vring_kick(dev, &arg->file);
	case VHOST_SET_VRING_CALL:
		return bell_device_set_vring_call(dev, &arg->file);
	case VHOST_SET_VRING_ERR:
		return bell_device_set_vring_err(dev, &arg->file);
	case VHOST_DOORBELL_SET_BLK:
		return bell_device_set_blk(dev, &arg->blk);
	case VHOST_DOORBELL_GET_CONFIG:
		return bell_device_get_config(dev, &arg->config);
	case VHOST_DOORBELL_SET_CONFIG:
		return bell_device_set_config(dev, &arg->config);
	case VHOST_DOORBELL_SET_EXEC:
		return bell_device_set_exec(dev, &arg->exec);
	case VHOST_DOORBELL_SET_RUN:
		return bell_device_set_run(dev, &arg->run);
	case VHOST_DOORBELL_RESIZE:
		return bell_device_resize(dev, &arg->sectors);
	case VHOST_DOORBELL_SET_LOG:
		return bell_device_set_log(dev, &arg->log);
	case VHOST_DOORBELL_SET_CLAIM:
		return bell_device_set_claim(dev, &arg->claim);
	case VHOST_DOORBELL_SET_INFLIGHT:
		return bell_device_set_inflight(dev, &arg->inflight);
	case VHOST_DOORBELL_SET_NET:
		return bell_device_set_net(dev, &arg->net);
	case VHOST_DOORBELL_SET_NET_PORT:
		return bell_device_set_net_port(dev, &arg->net_port);
	case VHOST_DOORBELL_SET_NET_DEV:
		return bell_device_set_net_dev(dev, &arg->net_dev);
	default:
		return -ENOTTY;
	}
}

/* The two ioctls whose argument has a variable size: @call is one of them. */
static int ioctl_mem_table(struct bell_device *dev,
			   const struct vhost_memory __user *umem,
			   int (*call)(struct bell_device *dev,
				       const struct vhost_memory_region *regions,
				       unsigned int n))
{
	struct vhost_memory_region *regions;
	struct vhost_memory head;
	int ret;

	if (copy_from_user(&head, umem, sizeof(head)))
		return -EFAULT;
	if (head.padding)
		return -EOPNOTSUPP;
	if (head.nregions > VHOST_DOORBELL_MAX_REGIONS)
		return -E2BIG;
	regions = vmemdup_user(umem->regions,
			       head.nregions * sizeof(*regions));
	if (IS_ERR(regions))
		return PTR_ERR(regions);
	ret = bell_device_lock(dev);
	if (!ret) {
		ret = call(dev, regions, head.nregions);
		bell_device_unlock(dev);
	}
	kvfree(regions);
	return ret;
}

/* The ioctl number encodes in which direction its argument is copied. */
static bool ioctl_copies_in(unsigned int cmd)
{
	return _IOC_DIR(cmd) & _IOC_WRITE;
}

/* VHOST_DOORBELL_GET_HIST, on its own: its argument is too large for the stack. */
static int ioctl_get_hist(struct bell_device *dev,
			  struct vhost_doorbell_hist __user *user)
{
	struct vhost_doorbell_hist *hist = memdup_user(user, sizeof(*hist));
	int ret;

	if (IS_ERR(hist))
		return PTR_ERR(hist);
	ret = bell_device_show_lock(dev);
	if (!ret) {
		ret = bell_device_get_hist(dev, hist);
		bell_device_show_unlock(dev);
	}
	if (!ret && copy_to_user(user, hist, sizeof(*hist)))
		ret = -EFAULT;
	kfree(hist);
	return ret;
}

static bool ioctl_copies_out(unsigned int cmd)
{
	return _IOC_DIR(cmd) & _IOC_READ;
}

static long bell_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct bell_device *dev = file->private_data;
	void __user *user = (void __user *)uarg;
	union ioctl_arg arg = {};
	size_t size = _IOC_SIZE(cmd);
	int ret;

	if (cmd == VHOST_SET_MEM_TABLE)
		return ioctl_mem_table(dev, user, bell_device_set_mem_table);
	if (cmd == VHOST_DOORBELL_ADOPT)
		return ioctl_mem_table(dev, user, bell_device_adopt);
	if (cmd == VHOST_DOORBELL_CREATE_BELL)
		return bell_ioctl_bell_create(user);
	if (cmd == VHOST_DOORBELL_GET_HIST)
		return ioctl_get_hist(dev, user);
	if (size > sizeof(arg))
		return -ENOTTY;
	if (ioctl_copies_in(cmd) && copy_from_user(&arg, user, size))
		return -EFAULT;
	ret = bell_device_show_lock(dev);
	if (ret)
		return ret;
	ret = ioctl_read(dev, cmd, &arg);
	bell_device_show_unlock(dev);
	if (ret == -ENOIOCTLCMD) {
		ret = bell_device_lock(dev);
		if (ret)
			return ret;
		ret = ioctl_call(dev, cmd, &arg);
		bell_device_unlock(dev);
	}
	if (ret)
		return ret;
	if (ioctl_copies_out(cmd) && copy_to_user(user, &arg, size))
		return -EFAULT;
	return 0;
}

static int bell_open(struct inode *inode, struct file *file)
{
	struct bell_device *dev = bell_device_create();

	if (!dev)
		return -ENOMEM;
	file->private_data = dev;
	return 0;
}

static int bell_release(struct inode *inode, struct file *file)
{
	bell_device_release(file->private_data);
	return 0;
}

static void bell_show_fdinfo(struct seq_file *m, struct file *file)
{
	bell_device_show(file->private_data, m);
}

static const struct file_operations bell_fops = {
	.owner		= THIS_MODULE,
	.open		= bell_open,
	.release	= bell_release,
	.unlocked_ioctl	= bell_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= bell_show_fdinfo,
	.llseek		= noop_llseek,
};

static struct miscdevice bell_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-doorbell",
	.fops	= &bell_fops,
	.mode	= 0660,
};

/**
 * bell_ioctl_register() - register /dev/vhost-doorbell
 *
 * Return: 0 or what misc_register() returns.
 */
int bell_ioctl_register(void)
{
	return misc_register(&bell_misc);
}

/** bell_ioctl_unregister() - unregister /dev/vhost-doorbell */
void bell_ioctl_unregister(void)
{
	misc_deregister(&bell_misc);
}
