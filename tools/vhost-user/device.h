/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device - the interface between a session and its device; no code
 *
 * The calls mirror the ioctls of the kernel module (vhost_doorbell.h). The daemons
 * implement them with /dev/vhost-doorbell, the tests with a fake. Every call returns 0
 * or -errno. Addresses are those of this process. The caller keeps its descriptors.
 */
#ifndef TOOLS_VHOST_USER_DEVICE_H
#define TOOLS_VHOST_USER_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct fdstore;
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
 * @keep: has the keeper hold the device and its back end
 * @save: writes what @adopt needs to @to, VU_STATE_DEVICE bytes
 * @adopt: in place of @open: takes over the device @fd, on success for good, that a process
 *	left which has ended; @mem has the same memory, at this process's addresses
 * @running: whether the device runs the queue, whatever the session thinks
 * @resize: reads the size of the disk again; @changed: it differs, and the config space
 *	has the new one
 * @progress: how often a queue was kicked, and how many requests were taken from it
 * @activate: @active: the first queue is about to start, so the disk must be this
 *	device's alone; else the guest has moved to another VMM, and it may be another
 *	device's; NULL: nothing to do
 * @set_log: has writes to guest memory logged to @size bytes at @addr, from the return on;
 *	no size: not at all. NULL: not supported, and migration is not offered
 * @set_inflight: the part of queue @q of the in-flight region is @size bytes at @addr, from
 *	its next start on; no size: it has none. NULL: not supported, and not offered
 * @set_mtu: checks the MTU that the front end shows to the guest; NULL: the message is
 *	not supported
 * @send_rarp: sends a RARP request from @mac to all, as if the guest had sent it, so
 *	that switches learn the guest's port; NULL: as for @set_mtu
 */
struct vu_device_ops {
	int  (*open)(struct vu_device *dev);
	void (*close)(struct vu_device *dev);
	int  (*keep)(struct vu_device *dev, struct fdstore *store);
	void (*save)(struct vu_device *dev, uint8_t *to);
	int  (*adopt)(struct vu_device *dev, int fd, const struct vhost_memory *mem,
		      const uint8_t *saved);
	int  (*running)(struct vu_device *dev, uint32_t q, bool *running);
	int  (*get_features)(struct vu_device *dev, uint64_t *features);
	int  (*set_features)(struct vu_device *dev, uint64_t features);
	int  (*set_mem_table)(struct vu_device *dev,
			      const struct vhost_memory *mem);
	int  (*activate)(struct vu_device *dev, bool active);
	int  (*set_log)(struct vu_device *dev, uint64_t addr, uint64_t size);
	int  (*set_inflight)(struct vu_device *dev, uint32_t q, uint64_t addr,
			     uint64_t size);
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
 * @accepted: features that are accepted without an offer: the guest may have negotiated
 *	them with an earlier daemon. Set by the caller of the init function
 * @num_queues: number of queues
 * @max_regions: maximum number of regions of guest memory
 * @end_held: set_run() is to end requests that wait for a full disk when it stops a queue,
 *	in place of keeping them in the in-flight region
 */
struct vu_device {
	const struct vu_device_ops *ops;
	enum vu_device_type type;
	uint64_t accepted;

	/* Set by open(), constant until close(). */
	unsigned int num_queues;
	unsigned int max_regions;

	bool end_held;
};

#endif
