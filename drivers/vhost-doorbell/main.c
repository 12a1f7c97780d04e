// SPDX-License-Identifier: GPL-2.0
/*
 * main - module init and exit
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "bell.h"
#include "device.h"
#include "gmem.h"
#include "ioctl.h"

static int __init bell_init(void)
{
	int ret;

	ret = bell_gmem_init();
	if (ret)
		return ret;
	ret = bell_ioctl_register();
	if (ret)
		bell_gmem_exit();
	return ret;
}

static void __exit bell_exit(void)
{
	/* 1. No more devices, and no bells. */
	bell_ioctl_unregister();
	/* 2. Task work of closed ones that has not run yet. */
	bell_device_wait_gone();
	bell_bell_wait_gone();
	/* 3. And its last instructions after it let go of its owner. */
	synchronize_rcu_tasks();
	/* 4. Eventfds that are put after a grace period. */
	rcu_barrier();
	bell_gmem_exit();
}

module_init(bell_init);
module_exit(bell_exit);

MODULE_DESCRIPTION("virtio queues served where the guest's doorbell rings");
MODULE_LICENSE("GPL");
MODULE_VERSION(BELL_VERSION);
