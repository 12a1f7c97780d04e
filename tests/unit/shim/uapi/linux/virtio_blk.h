/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_UAPI_LINUX_VIRTIO_BLK_H
#define SHIM_UAPI_LINUX_VIRTIO_BLK_H

#include <linux/virtio_blk.h>

#endif
