// SPDX-License-Identifier: GPL-2.0
/* show - print all facts and counters of each device */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "scan.h"
#include "select.h"
#include "vhd.h"

/* Columns that fit into 80 characters. */
#define COLUMNS	3

static int show_json(struct scan_dev **dev, size_t n)
{
	struct json j;

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
	return ctl_end_json(&j);
}

static void show_features(const struct fdinfo *info)
{
	uint64_t bits = info->features;

	printf("  %-11s 0x%" PRIx64, "features", bits);
	for (unsigned int bit = 0, n = 0; bit < 64; bit++) {
		const char *name = describe_feature(info, bit);

		if (!(bits >> bit & 1))
			continue;
		/* With four names a line stays below 80 characters. */
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
	printf("  %-11s %" PRIu64 " pins, %" PRIu64 " invalidations", "",
	       (uint64_t)info->mem.pins, (uint64_t)info->mem.invalidations);
	if (info->mem.logged)
		printf(", %" PRIu64 " pages logged", (uint64_t)info->mem.logged);
	printf("\n");
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
	if (*dev->unit)
		printf("  %-11s %s\n", "unit",
		       describe_text(dev->unit, text, sizeof(text)));
	if (*dev->socket)
		printf("  %-11s %s\n", "socket",
		       describe_text(dev->socket, text, sizeof(text)));
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

/*
 * Prints a row of counters, or nothing if it is zero in all columns: the output shall
 * fit on a screen.
 */
static void show_row(const char *name, int width, const uint64_t *value,
		     uint32_t n)
{
	uint64_t any = 0;

	for (uint32_t i = 0; i < n; i++)
		any |= value[i];
	if (!any)
		return;
	printf("  %-*s", width, name);
	for (uint32_t i = 0; i < n; i++)
		printf(" %20" PRIu64, value[i]);
	putchar('\n');
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
		uint64_t value[COLUMNS];

		for (uint32_t i = 0; i < n; i++)
			value[i] = fdinfo_get(f, &info->queue[queue[i]]);
		show_row(f->name, 13, value, n);
	}
}

/*
 * Prints a histogram: of latencies in microseconds, or of frame sizes in bytes.
 */
static void show_hist(const struct vhost_doorbell_hist *h)
{
	double unit = h->kind == VHOST_DOORBELL_KIND_FRAME ? 1 : 1000;

	printf("  %-5u %-8s %12" PRIu64 " %12.1f %12.1f %12.1f %12.1f\n",
	       h->index, detail_kinds[h->kind], (uint64_t)h->count,
	       h->count ? (double)h->sum / h->count / unit : 0,
	       detail_quantile(h, 0.5) / unit, detail_quantile(h, 0.99) / unit,
	       h->max / unit);
}

static void show_failed(const struct vhost_doorbell_errors *e, uint32_t i)
{
	if (e->held)
		printf("  queue %u: %u requests wait for space on the disk\n", i,
		       e->held);
	if (e->oldest_ns)
		printf("  queue %u: the oldest request in flight is %.3f ms old\n",
		       i, e->oldest_ns / 1e6);
	for (int kind = 0; detail_kinds[kind]; kind++)
		for (int cause = 0; detail_causes[cause]; cause++)
			if (e->failed[kind][cause])
				printf("  queue %u: failed: %s, %s: %" PRIu64 "\n",
				       i, detail_kinds[kind], detail_causes[cause],
				       (uint64_t)e->failed[kind][cause]);
	if (!e->last_time)
		return;
	printf("  queue %u: last failure: %s, %s", i, detail_kinds[e->last_kind],
	       detail_causes[e->last_cause]);
	if (e->last_sector != VHOST_DOORBELL_NO_SECTOR)
		printf(", sector %" PRIu64, (uint64_t)e->last_sector);
	printf("%s%s\n", e->last_errno ? ", " : "",
	       e->last_errno ? strerror(e->last_errno) : "");
}

static void show_detail(const struct fdinfo *info)
{
	const struct detail *d = &info->detail;

	if (d->num_hists)
		printf("\n  %-5s %-8s %12s %12s %12s %12s %12s\n", "queue",
		       fdinfo_is_net(info) ? "bytes" : "us", "count", "mean",
		       "p50", "p99", "max");
	for (size_t i = 0; i < d->num_hists; i++)
		show_hist(&d->hist[i]);
	for (uint32_t i = 0; i < info->num_queues; i++)
		show_failed(&d->errors[i], i);
}

/* Shows only queues that a driver uses; devices often offer more. */
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
		uint64_t value[COLUMNS];

		for (uint32_t i = 0; i < n; i++)
			value[i] = fdinfo_get(f, &info->pair[pair[i]]);
		show_row(f->name, 15, value, n);
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
		show_detail(&dev[i]->info);
	}
	return ctl_finish();
}

int cmd_show(const struct ctl_options *o)
{
	struct selection s;
	struct scan scan;
	int ret = select_scan(o, &scan, &s);

	if (ret)
		return ret;
	ret = o->json ? show_json(s.dev, s.num) : show_text(s.dev, s.num);
	scan_free(&scan);
	return ret;
}
