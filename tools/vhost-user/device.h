/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device - what a session drives: the contract, no code
 *
 * The calls mirror the ioctls of the kernel module (vhost_doorbell.h). The daemons
 * implement them with /dev/vhost-doorbell, the tests with a fake. Every call returns 0
 * or -errno. Addresses are those of this process. The caller keeps its descriptors.
 */
#ifndef TOOLS_VHOST_USER_DEVICE_H
#define TOOLS_VHOST_USER_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct vhost_memory;
struct vhost_vring_addr;
struct vu_device;

enum vu_device_type {
	VU_DEVICE_BLK,
	VU_DEVICE_NET,
};

#define VU_MAC_LEN	6

/**
 * struct vu_device_ops - a kind of device
 * @open: opens a new device, attaches its back end and sets the limits
 * @close: stops every queue and closes the device
 * @resize: reads the size of the disk again; @changed: it differs, and the config space
 *	has the new one
 * @progress: how often a queue was kicked, and how many requests were taken from it
 * @set_mtu: checks the MTU that the front end shows to the guest; NULL: the message is
 *	not supported
 * @send_rarp: sends a RARP request from @mac to all, as if the guest had sent it, so
 *	that switches learn the guest's port; NULL: as for @set_mtu
 */
struct vu_device_ops {
	int  (*open)(struct vu_device *dev);
	void (*close)(struct vu_device *dev);
	int  (*get_features)(struct vu_device *dev, uint64_t *features);
	int  (*set_features)(struct vu_device *dev, uint64_t features);
	int  (*set_mem_table)(struct vu_device *dev,
			      const struct vhost_memory *mem);
	int  (*get_config)(struct vu_device *dev, uint32_t offset, void *data,
			   uint32_t size);
	int  (*set_config)(struct vu_device *dev, uint32_t offset,
			   const void *data, uint32_t size);
	int  (*resize)(struct vu_device *dev, bool *changed);
	int  (*set_vring_num)(struct vu_device *dev, uint32_t q, uint32_t num);
	int  (*set_vring_addr)(struct vu_device *dev,
			       const struct vhost_vring_addr *addr);
	int  (*set_vring_base)(struct vu_device *dev, uint32_t q,
			       uint32_t base);
	int  (*get_vring_base)(struct vu_device *dev, uint32_t q,
			       uint32_t *base);
	int  (*set_vring_kick)(struct vu_device *dev, uint32_t q, int fd);
	int  (*set_vring_call)(struct vu_device *dev, uint32_t q, int fd);
	int  (*set_vring_err)(struct vu_device *dev, uint32_t q, int fd);
	int  (*set_run)(struct vu_device *dev, uint32_t q, bool run);
	int  (*progress)(struct vu_device *dev, uint32_t q, uint64_t *kicks,
			 uint64_t *requests);
	int  (*set_mtu)(struct vu_device *dev, unsigned int mtu);
	int  (*send_rarp)(struct vu_device *dev,
			  const uint8_t mac[VU_MAC_LEN]);
};

/**
 * struct vu_device - one device, as a session has it
 * @ops: its kind
 * @type: virtio device type. A card has pairs of queues: 2N receives, 2N + 1 sends
 * @accepted: features that are not offered, but accepted: the guest of a front end may
 *	have negotiated them with an earlier daemon. Set by the caller of the init
 *	function
 * @num_queues: number of queues
 * @max_regions: maximum number of regions of guest memory
 */
struct vu_device {
	const struct vu_device_ops *ops;
	enum vu_device_type type;
	uint64_t accepted;

	/* Set by open(), constant until close(). */
	unsigned int num_queues;
	unsigned int max_regions;
};

#endif
