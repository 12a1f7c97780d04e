// SPDX-License-Identifier: GPL-2.0
/*
 * device_claim - an open file whose locks and claims the device keeps
 *
 * A device may serve requests after its owner has died. What keeps others away from the
 * disk, a lock of an open file description or an exclusive claim on a block device, must
 * last as long. It need not belong to the file that the disk is read and written by: a
 * guest that moves to another VMM takes the claim along, and both have the disk open.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/vhost.h>

#include <uapi/linux/vhost_doorbell.h>

#include "device.h"
#include "device_priv.h"

/* A file that can hold no reference to a device, as a socket or a device itself could. */
static struct file *claim_get(int fd)
{
	struct file *file = fget(fd);
	umode_t mode;

	if (!file)
		return ERR_PTR(-EBADF);
	mode = file_inode(file)->i_mode;
	if (S_ISBLK(mode) || S_ISREG(mode))
		return file;
	fput(file);
	return ERR_PTR(-EINVAL);
}

/**
 * bell_device_set_claim() - keep a file open until no request is in flight any more
 * @dev: the device
 * @cfg: the file
 *
 * Context: Process context, the owner's.
 * Return: 0 or a negative errno, as Documentation/uapi.rst says.
 */
int bell_device_set_claim(struct bell_device *dev,
			  const struct vhost_doorbell_claim *cfg)
{
	struct file *file = NULL;
	int ret;

	if (cfg->pad || memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)) ||
	    cfg->fd < VHOST_FILE_UNBIND)
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev);
	if (ret)
		return ret;
	if (bell_device_is_running(dev))
		return -EBUSY;
	if (cfg->fd != VHOST_FILE_UNBIND) {
		file = claim_get(cfg->fd);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	swap(dev->claim, file);
	if (file)
		fput(file);
	return 0;
}
