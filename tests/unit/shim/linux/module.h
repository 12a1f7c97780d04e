/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MODULE_H
#define SHIM_LINUX_MODULE_H

#include <linux/types.h>

#define KERNEL_PARAM_OPS_FL_NOARG	1

struct kernel_param;

struct kernel_param_ops {
	unsigned int flags;
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};

/* A test sets the parameter through these ops, as a write to sysfs does. */
#define module_param_cb(name, param_ops, arg, perm)	\
	const struct kernel_param_ops *shim_param_##name = (param_ops)
#define MODULE_PARM_DESC(name, text)

#endif
