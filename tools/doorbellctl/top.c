// SPDX-License-Identifier: GPL-2.0
/* top - the queues in use, the busiest first, refreshed each interval */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "moment.h"

/* The values of a queue in one interval; NAN: not known. */
struct row {
	const struct scan_dev	*dev;
	int		 queue;		/* -1: the device does not report its queues */
	const char	*served;	/* "inline", "worker", "softirq"; NULL: nothing served */
	/* This and the next four are rates per second */
	double		 requests;
	double		 bytes_read;
	double		 bytes_written;
	double		 kicks;
	double		 errors;
	/* This and the next are latencies in microseconds */
	double		 mean;
	double		 p99;
	double		 flight;	/* requests in flight */
	double		 oldest;	/* age of the oldest of them, in milliseconds */
	double		 held;		/* how many of them wait for space */
};

struct table {
	size_t		 num;
	struct row	*row;
	double		 seconds;
};

struct column {
	const char	*name;	/* argument of --sort */
	/* Returns the number by which rows are sorted, the largest first. */
	double		(*key)(const struct row *r);
};

static double key_id(const struct row *r)
{
	return -(double)r->dev->info.id;
}

static double key_requests(const struct row *r)
{
	return r->requests;
}

static double key_bytes(const struct row *r)
{
	return r->bytes_read + r->bytes_written;
}

static double key_latency(const struct row *r)
{
	return r->mean;
}

static double key_p99(const struct row *r)
{
	return r->p99;
}

static double key_flight(const struct row *r)
{
	return r->flight;
}

static double key_errors(const struct row *r)
{
	return r->errors;
}

static const struct column columns[] = {
	{ "requests", key_requests },
	{ "id", key_id },
	{ "bytes", key_bytes },
	{ "latency", key_latency },
	{ "p99", key_p99 },
	{ "flight", key_flight },
	{ "errors", key_errors },
	{ NULL, NULL },
};

static const struct column *sort_by;

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double p = sort_by->key(x), q = sort_by->key(y);

	/* Sort unknown values last. */
	if (isnan(p) != isnan(q))
		return isnan(p) ? 1 : -1;
	if (!isnan(p) && p != q)
		return p > q ? -1 : 1;
	if (x->dev->info.id != y->dev->info.id)
		return x->dev->info.id < y->dev->info.id ? -1 : 1;
	return x->queue - y->queue;
}

static uint64_t grown(uint64_t before, uint64_t now)
{
	return now < before ? 0 : now - before;
}

/* The context that ran most passes over the ring */
static const char *served_by(const struct fdinfo *old, const struct fdinfo *info,
			     uint32_t i)
{
	const struct vhost_doorbell_stats *p = &old->queue[i];
	const struct vhost_doorbell_stats *q = &info->queue[i];
	uint64_t in = grown(p->inline_passes, q->inline_passes);
	uint64_t worker = grown(p->worker_passes, q->worker_passes);
	uint64_t softirq = 0;

	/* In a card, even queues receive. */
	if (fdinfo_is_net(info) && i % 2 == 0)
		softirq = grown(old->pair[i / 2].rx_polls,
				info->pair[i / 2].rx_polls);
	if (softirq && softirq >= worker)
		return "softirq";
	if (!in && !worker)
		return NULL;
	return in >= worker ? "inline" : "worker";
}

static void set_latency(struct row *r, const struct fdinfo *old,
			const struct fdinfo *info, uint32_t queue)
{
	struct vhost_doorbell_hist sum = { 0 };

	for (size_t i = 0; i < info->detail.num_hists; i++) {
		struct vhost_doorbell_hist h = info->detail.hist[i];

		if (h.index != queue || h.kind == VHOST_DOORBELL_KIND_FRAME)
			continue;
		detail_subtract(&h, detail_find(&old->detail, queue, h.kind));
		detail_add(&sum, &h);
	}
	if (!sum.count)
		return;
	r->mean = (double)sum.sum / sum.count / 1000;
	r->p99 = detail_quantile(&sum, 0.99) / 1000;
}

