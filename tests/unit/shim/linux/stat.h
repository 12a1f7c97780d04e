/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_STAT_H
#define SHIM_LINUX_STAT_H

/* The C library's <sys/stat.h> includes this file, too. */
#include_next <linux/stat.h>

#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN		0x2000U
#endif
#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC	0x4000
#endif

struct path;

struct kstat {
	__u32	result_mask;
	__u32	dio_mem_align;
	__u32	dio_offset_align;
};

int vfs_getattr(const struct path *path, struct kstat *stat, __u32 mask,
		unsigned int flags);

#endif
