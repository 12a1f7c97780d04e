// SPDX-License-Identifier: GPL-2.0
/* latency - percentiles and histograms of each queue and kind of request */
#include <inttypes.h>
#include <stdio.h>

#include "ctl.h"
#include "json.h"
#include "scan.h"
#include "select.h"

#define BAR	40

static const struct {
	const char	*name;
	double		 share;
} percentiles[] = {
	{ "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 },
};

#define NUM_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

static bool is_size(const struct vhost_doorbell_hist *h)
{
	return h->kind == VHOST_DOORBELL_KIND_FRAME;
}

static void json_hist(struct json *j, const struct vhost_doorbell_hist *h)
{
	json_object(j, NULL);
	json_u64(j, "queue", h->index);
	json_str(j, "kind", detail_kinds[h->kind]);
	json_str(j, "unit", is_size(h) ? "bytes" : "ns");
	json_u64(j, "count", h->count);
	json_u64(j, "sum", h->sum);
	json_u64(j, "max", h->max);
	for (size_t i = 0; i < NUM_PERCENTILES; i++)
		json_double(j, percentiles[i].name,
			    detail_quantile(h, percentiles[i].share), 0);
	json_array(j, "buckets");
	for (unsigned int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++) {
		if (!h->buckets[i])
			continue;
		json_object(j, NULL);
		json_u64(j, "from", detail_bucket_low(i));
		/* The last bucket has no upper end. */
		if (i + 1 < VHOST_DOORBELL_HIST_BUCKETS)
			json_u64(j, "below", detail_bucket_low(i + 1));
		else
			json_null(j, "below");
		json_u64(j, "count", h->buckets[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static int latency_json(const struct selection *s)
{
	struct json j;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "devices");
	for (size_t i = 0; i < s->num; i++) {
		const struct detail *d = &s->dev[i]->info.detail;

		json_object(&j, NULL);
		json_u64(&j, "id", s->dev[i]->info.id);
		json_array(&j, "histograms");
		for (size_t n = 0; n < d->num_hists; n++)
			json_hist(&j, &d->hist[n]);
		json_array_end(&j);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	return ctl_end_json(&j);
}

/* Prints a line for each power of 2, which is four buckets */
static void print_bars(const struct vhost_doorbell_hist *h, double unit)
{
	uint64_t line[VHOST_DOORBELL_HIST_BUCKETS / 4] = { 0 }, most = 1;

	for (unsigned int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++)
		line[i / 4] += h->buckets[i];
	for (unsigned int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS / 4; i++)
		most = line[i] > most ? line[i] : most;
	for (unsigned int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS / 4; i++) {
		if (!line[i])
			continue;
		printf("    from %12.3f %12" PRIu64 " ",
		       detail_bucket_low(4 * i) / unit, line[i]);
		/* Anything above zero shows at least one mark */
		for (uint64_t n = 0; n < 1 + line[i] * (BAR - 1) / most; n++)
			putchar('#');
		putchar('\n');
	}
}

static void print_hist(const struct vhost_doorbell_hist *h)
{
	double unit = is_size(h) ? 1 : 1000;

	printf("  queue %u, %s: %" PRIu64 ", in %s\n    mean %.1f", h->index,
	       detail_kinds[h->kind], (uint64_t)h->count,
	       is_size(h) ? "bytes" : "us",
	       h->count ? (double)h->sum / h->count / unit : 0);
	for (size_t i = 0; i < NUM_PERCENTILES; i++)
		printf(", %s %.1f", percentiles[i].name,
		       detail_quantile(h, percentiles[i].share) / unit);
	printf(", max %.1f\n", h->max / unit);
	print_bars(h, unit);
}

static int latency_text(const struct selection *s)
{
	for (size_t i = 0; i < s->num; i++) {
		const struct detail *d = &s->dev[i]->info.detail;

		printf("device %" PRIu64 "%s\n", s->dev[i]->info.id,
		       d->num_hists ? "" :
		       ": nothing; are they on? /sys/module/vhost_doorbell/parameters/histograms");
		for (size_t n = 0; n < d->num_hists; n++)
			print_hist(&d->hist[n]);
	}
	return ctl_finish();
}

int cmd_latency(const struct ctl_options *o)
{
	struct selection s;
	struct scan scan;
	int ret = select_scan(o, &scan, &s);

	if (ret)
		return ret;
	ret = o->json ? latency_json(&s) : latency_text(&s);
	scan_free(&scan);
	return ret;
}
