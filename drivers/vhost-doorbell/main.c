// SPDX-License-Identifier: GPL-2.0
/*
 * main - module init and exit
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "device.h"
#include "gmem.h"
#include "ioctl.h"
#include "port.h"

static int __init bell_init(void)
{
	int ret;

	ret = bell_gmem_init();
	if (ret)
		return ret;
	ret = bell_device_init();
	if (ret)
		goto err_gmem;
	ret = bell_port_init();
	if (ret)
		goto err_device;
	ret = bell_ioctl_register();
	if (ret)
		goto err_port;
	return 0;

err_port:
	bell_port_exit();
err_device:
	bell_device_exit();
err_gmem:
	bell_gmem_exit();
	return ret;
}

/* Each device and bell holds the module until its memory is freed: none is left. */
static void __exit bell_exit(void)
{
	/* 1. No more devices. */
	bell_ioctl_unregister();
	/* 2. The end of work items that have freed one. */
	bell_device_exit();
	/* 3. The last instructions of other threads that have; see bell_device_free(). */
	synchronize_rcu_tasks();
	/* 4. Eventfds that are put after a grace period. */
	rcu_barrier();
	bell_port_exit();
	bell_gmem_exit();
}

module_init(bell_init);
module_exit(bell_exit);

MODULE_DESCRIPTION("virtio queues served where the guest's doorbell rings");
MODULE_LICENSE("GPL");
MODULE_VERSION(BELL_VERSION);
