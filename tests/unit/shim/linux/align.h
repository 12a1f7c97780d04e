/* SPDX-License-Identifier: GPL-2.0 */
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a) - 1)) == 0)
