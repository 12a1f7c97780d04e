// SPDX-License-Identifier: GPL-2.0
/*
 * device_log - begin and end the dirty log of a device
 *
 * Requests in flight were taken without a log, so all queues are paused for the change:
 * when the call returns, everything that is written later is logged, and nothing writes
 * to the former log.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "device.h"
#include "device_priv.h"
#include "exec.h"
#include "gmem.h"
#include "vq.h"

static void log_free(struct bell_vq_log **logs, u32 n)
{
	while (n--)
		kvfree(logs[n]);
	kfree(logs);
}

/* What each running queue needs for a log, by queue; NULL if there is no memory. */
static struct bell_vq_log **log_alloc(struct bell_device *dev, u32 n)
{
	struct bell_vq_log **logs;
	u32 i;

	lockdep_assert_held(&dev->lock);
	logs = kcalloc(max(n, 1U), sizeof(struct bell_vq_log *),
		       GFP_KERNEL_ACCOUNT);
	if (!logs)
		return NULL;
	for (i = 0; i < n; i++) {
		if (!dev->queue[i].running)
			continue;
		logs[i] = bell_vq_log_alloc(dev->queue[i].cfg.num);
		if (!logs[i])
			goto err_free;
	}
	return logs;

err_free:
	log_free(logs, i);
	return NULL;
}

/* Hold all queues still, exchange the log, let them go on. */
static int log_exchange(struct bell_device *dev,
			const struct vhost_doorbell_log *cfg)
{
	static const struct bell_patience killable = { .killable = true };
	u32 i, n = dev->be ? dev->be->num_queues : 0;
	struct bell_vq_log **logs = NULL;
	struct bell_gmem_log *log = NULL;
	int ret;

	lockdep_assert_held(&dev->lock);
	if (cfg->size) {
		logs = log_alloc(dev, n);
		if (!logs)
			return -ENOMEM;
	}
	ret = bell_device_pause_queues(dev, &killable);
	/* Not before: a request in flight may keep the pages that the log is to replace. */
	if (!ret && cfg->size) {
		log = bell_gmem_log_create(dev->gmem, cfg->user_addr,
					   cfg->size);
		ret = PTR_ERR_OR_ZERO(log);
	}
	if (ret) {
		bell_device_resume_queues(dev);
		if (logs)
			log_free(logs, n);
		return ret;
	}
	mutex_lock(&dev->show_lock);
	log = bell_gmem_set_log(dev->gmem, log);
	mutex_unlock(&dev->show_lock);
	for (i = 0; i < n; i++) {
		if (dev->queue[i].running)
			bell_vq_log_set(&dev->queue[i].vq,
					logs ? logs[i] : NULL);
	}
	bell_device_resume_queues(dev);
	kfree(logs);
	bell_gmem_log_destroy(dev->gmem, log);
	return 0;
}

/**
 * bell_device_set_log() - log what the device writes into guest memory, or no longer
 * @dev: the device
 * @cfg: the bitmap in the owner's memory; size 0: no log
 *
 * Context: Process context, the owner's; waits for requests in flight.
 * Return: 0 or a negative errno, as Documentation/uapi.rst says.
 */
int bell_device_set_log(struct bell_device *dev,
			const struct vhost_doorbell_log *cfg)
{
	int ret;

	if (memchr_inv(cfg->reserved, 0, sizeof(cfg->reserved)) ||
	    (cfg->user_addr && !cfg->size))
		return -EINVAL;

	lockdep_assert_held(&dev->lock);
	ret = bell_device_check_owner(dev);
	if (ret)
		return ret;
	if (!dev->gmem)
		return cfg->size ? -ENXIO : 0;
	if (cfg->size) {
		ret = bell_gmem_log_check(dev->gmem, cfg->user_addr, cfg->size);
		if (ret)
			return ret;
	}
	return log_exchange(dev, cfg);
}
