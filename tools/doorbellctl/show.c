// SPDX-License-Identifier: GPL-2.0
/* show - all that is known of each device */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bytes.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "scan.h"
#include "vhd.h"

/* What fits on a line of 80 characters. */
#define COLUMNS	3

static int show_json(struct scan_dev **dev, size_t n)
{
	struct json j;
	int ret;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "devices");
	for (size_t i = 0; i < n; i++) {
		json_object(&j, NULL);
		describe_json_head(&j, dev[i]);
		describe_json_body(&j, dev[i]);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	ret = json_end(&j);
	return ret ? ctl_fail("standard output", ret) : CTL_OK;
}

static void show_features(const struct fdinfo *info)
{
	uint64_t bits = info->features;

	printf("  %-11s 0x%" PRIx64, "features", bits);
	for (unsigned int bit = 0, n = 0; bit < 64; bit++) {
		const char *name = describe_feature(info, bit);

		if (!(bits >> bit & 1))
			continue;
		/* Four names to a line keep it under 80 characters. */
		if (n++ % 4 == 0)
			printf("\n  %-11s", "");
		if (name)
			printf(" %s", name);
		else
			printf(" bit-%u", bit);
	}
	putchar('\n');
}

static void show_settings(const struct fdinfo *info)
{
	char bytes[32];

	printf("  %-11s %s, inline-max %u, budget %u, poll-us %u, "
	       "poll-share %u\n", "mode", vhd_mode_name(info->exec.mode),
	       info->exec.inline_max, info->exec.budget, info->exec.poll_us,
	       info->exec.poll_share);
	printf("  %-11s coalesce-us %u, coalesce-count %u\n", "",
	       info->exec.coalesce_us, info->exec.coalesce_count);
	show_features(info);
	bytes_text(info->mem.bytes, bytes, sizeof(bytes));
	printf("  %-11s %s in %u regions, %" PRIu64 " pages pinned\n", "memory",
	       bytes, info->mem.regions, (uint64_t)info->mem.pinned);
	printf("  %-11s %" PRIu64 " pins, %" PRIu64 " invalidations\n", "",
	       (uint64_t)info->mem.pins, (uint64_t)info->mem.invalidations);
}

static void show_head(const struct scan_dev *dev)
{
	const struct fdinfo *info = &dev->info;
	char bytes[32], text[PATH_MAX];

	printf("device %" PRIu64 "\n", info->id);
	for (size_t i = 0; i < dev->num_holders; i++)
		printf("  %-11s %s, pid %d, fd %d\n", i ? "" : "held by",
		       describe_text(dev->holder[i].comm, text, sizeof(text)),
		       (int)dev->holder[i].pid, dev->holder[i].fd);
	describe_activity(info, text, sizeof(text));
	if (*text)
		printf("  %-11s %s\n", "state", text);
	if (!info->complete)
		return;
	printf("  %-11s %s%s\n", "back end", info->backend,
	       info->read_only ? ", read-only" : "");
	if (*info->disk) {
		bytes_text(info->capacity * 512, bytes, sizeof(bytes));
		printf("  %-11s %s\n", "disk",
		       describe_text(info->disk, text, sizeof(text)));
		printf("  %-11s %s (%" PRIu64 " sectors)\n", "capacity", bytes,
		       info->capacity);
	}
	if (fdinfo_is_net(info)) {
		printf("  %-11s %s, %u pair%s of queues", "port",
		       describe_port(dev, text, sizeof(text)),
		       info->num_pairs, info->num_pairs == 1 ? "" : "s");
		if (info->mtu)
			printf(", MTU %u", info->mtu);
		putchar('\n');
	}
	show_settings(info);
}

static void show_queues(const struct fdinfo *info, const uint32_t *queue,
			uint32_t n)
{
	char state[64];

	printf("\n  %-13s", "queue");
	for (uint32_t i = 0; i < n; i++)
		printf(" %20u", queue[i]);
	printf("\n  %-13s", "state");
	for (uint32_t i = 0; i < n; i++) {
		describe_state(info->queue[queue[i]].state, state,
			       sizeof(state));
		printf(" %20s", state);
	}
	putchar('\n');
	for (const struct fdinfo_field *f = fdinfo_queue_fields; f->name; f++) {
		printf("  %-13s", f->name);
		for (uint32_t i = 0; i < n; i++)
			printf(" %20" PRIu64,
			       fdinfo_get(f, &info->queue[queue[i]]));
		putchar('\n');
	}
}

/* Many are offered that no driver takes. */
static void show_used_queues(const struct fdinfo *info)
{
	uint32_t queue[VHOST_DOORBELL_MAX_QUEUES], n = 0;

	for (uint32_t i = 0; i < info->num_queues; i++) {
		const struct vhost_doorbell_stats *q = &info->queue[i];

		if (q->state || q->kicks || q->requests || q->in_flight)
			queue[n++] = i;
	}
	printf("  %-11s %u offered, %u used\n", "queues", info->num_queues, n);
	for (uint32_t i = 0; i < n; i += COLUMNS)
		show_queues(info, queue + i, n - i < COLUMNS ? n - i : COLUMNS);
}

static void show_pairs(const struct fdinfo *info, const uint32_t *pair,
		       uint32_t n)
{
	printf("\n  %-15s", "pair");
	for (uint32_t i = 0; i < n; i++)
		printf(" %20u", pair[i]);
	putchar('\n');
	for (const struct fdinfo_field *f = fdinfo_pair_fields; f->name; f++) {
		printf("  %-15s", f->name);
		for (uint32_t i = 0; i < n; i++)
			printf(" %20" PRIu64,
			       fdinfo_get(f, &info->pair[pair[i]]));
		putchar('\n');
	}
}

static void show_used_pairs(const struct fdinfo *info)
{
	uint32_t pair[VHOST_DOORBELL_MAX_PAIRS], n = 0;

	for (uint32_t i = 0; i < info->num_pairs; i++) {
		const struct vhost_doorbell_stats *q = &info->queue[2 * i];

		if (q[0].state || q[0].kicks || q[1].state || q[1].kicks)
			pair[n++] = i;
	}
	for (uint32_t i = 0; i < n; i += COLUMNS)
		show_pairs(info, pair + i, n - i < COLUMNS ? n - i : COLUMNS);
}

static int show_text(struct scan_dev **dev, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			putchar('\n');
		show_head(dev[i]);
		if (!dev[i]->info.complete)
			continue;
		show_used_queues(&dev[i]->info);
		show_used_pairs(&dev[i]->info);
	}
	return ctl_finish();
}

int cmd_show(const struct ctl_options *o)
{
	struct scan_dev *one, **dev;
	struct scan scan;
	size_t n;
	int ret = ctl_scan(o, &scan);

	if (ret)
		return ctl_fail(o->proc, ret);
	dev = scan.dev;
	n = scan.num_devs;
	if (o->has_id) {
		one = scan_find(&scan, o->id);
		dev = &one;
		n = !!one;
	}
	if (o->has_id && !n) {
		fprintf(stderr, "doorbellctl: no device %" PRIu64 "\n", o->id);
		ret = CTL_FAILED;
	} else {
		ret = o->json ? show_json(dev, n) : show_text(dev, n);
	}
	scan_free(&scan);
	return ret;
}
