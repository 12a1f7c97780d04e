// SPDX-License-Identifier: GPL-2.0
#include "describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "feature.h"
#include "json.h"
#include "scan.h"
#include "vhd.h"

const char *describe_text(const char *text, char *to, size_t size)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++) {
		unsigned char c = text[i], next = text[i + 1];

		/* In UTF-8 a terminal's other control characters are c2 80 to c2 9f. */
		if (c < ' ' || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
			to[i] = '?';
		else
			to[i] = text[i];
	}
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

const char *describe_activity_name(const struct fdinfo *info)
{
	static const char * const names[] = {
		[FDINFO_READY] = "ready",
		[FDINFO_BUSY] = "busy",
		[FDINFO_STOPPING] = "stopping",
	};

	return names[info->activity];
}

void describe_activity(const struct fdinfo *info, char *to, size_t size)
{
	uint64_t n = fdinfo_sum(info, in_flight);
	const char *name = describe_activity_name(info);

	*to = '\0';
	if (info->activity == FDINFO_READY)
		return;
	if (n)
		snprintf(to, size, "%s, waiting for %" PRIu64 " request%s", name,
			 n, n == 1 ? "" : "s");
	else
		snprintf(to, size, "%s", name);
}

const char *describe_port(const struct scan_dev *dev, char *to, size_t size)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s", dev->info.port,
		 *dev->tap ? " " : "", dev->tap);
	return describe_text(text, to, size);
}

const char *describe_feature(const struct fdinfo *info, unsigned int bit)
{
	return fdinfo_is_net(info) ? feature_net_name(bit) : feature_name(bit);
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
	json_str(j, "state", describe_activity_name(info));
	json_str(j, "backend", info->complete ? info->backend : NULL);
	json_str(j, "disk", *info->disk ? info->disk : NULL);
	json_bool(j, "read_only", info->read_only);
	json_str(j, "port", fdinfo_is_net(info) ? info->port : NULL);
	json_str(j, "tap", *dev->tap ? dev->tap : NULL);
	json_str(j, "unit", *dev->unit ? dev->unit : NULL);
	json_str(j, "socket", *dev->socket ? dev->socket : NULL);
	json_str(j, "mode", info->complete ? vhd_mode_name(info->exec.mode) :
					     NULL);
	json_u64(j, "num_queues", info->num_queues);
	json_u64(j, "requests", fdinfo_sum(info, requests));
	json_u64(j, "in_flight", fdinfo_sum(info, in_flight));
}

static void json_features(struct json *j, const struct fdinfo *info)
{
	uint64_t bits = info->features;

	json_u64(j, "features", bits);
	json_array(j, "feature_names");
	for (unsigned int bit = 0; bit < 64; bit++)
		if (bits >> bit & 1 && describe_feature(info, bit))
			json_str(j, NULL, describe_feature(info, bit));
	json_array_end(j);
}

static void json_failed(struct json *j, const struct vhost_doorbell_errors *e)
{
	json_array(j, "failed");
	for (int kind = 0; detail_kinds[kind]; kind++) {
		for (int cause = 0; detail_causes[cause]; cause++) {
			if (!e->failed[kind][cause])
				continue;
			json_object(j, NULL);
			json_str(j, "kind", detail_kinds[kind]);
			json_str(j, "cause", detail_causes[cause]);
			json_u64(j, "count", e->failed[kind][cause]);
			json_object_end(j);
		}
	}
	json_array_end(j);
	if (!e->last_time) {
		json_null(j, "last_failure");
		return;
	}
	json_object(j, "last_failure");
	json_u64(j, "time_ns", e->last_time);
	json_str(j, "kind", detail_kinds[e->last_kind]);
	json_str(j, "cause", detail_causes[e->last_cause]);
	if (e->last_sector == VHOST_DOORBELL_NO_SECTOR)
		json_null(j, "sector");
	else
		json_u64(j, "sector", e->last_sector);
	json_u64(j, "errno", e->last_errno);
	json_u64(j, "status", e->last_status);
	json_object_end(j);
}

static void json_queue(struct json *j, const struct vhost_doorbell_stats *q,
		       const struct vhost_doorbell_errors *e)
{
	json_object(j, NULL);
	json_u64(j, "index", q->index);
	/* In an object of its own, as there is also a counter "broken". */
	json_object(j, "state");
	for (int i = 0; fdinfo_states[i].name; i++)
		json_bool(j, fdinfo_states[i].name,
			  q->state & fdinfo_states[i].bit);
	json_object_end(j);
	for (const struct fdinfo_field *f = fdinfo_queue_fields; f->name; f++)
		json_u64(j, f->name, fdinfo_get(f, q));
	json_u64(j, "held", e->held);
	if (e->oldest_ns)
		json_u64(j, "oldest_ns", e->oldest_ns);
	else
		json_null(j, "oldest_ns");
	json_failed(j, e);
	json_object_end(j);
}

static void json_pairs(struct json *j, const struct fdinfo *info)
{
	json_u64(j, "mtu", info->mtu);
	json_array(j, "pairs");
	for (uint32_t i = 0; i < info->num_pairs; i++) {
		json_object(j, NULL);
		json_u64(j, "pair", i);
		for (const struct fdinfo_field *f = fdinfo_pair_fields; f->name;
		     f++)
			json_u64(j, f->name, fdinfo_get(f, &info->pair[i]));
		json_object_end(j);
	}
	json_array_end(j);
}

void describe_json_body(struct json *j, const struct scan_dev *dev)
{
	const struct fdinfo *info = &dev->info;

	describe_json_holders(j, dev->holder, dev->num_holders);
	json_u64(j, "capacity", info->capacity);
	json_u64(j, "inline_max", info->exec.inline_max);
	json_u64(j, "budget", info->exec.budget);
	json_u64(j, "poll_us", info->exec.poll_us);
	json_u64(j, "poll_share", info->exec.poll_share);
	json_u64(j, "coalesce_us", info->exec.coalesce_us);
	json_u64(j, "coalesce_count", info->exec.coalesce_count);
	json_features(j, info);
	json_object(j, "memory");
	for (const struct fdinfo_field *f = fdinfo_mem_fields; f->name; f++)
		json_u64(j, f->name, fdinfo_get(f, &info->mem));
	json_object_end(j);
	json_array(j, "queues");
	for (uint32_t i = 0; i < info->num_queues; i++)
		json_queue(j, &info->queue[i], &info->detail.errors[i]);
	json_array_end(j);
	if (fdinfo_is_net(info))
		json_pairs(j, info);
}
