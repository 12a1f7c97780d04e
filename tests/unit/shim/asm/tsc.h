/* SPDX-License-Identifier: GPL-2.0 */
extern unsigned int tsc_khz;
