/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_UAPI_LINUX_VIRTIO_CONFIG_H
#define SHIM_UAPI_LINUX_VIRTIO_CONFIG_H

#include <linux/virtio_config.h>

#endif
