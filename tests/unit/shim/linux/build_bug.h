/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BUILD_BUG_H
#define SHIM_LINUX_BUILD_BUG_H

#include <assert.h>

/* Clang complains of one without a message. */
#undef static_assert
#define static_assert(cond)	_Static_assert(cond, #cond)

#endif
