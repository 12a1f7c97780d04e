// SPDX-License-Identifier: GPL-2.0
/*
 * hist - the module parameter that switches histograms, and the length of a cycle
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "hist.h"

u32 bell_hist_ns_per_cycle __read_mostly;

DEFINE_STATIC_KEY_FALSE(bell_hist_key);

/* Context: the kernel serialises writers of a module's parameters. */
static int hist_param_set(const char *val, const struct kernel_param *kp)
{
	bool on = true;
	int ret = val ? kstrtobool(val, &on) : 0;

	if (ret)
		return ret;
	if (on)
		static_branch_enable(&bell_hist_key);
	else
		static_branch_disable(&bell_hist_key);
	return 0;
}

static int hist_param_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%c\n", bell_hist_is_on() ? 'Y' : 'N');
}

static const struct kernel_param_ops hist_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = hist_param_set,
	.get = hist_param_get,
};

module_param_cb(histograms, &hist_param_ops, NULL, 0644);
MODULE_PARM_DESC(histograms, "Keep latencies of requests and lengths of frames (N)");

/**
 * bell_hist_init() - set the length of a cycle of the CPU's counter
 *
 * If the kernel does not know the counter's frequency all latencies are zero; requests
 * are still counted.
 */
void bell_hist_init(void)
{
	u32 khz = bell_cycles_khz();

	if (khz)
		bell_hist_ns_per_cycle =
			div_u64(NSEC_PER_MSEC << BELL_HIST_SHIFT, khz);
}
