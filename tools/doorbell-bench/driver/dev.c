// SPDX-License-Identifier: GPL-2.0
/*
 * dev - a virtio-blk device at the other end of a vhost-user socket
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stddef.h>
#include <string.h>

#include "dev.h"
#include "feature.h"

#define BIT(n)	(1ull << (n))

#define DEV_F_LOG_ALL	BIT(26)

/*
 * Features that the driver accepts. NOTIFICATION_DATA changes nothing here: it
 * is about writes to a notification register, which vhost-user does not have.
 */
#define DEV_FEATURES \
	(BIT(FEATURE_NOTIFICATION_DATA) | BIT(VIRTIO_BLK_F_GEOMETRY) | \
	 BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ANY_LAYOUT) | \
	 BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER) | \
	 BIT(VIRTIO_F_RING_RESET) | BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) | \
	 BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) | \
	 BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) | \
	 BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_FLUSH) | \
	 BIT(VIRTIO_BLK_F_CONFIG_WCE) | \
	 BIT(FEATURE_LIFETIME) | BIT(FEATURE_SECURE_ERASE) | \
	 BIT(FEATURE_ZONED) | BIT(VIRTIO_BLK_F_DISCARD) | \
	 BIT(VIRTIO_BLK_F_WRITE_ZEROES) | \
	 BIT(VIRTIO_BLK_F_MQ) | FE_F_PROTOCOL_FEATURES)

#define DEV_PROTOCOL \
	(FE_PROTOCOL_MQ | FE_PROTOCOL_REPLY_ACK | FE_PROTOCOL_CONFIG | \
	 FE_PROTOCOL_RESET_DEVICE | FE_PROTOCOL_MEM_SLOTS | \
	 FE_PROTOCOL_STATUS | FE_PROTOCOL_LOG_SHMFD)

static int dev_open_protocol(struct dev *d)
{
	int ret;

	if (!(d->offered & FE_F_PROTOCOL_FEATURES))
		return -EPROTONOSUPPORT;
	ret = fe_get(&d->fe, FE_GET_PROTOCOL_FEATURES, &d->proto_offered);
	if (ret)
		return ret;
	/* Without the config space the capacity is not known. */
	if (!(d->proto_offered & FE_PROTOCOL_CONFIG))
		return -EPROTONOSUPPORT;
	d->proto = d->proto_offered & DEV_PROTOCOL;
	ret = fe_set(&d->fe, FE_SET_PROTOCOL_FEATURES, d->proto);
	if (ret)
		return ret;
	d->fe.reply_ack = d->proto & FE_PROTOCOL_REPLY_ACK;
	d->max_queues = 1;
	if (d->proto & FE_PROTOCOL_MQ)
		ret = fe_get(&d->fe, FE_GET_QUEUE_NUM, &d->max_queues);
	if (!ret && d->proto & FE_PROTOCOL_MEM_SLOTS)
		ret = fe_get(&d->fe, FE_GET_MAX_MEM_SLOTS, &d->max_slots);
	return ret;
}

/* Offsets of config fields that older headers lack (virtio 1.3, 5.2.4) */
#define CONFIG_MAX_ERASE	60
#define CONFIG_ZONED		72

static uint32_t raw_le32(const uint8_t *raw, size_t offset)
{
	uint32_t value;

	memcpy(&value, raw + offset, sizeof(value));
	return le32toh(value);
}

static int dev_open_config(struct dev *d)
{
	uint8_t raw[sizeof(struct virtio_blk_config) + DEV_CONFIG_SIZE] = { 0 };
	struct virtio_blk_config c;
	uint64_t f = d->features;
	int ret = fe_get_config(&d->fe, raw, DEV_CONFIG_SIZE);

	if (ret)
		return ret;
	memcpy(&c, raw, sizeof(c));
	d->config = (struct dev_config){
		.capacity = c.capacity,
		.size_max = f & BIT(VIRTIO_BLK_F_SIZE_MAX) ? c.size_max : 0,
		.seg_max = f & BIT(VIRTIO_BLK_F_SEG_MAX) ? c.seg_max : 0,
		.blk_size = f & BIT(VIRTIO_BLK_F_BLK_SIZE) ? c.blk_size : 512,
		.num_queues = f & BIT(VIRTIO_BLK_F_MQ) ? c.num_queues : 1,
	};
	if (f & BIT(VIRTIO_BLK_F_TOPOLOGY)) {
		d->config.physical_exp = c.physical_block_exp;
		d->config.alignment = c.alignment_offset;
		d->config.min_io = c.min_io_size;
		d->config.opt_io = c.opt_io_size;
	}
	if (f & BIT(FEATURE_SECURE_ERASE)) {
		d->config.max_erase = raw_le32(raw, CONFIG_MAX_ERASE);
		d->config.erase_align = raw_le32(raw, CONFIG_MAX_ERASE + 8);
	}
	if (f & BIT(FEATURE_ZONED)) {
		d->config.zone_sectors = raw_le32(raw, CONFIG_ZONED);
		d->config.max_open_zones = raw_le32(raw, CONFIG_ZONED + 4);
		d->config.max_active_zones = raw_le32(raw, CONFIG_ZONED + 8);
		d->config.max_append = raw_le32(raw, CONFIG_ZONED + 12);
		d->config.zone_model = raw[CONFIG_ZONED + 20];
	}
	if (d->config.blk_size < 512 || !d->config.num_queues)
		return -EPROTO;
	return 0;
}

