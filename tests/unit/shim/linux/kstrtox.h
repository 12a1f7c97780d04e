/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_KSTRTOX_H
#define SHIM_LINUX_KSTRTOX_H

#include <errno.h>
#include <linux/types.h>
#include <string.h>

static inline int kstrtobool(const char *s, bool *on)
{
	if (!strchr("YyNn10", *s) || !*s)
		return -EINVAL;
	*on = strchr("Yy1", *s);
	return 0;
}

#endif
