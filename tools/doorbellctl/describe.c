// SPDX-License-Identifier: GPL-2.0
#include "describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "json.h"
#include "scan.h"
#include "vhd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Of the virtio spec and vhost.h; by number where a header may lack it. */
static const char * const features[] = {
	[VIRTIO_BLK_F_SIZE_MAX]		= "SIZE_MAX",
	[VIRTIO_BLK_F_SEG_MAX]		= "SEG_MAX",
	[VIRTIO_BLK_F_GEOMETRY]		= "GEOMETRY",
	[VIRTIO_BLK_F_RO]		= "RO",
	[VIRTIO_BLK_F_BLK_SIZE]		= "BLK_SIZE",
	[VIRTIO_BLK_F_FLUSH]		= "FLUSH",
	[VIRTIO_BLK_F_TOPOLOGY]		= "TOPOLOGY",
	[VIRTIO_BLK_F_CONFIG_WCE]	= "CONFIG_WCE",
	[VIRTIO_BLK_F_MQ]		= "MQ",
	[VIRTIO_BLK_F_DISCARD]		= "DISCARD",
	[VIRTIO_BLK_F_WRITE_ZEROES]	= "WRITE_ZEROES",
	[VIRTIO_F_NOTIFY_ON_EMPTY]	= "NOTIFY_ON_EMPTY",
	[26]				= "LOG_ALL",
	[VIRTIO_F_ANY_LAYOUT]		= "ANY_LAYOUT",
	[VIRTIO_RING_F_INDIRECT_DESC]	= "INDIRECT_DESC",
	[VIRTIO_RING_F_EVENT_IDX]	= "EVENT_IDX",
	[30]				= "PROTOCOL_FEATURES",
	[VIRTIO_F_VERSION_1]		= "VERSION_1",
	[VIRTIO_F_ACCESS_PLATFORM]	= "ACCESS_PLATFORM",
	[VIRTIO_F_RING_PACKED]		= "RING_PACKED",
};

const char *describe_feature(unsigned int bit)
{
	return bit < ARRAY_SIZE(features) ? features[bit] : NULL;
}

const char *describe_text(const char *text, char *to, size_t size)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++)
		to[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' :
			text[i];
	to[i] = '\0';
	return to;
}

void describe_state(uint32_t state, char *to, size_t size)
{
	size_t n;

	snprintf(to, size, "%s", state & VHOST_DOORBELL_QUEUE_RUNNING ?
		 fdinfo_states[0].name : "stopped");
	for (int i = 1; fdinfo_states[i].name; i++) {
		n = strlen(to);
		if (state & fdinfo_states[i].bit)
			snprintf(to + n, size - n, ",%s",
				 fdinfo_states[i].name);
	}
}

void describe_bytes(uint64_t bytes, char *to, size_t size)
{
	static const char units[][4] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = bytes / 1024.0;
	unsigned int i = 0;

	if (bytes < 1024) {
		snprintf(to, size, "%" PRIu64 " bytes", bytes);
		return;
	}
	for (; value >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
		value /= 1024;
	snprintf(to, size, "%.1f %s", value, units[i]);
}

void describe_json_holders(struct json *j, const struct scan_holder *holder,
			   size_t n)
{
	json_array(j, "holders");
	for (; n; n--, holder++) {
		json_object(j, NULL);
		json_i64(j, "pid", holder->pid);
		json_i64(j, "fd", holder->fd);
		json_str(j, "command", holder->comm);
		json_object_end(j);
	}
	json_array_end(j);
}

void describe_json_head(struct json *j, const struct scan_dev *dev)
{
	const struct fdinfo *info = &dev->info;

	json_u64(j, "id", info->id);
	json_i64(j, "pid", dev->holder->pid);
	json_str(j, "command", dev->holder->comm);
	json_str(j, "backend", info->backend);
	json_str(j, "disk", *info->disk ? info->disk : NULL);
	json_bool(j, "read_only", info->read_only);
	json_str(j, "mode", vhd_mode_name(info->exec.mode));
	json_u64(j, "num_queues", info->num_queues);
	json_u64(j, "requests", fdinfo_sum(info, requests));
}

static void json_features(struct json *j, uint64_t bits)
{
	json_u64(j, "features", bits);
	json_array(j, "feature_names");
	for (unsigned int bit = 0; bit < 64; bit++)
		if (bits >> bit & 1 && describe_feature(bit))
			json_str(j, NULL, describe_feature(bit));
	json_array_end(j);
}

static void json_queue(struct json *j, const struct vhost_doorbell_stats *q)
{
	json_object(j, NULL);
	json_u64(j, "index", q->index);
	/* An object of its own: "broken" is also a counter. */
	json_object(j, "state");
	for (int i = 0; fdinfo_states[i].name; i++)
		json_bool(j, fdinfo_states[i].name,
			  q->state & fdinfo_states[i].bit);
	json_object_end(j);
	for (const struct fdinfo_field *f = fdinfo_queue_fields; f->name; f++)
		json_u64(j, f->name, fdinfo_get(f, q));
	json_object_end(j);
}

void describe_json_body(struct json *j, const struct scan_dev *dev)
{
	const struct fdinfo *info = &dev->info;

	describe_json_holders(j, dev->holder, dev->num_holders);
	json_u64(j, "capacity", info->capacity);
	json_u64(j, "inline_max", info->exec.inline_max);
	json_u64(j, "budget", info->exec.budget);
	json_features(j, info->features);
	json_object(j, "memory");
	for (const struct fdinfo_field *f = fdinfo_mem_fields; f->name; f++)
		json_u64(j, f->name, fdinfo_get(f, &info->mem));
	json_object_end(j);
	json_array(j, "queues");
	for (uint32_t i = 0; i < info->num_queues; i++)
		json_queue(j, &info->queue[i]);
	json_array_end(j);
}
