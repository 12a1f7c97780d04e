/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_UAPI_LINUX_VIRTIO_NET_H
#define SHIM_UAPI_LINUX_VIRTIO_NET_H

#include <linux/virtio_net.h>

#endif
