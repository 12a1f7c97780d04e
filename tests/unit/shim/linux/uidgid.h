/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_UIDGID_H
#define SHIM_LINUX_UIDGID_H

typedef struct {
	unsigned int val;
} kuid_t;

#endif
