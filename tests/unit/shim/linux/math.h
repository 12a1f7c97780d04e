/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MATH_H
#define SHIM_LINUX_MATH_H

#define roundup(x, y)	((((x) + (y) - 1) / (y)) * (y))

#endif
