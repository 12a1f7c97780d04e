/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_UAPI_LINUX_VIRTIO_IDS_H
#define SHIM_UAPI_LINUX_VIRTIO_IDS_H

#include <linux/virtio_ids.h>

#endif
