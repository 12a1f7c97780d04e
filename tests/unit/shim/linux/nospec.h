/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_NOSPEC_H
#define SHIM_LINUX_NOSPEC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define array_index_mask_nospec(i, n)					\
	({								\
		shim_order(SHIM_NOSPEC, NULL);				\
		(i) < (n) ? ~0UL : 0UL;					\
	})

#endif