static void set_frames(struct row *r, const struct fdinfo *old,
		       const struct fdinfo *info, uint32_t i, double s)
{
	const struct vhost_doorbell_net_stats *p = &old->pair[i / 2];
	const struct vhost_doorbell_net_stats *q = &info->pair[i / 2];

	r->bytes_read = 0;
	r->bytes_written = 0;
	if (i % 2 == 0) {
		r->requests = moment_rate(p->rx_packets, q->rx_packets, s);
		r->bytes_read = moment_rate(p->rx_bytes, q->rx_bytes, s);
		r->errors = moment_rate(p->rx_drop_long + p->rx_drop_offload +
					p->rx_drop_dead,
					q->rx_drop_long + q->rx_drop_offload +
					q->rx_drop_dead, s);
	} else {
		r->requests = moment_rate(p->tx_packets, q->tx_packets, s);
		r->bytes_written = moment_rate(p->tx_bytes, q->tx_bytes, s);
		r->errors = moment_rate(p->tx_drop_bad + p->tx_drop_port +
					p->tx_drop_down,
					q->tx_drop_bad + q->tx_drop_port +
					q->tx_drop_down, s);
	}
}

static void set_rates(struct row *r, const struct fdinfo *old,
		      const struct fdinfo *info, uint32_t i, double s)
{
	const struct vhost_doorbell_stats *p = &old->queue[i];
	const struct vhost_doorbell_stats *q = &info->queue[i];

	r->served = served_by(old, info, i);
	r->requests = moment_rate(p->completed, q->completed, s);
	r->bytes_read = moment_rate(p->bytes_read, q->bytes_read, s);
	r->bytes_written = moment_rate(p->bytes_written, q->bytes_written, s);
	r->kicks = moment_rate(p->kicks, q->kicks, s);
	r->errors = moment_rate(p->errors, q->errors, s);
	set_latency(r, old, info, i);
	if (fdinfo_is_net(info) && i / 2 < info->num_pairs)
		set_frames(r, old, info, i, s);
}

static int add_row(struct table *t, const struct scan_dev *dev,
		   const struct fdinfo *old, int queue)
{
	const struct fdinfo *info = &dev->info;
	struct row *r = reallocarray(t->row, t->num + 1, sizeof(*r));

	if (!r)
		return -1;
	t->row = r;
	r += t->num++;
	*r = (struct row){
		.dev = dev, .queue = queue, .requests = NAN, .bytes_read = NAN,
		.bytes_written = NAN, .kicks = NAN, .errors = NAN, .mean = NAN,
		.p99 = NAN, .flight = NAN, .oldest = NAN, .held = NAN,
	};
	if (queue < 0)
		return 0;
	r->flight = info->queue[queue].in_flight;
	r->held = info->detail.errors[queue].held;
	if (info->detail.errors[queue].oldest_ns)
		r->oldest = info->detail.errors[queue].oldest_ns / 1e6;
	if (info->complete && old && old->complete)
		set_rates(r, old, info, queue, t->seconds);
	return 0;
}

/*
 * A queue that no driver uses has no row. A device without such queues has one
 * row.
 */
static int add_device(struct table *t, const struct scan_dev *dev,
		      const struct fdinfo *old)
{
	const struct fdinfo *info = &dev->info;
	size_t before = t->num;

	for (uint32_t i = 0; i < info->num_queues; i++) {
		const struct vhost_doorbell_stats *q = &info->queue[i];

		if ((q->state || q->requests || q->in_flight) &&
		    add_row(t, dev, old, i))
			return -1;
	}
	return t->num == before ? add_row(t, dev, old, -1) : 0;
}

static int make_table(struct table *t, const struct moment *before,
		      const struct moment *now)
{
	t->num = 0;
	t->seconds = moment_elapsed(before, now);
	for (size_t i = 0; i < now->selection.num; i++) {
		const struct scan_dev *dev = moment_dev(now, i);
		const struct scan_dev *old = scan_find(&before->scan,
						       dev->info.id);

		if (add_device(t, dev, old ? &old->info : NULL))
			return -1;
	}
	if (t->num)
		qsort(t->row, t->num, sizeof(*t->row), compare_rows);
	return 0;
}

static void print_number(int width, int digits, double value)
{
	if (isnan(value))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, value);
}

