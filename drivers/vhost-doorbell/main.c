// SPDX-License-Identifier: GPL-2.0
/*
 * main - module init and exit
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "device.h"
#include "disk.h"
#include "gmem.h"
#include "hist.h"
#include "ioctl.h"
#include "port.h"

static int __init bell_init(void)
{
	int ret;

	bell_hist_init();
	ret = bell_gmem_init();
	if (ret)
		return ret;
	ret = bell_disk_init();
	if (ret)
		goto err_gmem;
	ret = bell_disk_cache_init();
	if (ret)
		goto err_disk;
	ret = bell_disk_times_init();
	if (ret)
		goto err_cache;
	ret = bell_device_init();
	if (ret)
		goto err_times;
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
err_times:
	bell_disk_times_exit();
err_cache:
	bell_disk_cache_exit();
err_disk:
	bell_disk_exit();
err_gmem:
	bell_gmem_exit();
	return ret;
}

/*
 * Each device and each bell holds a reference to the module until its memory is freed;
 * so none is left when this runs.
 */
static void __exit bell_exit(void)
{
	/* 1. No device can be opened any more. */
	bell_ioctl_unregister();
	/*
	 * 2. Wait for work items that have freed a device, dropped a page cache, set the
	 * times of a file, or ended a request.
	 */
	bell_device_exit();
	bell_disk_times_exit();
	bell_disk_cache_exit();
	bell_disk_exit();
	/*
	 * 3. Wait for threads that are still on their way out of the code that freed a
	 * device; see bell_device_free().
	 */
	synchronize_rcu_tasks();
	/* 4. Wait for RCU callbacks that put eventfds. */
	rcu_barrier();
	bell_port_exit();
	bell_gmem_exit();
}

module_init(bell_init);
module_exit(bell_exit);

MODULE_DESCRIPTION("virtio queues served where the guest's doorbell rings");
MODULE_LICENSE("GPL");
MODULE_VERSION(BELL_VERSION);
