// SPDX-License-Identifier: GPL-2.0
/* events - print a line for each change of a device in an interval */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "moment.h"

struct event {
	const char	*name;
	uint64_t	 id;
	int		 queue;		/* -1: the whole device */
	char		 detail[PATH_MAX + 64];
};

static int print_event(const struct ctl_options *o, const struct event *e)
{
	char stamp[64], day[32], text[sizeof(e->detail)];
	struct timespec now;
	struct json j;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp, sizeof(stamp), "%s.%03dZ", day,
		 (int)(now.tv_nsec / 1000000));
	if (!o->json) {
		printf("%s device %" PRIu64, stamp, e->id);
		if (e->queue >= 0)
			printf(" queue %d", e->queue);
		printf(" %s%s%s\n", e->name, *e->detail ? ": " : "",
		       describe_text(e->detail, text, sizeof(text)));
		return ctl_finish();
	}
	json_begin_line(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "time", stamp);
	json_str(&j, "event", e->name);
	json_u64(&j, "id", e->id);
	if (e->queue >= 0)
		json_i64(&j, "queue", e->queue);
	else
		json_null(&j, "queue");
	json_str(&j, "detail", *e->detail ? e->detail : NULL);
	json_object_end(&j);
	return ctl_end_json(&j);
}

__attribute__((format(printf, 5, 6)))
static int tell(const struct ctl_options *o, const struct fdinfo *info,
		int queue, const char *name, const char *fmt, ...)
{
	struct event e = { .name = name, .id = info->id, .queue = queue };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.detail, sizeof(e.detail), fmt, ap);
	va_end(ap);
	return print_event(o, &e);
}

static int tell_error(const struct ctl_options *o, const struct fdinfo *info,
		      uint32_t i, uint64_t n)
{
	const struct vhost_doorbell_errors *e = &info->detail.errors[i];
	char sector[40] = "";

	if (!e->last_time)
		return tell(o, info, i, "error", "%" PRIu64 " requests failed", n);
	if (e->last_sector != VHOST_DOORBELL_NO_SECTOR)
		snprintf(sector, sizeof(sector), ", sector %" PRIu64,
			 (uint64_t)e->last_sector);
	return tell(o, info, i, "error", "%" PRIu64 " requests failed, the last: %s, %s%s%s%s",
		    n, detail_kinds[e->last_kind], detail_causes[e->last_cause],
		    sector, e->last_errno ? ", " : "",
		    e->last_errno ? strerror(e->last_errno) : "");
}

static int compare_queue(const struct ctl_options *o, const struct fdinfo *old,
			 const struct fdinfo *info, uint32_t i)
{
	const struct vhost_doorbell_stats *p = &old->queue[i];
	const struct vhost_doorbell_stats *q = &info->queue[i];
	uint32_t gone = p->state & ~q->state, new = q->state & ~p->state;
	uint32_t held = old->detail.errors[i].held;
	int ret = 0;

	if (new & VHOST_DOORBELL_QUEUE_RUNNING)
		ret |= tell(o, info, i, "queue-start", "%u entries", q->size);
	if (gone & VHOST_DOORBELL_QUEUE_RUNNING)
		ret |= tell(o, info, i, "queue-stop", "%s", "");
	/*
	 * Compare the counter, not the state: within an interval the queue may
	 * have broken and started again.
	 */
	if (q->broken > p->broken)
		ret |= tell(o, info, i, "queue-broken",
			    "the guest broke the rules of the ring, see the kernel's log");
	if (q->errors > p->errors)
		ret |= tell_error(o, info, i, q->errors - p->errors);
	if (info->detail.errors[i].held && !held)
		ret |= tell(o, info, i, "held", "%u requests wait for space on the disk",
			    info->detail.errors[i].held);
	if (!info->detail.errors[i].held && held)
		ret |= tell(o, info, i, "released", "%s", "");
	return ret;
}

static int compare_device(const struct ctl_options *o, const struct fdinfo *old,
			  const struct fdinfo *info)
{
	char text[64];
	int ret = 0;

	if (info->activity == FDINFO_STOPPING &&
	    old->activity != FDINFO_STOPPING) {
		describe_activity(info, text, sizeof(text));
		ret |= tell(o, info, -1, "stopping", "%s", text);
	}
	/*
	 * A busy device reports only a few lines. Compare when both moments are
	 * complete.
	 */
	if (!old->complete || !info->complete)
		return ret;
	if (strcmp(old->backend, info->backend))
		ret |= tell(o, info, -1, "backend", "%s%s%s", info->backend,
			    *info->disk ? ", " : "", info->disk);
	else if (old->capacity != info->capacity)
		ret |= tell(o, info, -1, "resize", "%" PRIu64 " to %" PRIu64 " sectors",
			    old->capacity, info->capacity);
	for (uint32_t i = 0; i < info->num_queues; i++)
		ret |= compare_queue(o, old, info, i);
	return ret;
}

static int compare(const struct ctl_options *o, const struct moment *before,
		   const struct moment *now)
{
	int ret = 0;

	for (size_t i = 0; i < before->selection.num; i++) {
		const struct scan_dev *dev = moment_dev(before, i);

		if (!scan_find(&now->scan, dev->info.id))
			ret |= tell(o, &dev->info, -1, "gone", "%s, pid %d",
				    dev->holder->comm, (int)dev->holder->pid);
	}
	for (size_t i = 0; i < now->selection.num; i++) {
		const struct scan_dev *dev = moment_dev(now, i);
		const struct scan_dev *old = scan_find(&before->scan,
						       dev->info.id);

		if (old)
			ret |= compare_device(o, &old->info, &dev->info);
		else
			ret |= tell(o, &dev->info, -1, "come", "%s, pid %d%s%s",
				    dev->holder->comm, (int)dev->holder->pid,
				    *dev->info.disk ? ", " : "", dev->info.disk);
	}
	return ret;
}

/* A device that was named may disappear and come back. */
static int look(const struct ctl_options *o, struct moment *m)
{
	struct ctl_options all = *o;
	int ret;

	all.device = NULL;
	ret = moment_take(&all, m);
	if (ret || !o->device)
		return ret;
	m->selection.num = select_find(o->device, &m->scan,
				       &m->selection.one) == 1;
	m->selection.dev = &m->selection.one;
	return CTL_OK;
}

int cmd_events(const struct ctl_options *o)
{
	struct moment before, now;
	int ret = moment_take(o, &before);

	if (ret)
		return ret;
	for (uint64_t n = 0; !ret && (!o->count || n < o->count); n++) {
		ctl_wait(o);
		ret = look(o, &now);
		if (ret)
			break;
		ret = compare(o, &before, &now) ? CTL_FAILED : CTL_OK;
		moment_free(&before);
		before = now;
	}
	moment_free(&before);
	return ret;
}
