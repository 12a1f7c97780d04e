// SPDX-License-Identifier: GPL-2.0
/*
 * metrics_text - all counters as OpenMetrics text, for Prometheus and
 * compatible programs
 *
 * The text file collector of the node exporter reads the older Prometheus format, which
 * has no types info and stateset: only types that both formats know are used here.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "scan.h"
#include "vhd.h"

#define PREFIX		"vhost_doorbell_"

/* Four buckets of the kernel, one power of 2, make one bucket here. */
#define POWERS		(VHOST_DOORBELL_HIST_BUCKETS / 4)

/*
 * Fields of struct vhost_doorbell_stats. The sample of a counter ends in
 * "_total".
 */
static const struct {
	const char	*name;
	const char	*unit;		/* NULL: none */
	bool		 gauge;
	const char	*field;		/* in fdinfo_queue_fields */
	const char	*help;
} numbers[] = {
	{ "in_flight", NULL, true, "in_flight",
	  "Requests taken from the available ring and not yet put into the used ring" },
	{ "kicks", NULL, false, "kicks", "Writes to the kick eventfd" },
	{ "inline_passes", NULL, false, "inline_passes",
	  "Passes over the ring in a ringing thread" },
	{ "worker_passes", NULL, false, "worker_passes",
	  "Passes over the ring in the worker" },
	{ "punts", NULL, false, "punts",
	  "Requests or passes handed from a ringing thread to the worker" },
	{ "requests", NULL, false, "requests",
	  "Requests taken from the available ring" },
	{ "completed", NULL, false, "completed",
	  "Requests put into the used ring" },
	{ "read_bytes", "bytes", false, "bytes_read",
	  "Data the guest got" },
	{ "written_bytes", "bytes", false, "bytes_written",
	  "Data the guest wrote" },
	{ "errors", NULL, false, "errors", "Requests that failed" },
	{ "broken", NULL, false, "broken",
	  "Times the queue was broken by a bad ring" },
	{ "signals", NULL, false, "signals",
	  "Signals of the call eventfd" },
	{ "suppressed", NULL, false, "suppressed",
	  "Completions that the driver wanted no signal for" },
	{ "coalesced", NULL, false, "coalesced",
	  "Completions whose signal waited for more" },
};

#define NUM_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