/* The most useful short name of the device */
static const char *name_of(const struct scan_dev *dev, char *to, size_t size)
{
	const char *at = strchr(dev->unit, '@');

	if (at)
		return describe_text(at + 1, to, size);
	if (fdinfo_is_net(&dev->info))
		return describe_port(dev, to, size);
	return *dev->info.disk ? describe_text(dev->info.disk, to, size) : "-";
}

static void print_text(const struct table *t, bool again)
{
	char text[PATH_MAX], queue[16];

	if (isatty(STDOUT_FILENO))
		printf("\033[H\033[J");
	else if (again)
		putchar('\n');
	printf("%-4s %5s %-7s %8s %7s %7s %8s %8s %8s %6s %7s %5s %6s  %s\n",
	       "ID", "QUEUE", "SERVED", "REQ/S", "RMIB/S", "WMIB/S", "KICK/S",
	       "MEAN-US", "P99-US", "FLIGHT", "OLD-MS", "HELD", "ERR/S", "NAME");
	for (size_t i = 0; i < t->num; i++) {
		const struct row *r = &t->row[i];

		snprintf(queue, sizeof(queue), r->queue < 0 ? "-" : "%d",
			 r->queue);
		printf("%-4" PRIu64 " %5s %-7s", r->dev->info.id, queue,
		       r->served ? r->served : "-");
		print_number(8, 0, r->requests);
		print_number(7, 1, r->bytes_read / 1048576);
		print_number(7, 1, r->bytes_written / 1048576);
		print_number(8, 0, r->kicks);
		print_number(8, 1, r->mean);
		print_number(8, 1, r->p99);
		print_number(6, 0, r->flight);
		print_number(7, 1, r->oldest);
		print_number(5, 0, r->held);
		print_number(6, 0, r->errors);
		printf("  %s\n", name_of(r->dev, text, sizeof(text)));
	}
}

static int print_json(const struct table *t)
{
	struct json j;

	json_begin_line(&j, stdout);
	json_object(&j, NULL);
	json_double(&j, "seconds", t->seconds, 3);
	json_array(&j, "queues");
	for (size_t i = 0; i < t->num; i++) {
		const struct row *r = &t->row[i];

		json_object(&j, NULL);
		json_u64(&j, "id", r->dev->info.id);
		if (r->queue < 0)
			json_null(&j, "queue");
		else
			json_i64(&j, "queue", r->queue);
		json_str(&j, "served", r->served);
		json_double(&j, "requests", r->requests, 1);
		json_double(&j, "bytes_read", r->bytes_read, 1);
		json_double(&j, "bytes_written", r->bytes_written, 1);
		json_double(&j, "kicks", r->kicks, 1);
		json_double(&j, "mean_us", r->mean, 1);
		json_double(&j, "p99_us", r->p99, 1);
		json_double(&j, "in_flight", r->flight, 0);
		json_double(&j, "oldest_ms", r->oldest, 1);
		json_double(&j, "held", r->held, 0);
		json_double(&j, "errors", r->errors, 1);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	return ctl_end_json(&j);
}

static int report(const struct ctl_options *o, struct table *t,
		  const struct moment *before, const struct moment *now,
		  bool again)
{
	if (make_table(t, before, now))
		return ctl_fail("top", -ENOMEM);
	if (o->json)
		return print_json(t);
	print_text(t, again);
	return ctl_finish();
}

static const struct column *find_column(const char *name)
{
	const struct column *c = columns;

	while (name && c->name && strcmp(c->name, name))
		c++;
	return c->name ? c : NULL;
}

int cmd_top(const struct ctl_options *o)
{
	struct moment before, now;
	struct table t = { 0 };
	int ret;

	sort_by = find_column(o->sort);
	if (!sort_by)
		return ctl_complain(o->sort, "no such column, see help top");
	ret = moment_take(o, &before);
	if (ret)
		return ret;
	for (uint64_t n = 0; !ret && (!o->count || n < o->count); n++) {
		ctl_wait(o);
		ret = moment_take(o, &now);
		if (ret)
			break;
		ret = report(o, &t, &before, &now, n);
		moment_free(&before);
		before = now;
	}
	moment_free(&before);
	free(t.row);
	return ret;
}
