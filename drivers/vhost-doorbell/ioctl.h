/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_IOCTL_H
#define BELL_IOCTL_H

int bell_ioctl_register(void);
void bell_ioctl_unregister(void);

#endif
