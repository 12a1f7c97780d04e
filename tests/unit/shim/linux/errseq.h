/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ERRSEQ_H
#define SHIM_LINUX_ERRSEQ_H

#include <linux/types.h>

typedef u32 errseq_t;

#endif