void metrics_label(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", out);
		/* OpenMetrics text is UTF-8, but a path may hold any bytes. */
		else if ((unsigned char)*text < ' ' ||
			 (unsigned char)*text >= 0x7f)
			fputc('?', out);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void head(FILE *out, const char *name, const char *type,
		 const char *unit, const char *help)
{
	fprintf(out, "# TYPE " PREFIX "%s %s\n", name, type);
	if (unit)
		fprintf(out, "# UNIT " PREFIX "%s %s\n", name, unit);
	fprintf(out, "# HELP " PREFIX "%s %s.\n", name, help);
}

static void write_devices(FILE *out, const struct scan *scan)
{
	head(out, "device_info", "gauge", NULL, "1 for each device in use");
	for (size_t i = 0; i < scan->num_devs; i++) {
		const struct scan_dev *dev = scan->dev[i];
		const char *mode = vhd_mode_name(dev->info.exec.mode);

		fprintf(out, PREFIX "device_info{device=\"%" PRIu64 "\",backend=",
			dev->info.id);
		metrics_label(out, dev->info.backend);
		fputs(",mode=", out);
		metrics_label(out, dev->info.complete && mode ? mode : "");
		fputs(",disk=", out);
		metrics_label(out, dev->info.disk);
		fputs(",tap=", out);
		metrics_label(out, dev->tap);
		fputs(",unit=", out);
		metrics_label(out, dev->unit);
		fputs(",socket=", out);
		metrics_label(out, dev->socket);
		fputs("} 1\n", out);
	}
	head(out, "up", "gauge", NULL,
	     "1 if the device tells its counters, 0 while it is busy");
	for (size_t i = 0; i < scan->num_devs; i++)
		fprintf(out, PREFIX "up{device=\"%" PRIu64 "\"} %d\n",
			scan->dev[i]->info.id, scan->dev[i]->info.complete);
}

static bool is_used(const struct fdinfo *info, uint32_t i)
{
	const struct vhost_doorbell_stats *q = &info->queue[i];

	return q->state || q->kicks || q->requests || q->in_flight;
}

/*
 * Calls @fn for each queue in use, of all devices that report their counters.
 */
static void each_queue(FILE *out, const struct scan *scan,
		       void (*fn)(FILE *out, const struct fdinfo *info,
				  uint32_t queue, size_t number),
		       size_t number)
{
	for (size_t i = 0; i < scan->num_devs; i++) {
		const struct fdinfo *info = &scan->dev[i]->info;

		for (uint32_t q = 0; info->complete && q < info->num_queues; q++)
			if (is_used(info, q))
				fn(out, info, q, number);
	}
}

static uint64_t number_of(const struct fdinfo *info, uint32_t queue,
			  const char *field)
{
	const struct fdinfo_field *f = fdinfo_queue_fields;

	while (f->name && strcmp(f->name, field))
		f++;
	return f->name ? fdinfo_get(f, &info->queue[queue]) : 0;
}

static void write_number(FILE *out, const struct fdinfo *info, uint32_t queue,
			 size_t number)
{
	fprintf(out, PREFIX "%s%s{device=\"%" PRIu64 "\",queue=\"%u\"} %" PRIu64
		"\n", numbers[number].name,
		numbers[number].gauge ? "" : "_total", info->id, queue,
		number_of(info, queue, numbers[number].field));
}

static void write_running(FILE *out, const struct fdinfo *info, uint32_t queue,
			  size_t number)
{
	(void)number;
	for (int i = 0; fdinfo_states[i].name; i++)
		fprintf(out, PREFIX "queue_state{device=\"%" PRIu64
			"\",queue=\"%u\",state=\"%s\"} %d\n",
			info->id, queue, fdinfo_states[i].name,
			!!(info->queue[queue].state & fdinfo_states[i].bit));
}

static void write_oldest(FILE *out, const struct fdinfo *info, uint32_t queue,
			 size_t number)
{
	(void)number;
	fprintf(out, PREFIX "oldest_request_seconds{device=\"%" PRIu64
		"\",queue=\"%u\"} %.9f\n", info->id, queue,
		info->detail.errors[queue].oldest_ns / 1e9);
}

static void write_held(FILE *out, const struct fdinfo *info, uint32_t queue,
		       size_t number)
{
	(void)number;
	fprintf(out, PREFIX "held{device=\"%" PRIu64 "\",queue=\"%u\"} %u\n",
		info->id, queue, info->detail.errors[queue].held);
}

static void write_failed(FILE *out, const struct fdinfo *info, uint32_t queue,
			 size_t number)
{
	const struct vhost_doorbell_errors *e = &info->detail.errors[queue];

	(void)number;
	for (int kind = 0; detail_kinds[kind]; kind++)
		for (int cause = 0; detail_causes[cause]; cause++)
			if (e->failed[kind][cause])
				fprintf(out, PREFIX "failed_total{device=\"%"
					PRIu64 "\",queue=\"%u\",kind=\"%s\",cause=\"%s\"} %"
					PRIu64 "\n", info->id, queue,
					detail_kinds[kind], detail_causes[cause],
					(uint64_t)e->failed[kind][cause]);
}

static void hist_labels(FILE *out, const char *name, const char *suffix,
			const struct fdinfo *info,
			const struct vhost_doorbell_hist *h)
{
	fprintf(out, PREFIX "%s_%s{device=\"%" PRIu64 "\",queue=\"%u\",kind=\"%s\"",
		name, suffix, info->id, h->index, detail_kinds[h->kind]);
}

/*
 * Values are integers and lie below their bucket's bound, so the label "le" is
 * the bound minus one.
 */
static void write_hist(FILE *out, const char *name, const struct fdinfo *info,
		       const struct vhost_doorbell_hist *h, bool size)
{
	uint64_t sum = 0, bound;

	for (int i = 0; i < POWERS - 1; i++) {
		for (int k = 0; k < 4; k++)
			sum += h->buckets[4 * i + k];
		bound = detail_bucket_low(4 * i + 4) - 1;
		hist_labels(out, name, "bucket", info, h);
		if (size)
			fprintf(out, ",le=\"%" PRIu64 ".0\"} %" PRIu64 "\n",
				bound, sum);
		else
			fprintf(out, ",le=\"%.9f\"} %" PRIu64 "\n", bound / 1e9,
				sum);
	}
	hist_labels(out, name, "bucket", info, h);
	fprintf(out, ",le=\"+Inf\"} %" PRIu64 "\n", (uint64_t)h->count);
	hist_labels(out, name, "count", info, h);
	fprintf(out, "} %" PRIu64 "\n", (uint64_t)h->count);
	hist_labels(out, name, "sum", info, h);
	if (size)
		fprintf(out, "} %" PRIu64 "\n", (uint64_t)h->sum);
	else
		fprintf(out, "} %.9f\n", h->sum / 1e9);
}

/* @size: sizes of frames, otherwise latencies of requests */
static void write_hists(FILE *out, const struct scan *scan, const char *name,
			bool size)
{
	for (size_t i = 0; i < scan->num_devs; i++) {
		const struct fdinfo *info = &scan->dev[i]->info;

		for (size_t n = 0; n < info->detail.num_hists; n++) {
			const struct vhost_doorbell_hist *h =
				&info->detail.hist[n];

			if (size == (h->kind == VHOST_DOORBELL_KIND_FRAME))
				write_hist(out, name, info, h, size);
		}
	}
}

/*
 * Writes the counters of pairs, with the names that struct
 * vhost_doorbell_net_stats has.
 */
static void write_pairs(FILE *out, const struct scan *scan)
{
	for (const struct fdinfo_field *f = fdinfo_pair_fields; f->name; f++) {
		fprintf(out, "# TYPE " PREFIX "net_%s counter\n"
			"# HELP " PREFIX "net_%s As in struct vhost_doorbell_net_stats.\n",
			f->name, f->name);
		for (size_t i = 0; i < scan->num_devs; i++) {
			const struct fdinfo *info = &scan->dev[i]->info;

			for (uint32_t p = 0; p < info->num_pairs; p++)
				fprintf(out, PREFIX "net_%s_total{device=\"%"
					PRIu64 "\",pair=\"%u\"} %" PRIu64 "\n",
					f->name, info->id, p,
					fdinfo_get(f, &info->pair[p]));
		}
	}
}

void metrics_write(FILE *out, const struct scan *scan)
{
	write_devices(out, scan);
	head(out, "queue_state", "gauge", NULL,
	     "1 if the queue is in this state, else 0");
	each_queue(out, scan, write_running, 0);
	for (size_t i = 0; i < NUM_NUMBERS; i++) {
		head(out, numbers[i].name,
		     numbers[i].gauge ? "gauge" : "counter", numbers[i].unit,
		     numbers[i].help);
		each_queue(out, scan, write_number, i);
	}
	head(out, "oldest_request_seconds", "gauge", "seconds",
	     "Age of the oldest request in flight, 0 if none is");
	each_queue(out, scan, write_oldest, 0);
	head(out, "held", "gauge", NULL,
	     "Requests that wait for space on the disk");
	each_queue(out, scan, write_held, 0);
	head(out, "failed", "counter", NULL,
	     "Requests that failed, by kind and cause");
	each_queue(out, scan, write_failed, 0);
	head(out, "latency_seconds", "histogram", "seconds",
	     "From the available ring to the used ring");
	write_hists(out, scan, "latency_seconds", false);
	head(out, "frame_bytes", "histogram", "bytes",
	     "Lengths of frames, without the virtio header");
	write_hists(out, scan, "frame_bytes", true);
	write_pairs(out, scan);
	fputs("# EOF\n", out);
}
