// SPDX-License-Identifier: GPL-2.0
/* watch - rates of each device, from its counters at two moments */
#include <inttypes.h>
#include <stdio.h>

#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "moment.h"

#define HEADER_EVERY	20

/*
 * Rates per second, except the last two members. For a card, bytes_read are
 * bytes that the guest received.
 */
struct rates {
	double		requests;
	double		bytes_read;
	double		bytes_written;
	double		kicks;
	double		inline_passes;
	double		worker_passes;
	double		punts;
	double		signals;
	/* Of a card: number of dropped frames per second */
	double		errors;
	/* This and the next are of cards only */
	double		rx_packets;
	double		tx_packets;
	uint64_t	in_flight;
	double		seconds;
};

#define RATE(member) \
	moment_rate(fdinfo_sum(before, member), fdinfo_sum(now, member), seconds)

#define PAIR_RATE(member)						\
	moment_rate(fdinfo_sum_pairs(before, member),				\
	     fdinfo_sum_pairs(now, member), seconds)

static void rates_of(const struct fdinfo *before, const struct fdinfo *now,
		     double seconds, struct rates *r)
{
	*r = (struct rates) {
		.requests	= RATE(requests),
		.bytes_read	= RATE(bytes_read),
		.bytes_written	= RATE(bytes_written),
		.kicks		= RATE(kicks),
		.inline_passes	= RATE(inline_passes),
		.worker_passes	= RATE(worker_passes),
		.punts		= RATE(punts),
		.signals	= RATE(signals),
		.errors		= RATE(errors),
		.in_flight	= fdinfo_sum(now, in_flight),
		.seconds	= seconds,
	};
	if (!fdinfo_is_net(now))
		return;
	r->rx_packets = PAIR_RATE(rx_packets);
	r->tx_packets = PAIR_RATE(tx_packets);
	r->requests = r->rx_packets + r->tx_packets;
	r->bytes_read = PAIR_RATE(rx_bytes);
	r->bytes_written = PAIR_RATE(tx_bytes);
	r->errors = moment_rate(fdinfo_drops(before), fdinfo_drops(now), seconds);
}

static void print_header(void)
{
	printf("%-3s %8s %6s %6s %7s %8s %8s %6s %8s %6s %4s\n", "ID", "REQ/S",
	       "RMIB/S", "WMIB/S", "KICK/S", "INLINE/S", "WORKER/S", "PUNT/S",
	       "SIGNAL/S", "FLIGHT", "ERRS");
}

static void print_text(uint64_t id, const struct rates *r)
{
	printf("%-3" PRIu64 " %8.0f %6.1f %6.1f %7.0f %8.0f %8.0f %6.0f %8.0f %6"
	       PRIu64 " %4.0f\n", id, r->requests, r->bytes_read / 1048576,
	       r->bytes_written / 1048576, r->kicks, r->inline_passes,
	       r->worker_passes, r->punts, r->signals, r->in_flight,
	       r->errors);
}

static int print_json(const struct fdinfo *info, const struct rates *r)
{
	struct json j;

	json_begin_line(&j, stdout);
	json_object(&j, NULL);
	json_u64(&j, "id", info->id);
	json_double(&j, "seconds", r->seconds, 3);
	json_double(&j, "requests", r->requests, 1);
	json_double(&j, "bytes_read", r->bytes_read, 1);
	json_double(&j, "bytes_written", r->bytes_written, 1);
	json_double(&j, "kicks", r->kicks, 1);
	json_double(&j, "inline_passes", r->inline_passes, 1);
	json_double(&j, "worker_passes", r->worker_passes, 1);
	json_double(&j, "punts", r->punts, 1);
	json_double(&j, "signals", r->signals, 1);
	json_double(&j, "errors", r->errors, 1);
	if (fdinfo_is_net(info)) {
		json_double(&j, "rx_packets", r->rx_packets, 1);
		json_double(&j, "tx_packets", r->tx_packets, 1);
	}
	json_u64(&j, "in_flight", r->in_flight);
	json_object_end(&j);
	return json_end(&j);
}

/* Prints the activity of a device that does not report its counters now. */
static int print_activity(const struct ctl_options *o, const struct fdinfo *info)
{
	char text[64];
	struct json j;

	if (!o->json) {
		describe_activity(info, text, sizeof(text));
		printf("%-3" PRIu64 " %s\n", info->id, text);
		return 0;
	}
	json_begin_line(&j, stdout);
	json_object(&j, NULL);
	json_u64(&j, "id", info->id);
	json_str(&j, "state", describe_activity_name(info));
	json_u64(&j, "in_flight", fdinfo_sum(info, in_flight));
	json_object_end(&j);
	return json_end(&j);
}

static int report_one(const struct ctl_options *o, const struct fdinfo *old,
		      const struct fdinfo *info, double seconds)
{
	struct rates r;

	if (!info->complete)
		return print_activity(o, info);
	if (!old->complete)
		return 0;
	rates_of(old, info, seconds, &r);
	if (o->json)
		return print_json(info, &r);
	print_text(info->id, &r);
	return 0;
}

static int report(const struct ctl_options *o, const struct moment *before,
		  const struct moment *now)
{
	double seconds = moment_elapsed(before, now);

	for (size_t i = 0; i < now->selection.num; i++) {
		const struct scan_dev *dev = moment_dev(now, i);
		const struct fdinfo *info = &dev->info;
		const struct scan_dev *old = scan_find(&before->scan, info->id);
		int ret;

		/* A new device has its first line after the next interval. */
		if (!old)
			continue;
		ret = report_one(o, &old->info, info, seconds);
		if (ret)
			return ctl_fail("standard output", ret);
	}
	return ctl_finish();
}

int cmd_watch(const struct ctl_options *o)
{
	struct moment before, now;
	int ret = moment_take(o, &before);

	if (ret)
		return ret;
	for (uint64_t n = 0; !ret && (!o->count || n < o->count); n++) {
		if (!o->json && n % HEADER_EVERY == 0)
			print_header();
		/* Show the header before the first interval is over. */
		ret = ctl_finish();
		ctl_wait(o);
		if (!ret)
			ret = moment_take(o, &now);
		if (ret)
			break;
		ret = report(o, &before, &now);
		moment_free(&before);
		before = now;
	}
	moment_free(&before);
	return ret;
}
