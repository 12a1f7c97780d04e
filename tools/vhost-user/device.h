/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device - what a session drives: the contract, no code
 *
 * The calls are those of the kernel module (vhost_doorbell.h), so that the
 * thing behind them is /dev/vhost-doorbell in the programs and a fake in the
 * tests. Every call returns 0 or -errno. Addresses are in this process;
 * descriptors stay with the caller.
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
 * @open: a fresh device with its back end attached; sets the limits
 * @close: stops every queue and forgets everything
 * @resize: looks whether what is behind it has another size; @changed: it has,
 *	and the config space tells it
 * @progress: how often a queue was kicked, and the requests that were taken from it
 * @set_mtu: checks the MTU that the front end tells the guest; NULL: the message does
 *	not exist
 * @send_rarp: sends a RARP request from @mac to all, as if the guest had sent it, so
 *	that switches learn where the guest is; NULL: as for @set_mtu
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
 * @type: of virtio device. A card has pairs of queues: 2N receives, 2N + 1 sends
 * @accepted: features that are not offered, but taken from a front end that has
 *	them, as its guest may have agreed on them with a former process; set by who
 *	makes the device
 * @num_queues: that it has
 * @max_regions: of guest memory
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