int dev_open(struct dev *d, const struct dev_wish *wish)
{
	int ret;

	memset(d, 0, sizeof(*d));
	ret = fe_connect(&d->fe, wish->path, wish->timeout_ms);
	if (ret)
		return ret;
	ret = fe_get(&d->fe, FE_GET_FEATURES, &d->offered);
	if (ret)
		goto err_close;
	d->features = d->offered & (DEV_FEATURES | DEV_F_LOG_ALL) & ~wish->refuse;
	if (!wish->log)
		d->features &= ~DEV_F_LOG_ALL;
	if (wish->need & ~d->features || (wish->log && !(d->features & DEV_F_LOG_ALL))) {
		ret = -EOPNOTSUPP;
		goto err_close;
	}
	ret = dev_open_protocol(d);
	if (ret)
		goto err_close;
	ret = fe_send(&d->fe, FE_SET_OWNER);
	if (ret)
		goto err_close;
	ret = dev_open_config(d);
	if (ret)
		goto err_close;
	return 0;

err_close:
	dev_close(d);
	return ret;
}

static int dev_add_status(struct dev *d, uint8_t bits)
{
	uint64_t now;
	int ret;

	if (!(d->proto & FE_PROTOCOL_STATUS))
		return 0;
	ret = fe_get(&d->fe, FE_GET_STATUS, &now);
	if (ret)
		return ret;
	ret = fe_set(&d->fe, FE_SET_STATUS, (now & 0xff) | bits);
	if (ret)
		return ret;
	ret = fe_get(&d->fe, FE_GET_STATUS, &now);
	if (ret)
		return ret;
	return (now & bits) == bits ? 0 : -EPROTO;
}

static int dev_start_log(struct dev *d, const struct mem *mem)
{
	int ret;

	if (!(d->proto & FE_PROTOCOL_LOG_SHMFD))
		return -EOPNOTSUPP;
	ret = dirty_create(&d->log, mem);
	return ret ? ret : fe_set_log_base(&d->fe, d->log.fd, d->log.size);
}

/* Without REPLY_ACK the back end cannot report an error, so read the field again. */
static int dev_write_through(struct dev *d)
{
	const uint32_t wce = offsetof(struct virtio_blk_config, wce);
	struct virtio_blk_config c;
	int ret = fe_set_config(&d->fe, wce, 0);

	if (!ret)
		ret = fe_get_config(&d->fe, &c, wce + sizeof(c.wce));
	if (!ret && c.wce)
		ret = -EPROTO;
	return ret;
}

int dev_setup(struct dev *d, const struct dev_wish *wish,
	      const struct mem *mem)
{
	int ret;

	if (wish->mem_slots && mem->nregions > d->max_slots)
		return -ENOTSUP;
	ret = dev_add_status(d, VIRTIO_CONFIG_S_ACKNOWLEDGE |
			     VIRTIO_CONFIG_S_DRIVER);
	if (ret)
		return ret;
	ret = fe_set(&d->fe, FE_SET_FEATURES, d->features);
	if (ret)
		return ret;
	/* The status FEATURES_OK does not exist for legacy drivers. */
	if (dev_has(d, VIRTIO_F_VERSION_1)) {
		ret = dev_add_status(d, VIRTIO_CONFIG_S_FEATURES_OK);
		if (ret)
			return ret;
	}
	if (wish->writethrough)
		ret = dev_write_through(d);
	if (ret)
		return ret;
	ret = wish->mem_slots ? fe_add_mem_regs(&d->fe, mem) :
				fe_set_mem_table(&d->fe, mem);
	if (!ret && wish->log)
		ret = dev_start_log(d, mem);
	if (ret)
		return ret;
	return dev_add_status(d, VIRTIO_CONFIG_S_DRIVER_OK);
}

int dev_queue_start(struct dev *d, unsigned int queue, const struct ring *r,
		    unsigned int base)
{
	struct fe_vring_addr addr = ring_addr(r);
	int ret;

	ret = fe_set_vring(&d->fe, FE_SET_VRING_NUM, queue, r->num);
	if (!ret)
		ret = fe_set_vring(&d->fe, FE_SET_VRING_BASE, queue, base);
	if (!ret)
		ret = fe_set_vring_addr(&d->fe, queue, &addr);
	if (!ret)
		ret = fe_set_vring_fd(&d->fe, FE_SET_VRING_KICK, queue,
				      r->kick);
	if (!ret)
		ret = fe_set_vring_fd(&d->fe, FE_SET_VRING_ERR, queue, r->err);
	if (!ret)
		ret = fe_set_vring_fd(&d->fe, FE_SET_VRING_CALL, queue,
				      r->call);
	if (!ret)
		ret = fe_set_vring(&d->fe, FE_SET_VRING_ENABLE, queue, 1);
	return ret;
}

int dev_queue_stop(struct dev *d, unsigned int queue, unsigned int *base)
{
	return fe_get_vring_base(&d->fe, queue, base);
}

int dev_reset(struct dev *d)
{
	uint64_t status;
	int ret = 0;

	if (d->proto & FE_PROTOCOL_RESET_DEVICE)
		ret = fe_send(&d->fe, FE_RESET_DEVICE);
	if (ret || !(d->proto & FE_PROTOCOL_STATUS))
		return ret;
	ret = fe_set(&d->fe, FE_SET_STATUS, 0);
	if (!ret)
		ret = fe_get(&d->fe, FE_GET_STATUS, &status);
	if (!ret && status & 0xff)
		ret = -EPROTO;
	return ret;
}

void dev_close(struct dev *d)
{
	dirty_destroy(&d->log);
	fe_close(&d->fe);
}
