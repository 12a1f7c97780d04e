// SPDX-License-Identifier: GPL-2.0
/* run - one run of the load: device, memory, lanes and results */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "run.h"
#include "watch.h"

/* Limits the tables of the shadow (shadow.h) to 80 MiB. */
#define RUN_MAX_CHECKED	(1ull << 24)

static int say(const char *what, const char *why, int ret)
{
	fprintf(stderr, "doorbell-bench: %s: %s\n", what, why);
	return ret;
}

static int say_fe(const struct fe *fe, int ret)
{
	fprintf(stderr, "doorbell-bench: vhost-user: %s: %s\n",
		fe_name(fe->last), strerror(-ret));
	return ret;
}

/*
 * Features that are negotiated only if an option asks for them, and are then
 * required.
 */
#define RUN_ASKED_FOR							\
	(1ull << VIRTIO_F_RING_PACKED | 1ull << VIRTIO_F_IN_ORDER |	\
	 1ull << VIRTIO_F_NOTIFY_ON_EMPTY | 1ull << VIRTIO_F_RING_RESET)

static uint64_t needed(const struct options *o)
{
	return (o->common.packed ? 1ull << VIRTIO_F_RING_PACKED : 0) |
	       (o->common.in_order ? 1ull << VIRTIO_F_IN_ORDER : 0) |
	       (o->on_empty ? 1ull << VIRTIO_F_NOTIFY_ON_EMPTY : 0) |
	       (o->reset_every ? 1ull << VIRTIO_F_RING_RESET : 0) |
	       (o->writethrough ? 1ull << VIRTIO_BLK_F_CONFIG_WCE : 0);
}

struct dev_wish run_wish(const struct options *o)
{
	uint64_t need = needed(o), refuse = (RUN_ASKED_FOR & ~need) | o->refuse;

	if (o->common.no_event_idx)
		refuse |= 1ull << VIRTIO_RING_F_EVENT_IDX;
	if (o->common.no_indirect)
		refuse |= 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	if (o->common.legacy)
		refuse |= 1ull << VIRTIO_F_VERSION_1;
	return (struct dev_wish){
		.path = o->common.socket,
		.timeout_ms = (unsigned int)o->common.connect_timeout * 1000,
		.refuse = refuse,
		.need = need,
		.mem_slots = o->mem_slots,
		.log = o->log,
		.writethrough = o->writethrough,
	};
}

static bool will_write(const struct options *o)
{
	return !o->verify_only && o->rw != RW_READ && o->rw != RW_RANDREAD &&
	       (o->rw != RW_RANDRW || o->mix < 100);
}

static int check_device(const struct run *r)
{
	const struct options *o = r->o;
	const struct dev_config *c = &r->dev.config;

	if (o->queues > r->dev.max_queues || o->queues > c->num_queues)
		return say("--queues", "the device has fewer", -EINVAL);
	if (o->bs % c->blk_size)
		return say("--bs", "not a multiple of the disk's block size",
			   -EINVAL);
	if (o->mem_slots && o->common.regions > r->dev.max_slots)
		return say("--mem-slots", "the back end has fewer or none",
			   -EINVAL);
	if (will_write(o) && dev_has(&r->dev, VIRTIO_BLK_F_RO))
		return say("--rw", "the disk is read-only", -EINVAL);
	if (o->flush_every && !dev_has(&r->dev, VIRTIO_BLK_F_FLUSH))
		return say("--flush-every", "the disk has no flush", -EINVAL);
	if (o->layout != LAYOUT_NORMAL &&
	    !dev_has(&r->dev, VIRTIO_F_VERSION_1) &&
	    !dev_has(&r->dev, VIRTIO_F_ANY_LAYOUT))
		return say("--layout", "a legacy device has only 'normal'",
			   -EINVAL);
	return 0;
}

static int choose_area(struct run *r)
{
	const struct options *o = r->o;
	uint64_t bytes = r->dev.config.capacity * 512;

	if (o->offset % o->bs || o->offset > bytes)
		return say("--offset", "not a block of the disk", -EINVAL);
	bytes -= o->offset;
	if (o->size > bytes)
		return say("--size", "larger than the disk", -EINVAL);
	r->nblocks = (o->size ? o->size : bytes) / o->bs;
	if (o->common.verify && r->nblocks > RUN_MAX_CHECKED)
		r->nblocks = RUN_MAX_CHECKED;
	if (r->nblocks < o->queues)
		return say("--size", "less than a block for each queue",
			   -EINVAL);
	return 0;
}

static int choose_rules(const struct run *r, struct req_rules *rules)
{
	const struct options *o = r->o;
	const struct dev_config *c = &r->dev.config;
	/* Without SEG_MAX a driver may use one segment. */
	uint64_t seg_max = c->seg_max ? c->seg_max : 1;
	uint32_t size_max = o->any_length ? 0 : c->size_max;
	uint64_t cuts = size_max ? (o->bs + size_max - 1) / size_max : 1;
	uint64_t total = seg_max + 2 < o->common.queue_size ? seg_max + 2 :
						       o->common.queue_size;

	if (cuts > seg_max || cuts + 2 > total)
		return say("--bs", "too large for the disk's segment limits",
			   -EINVAL);
	*rules = (struct req_rules){
		.layout = (enum option_layout)o->layout,
		.align = (uint32_t)o->align,
		.size_max = size_max,
		.max_data = (unsigned int)(o->segs < seg_max ? o->segs :
							       seg_max),
		.max_total = (unsigned int)total,
		.indirect = dev_has(&r->dev, VIRTIO_RING_F_INDIRECT_DESC),
		.mixed = o->mixed_indirect,
	};
	return 0;
}

static int create_memory(struct run *r, struct req_rules *rules)
{
	const struct options *o = r->o;
	size_t all, one;
	int ret;

	/* Only sizes are computed here; nothing is allocated yet. */
	r->mem.punch = mem_punch_size(o->common.mem_kind);
	rules->mem = &r->mem;
	all = o->queues * lane_bytes(o, rules);
	one = req_bytes(rules, (uint32_t)o->bs) +
	      ring_bytes((unsigned int)o->common.queue_size);
	/* A piece lies in one region, so each region may waste one piece. */
	ret = mem_create(&r->mem, o->common.mem_kind, o->common.mem_path,
			 (unsigned int)o->common.regions, all / o->common.regions + 2 * one);
	return ret ? say("guest memory", strerror(-ret), ret) : 0;
}

static int create_shadow(struct run *r)
{
	const struct options *o = r->o;
	int ret;

	if (!o->common.verify)
		return 0;
	ret = shadow_create(&r->shadow, o->verify_seed, o->offset / 512,
			    r->nblocks, (uint32_t)o->bs);
	if (ret || !o->state)
		return ret;
	ret = shadow_load(&r->shadow, o->state);
	if (ret == -ENOENT && !o->verify_only)
		return 0;
	return ret ? say(o->state, strerror(-ret), ret) : 0;
}

static int create_lanes(struct run *r, const struct req_rules *rules)
{
	const struct options *o = r->o;
	unsigned int n = (unsigned int)o->queues;
	int ret = 0;

	r->lane = calloc(n, sizeof(*r->lane));
	if (!r->lane)
		return -ENOMEM;
	for (unsigned int i = 0; !ret && i < n; i++) {
		struct lane *l = &r->lane[i];

		l->o = o;
		l->gate = &r->gate;
		l->shadow = o->common.verify ? &r->shadow : NULL;
		l->rules = *rules;
		l->index = i;
		l->first = r->nblocks * i / n;
		l->nblocks = r->nblocks * (i + 1) / n - l->first;
		l->base_sector = o->offset / 512;
		l->target = o->common.count ? o->common.count * (i + 1) / n -
			    o->common.count * i / n : UINT64_MAX;
		l->deadline = UINT64_MAX;
		l->phase = o->verify_only ? LANE_SWEEP : LANE_LOAD;
		ret = lane_create(l);
		l->ring.event_idx = dev_has(&r->dev, VIRTIO_RING_F_EVENT_IDX);
		r->nlanes++;
	}
	return ret ? say("queues", strerror(-ret), ret) : 0;
}

static void *noise_main(void *arg)
{
	struct run *r = arg;
	unsigned int n = 0;

	while (!__atomic_load_n(&r->gate.abort, __ATOMIC_ACQUIRE) &&
	       __atomic_load_n(&r->gate.running, __ATOMIC_RELAXED))
		ring_kick(&r->lane[n++ % r->nlanes].ring);
	return NULL;
}

static int work(struct run *r)
{
	pthread_t noise[64];
	unsigned int nnoise = 0;
	uint64_t deadline = r->o->common.seconds ? bench_now_ns() +
			    r->o->common.seconds * 1000000000u : UINT64_MAX;
	sigset_t set;
	int ret = 0;

	/* Blocked for watch_lanes(), which waits for them. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (unsigned int i = 0; !ret && i < r->nlanes; i++) {
		r->lane[i].deadline = deadline;
		ret = lane_start(&r->lane[i]);
		r->started += !ret;
	}
	while (!ret && nnoise < r->o->noise)
		if (pthread_create(&noise[nnoise++], NULL, noise_main, r))
			ret = -EAGAIN, nnoise--;
	if (ret)
		__atomic_store_n(&r->gate.abort, true, __ATOMIC_RELEASE);
	else
		watch_lanes(r);
	for (unsigned int i = 0; i < r->started; i++)
		pthread_join(r->lane[i].thread, NULL);
	for (unsigned int i = 0; i < nnoise; i++)
		pthread_join(noise[i], NULL);
	return ret ? say("thread", strerror(-ret), ret) : 0;
}

static int start(struct run *r)
{
	int ret = dev_setup(&r->dev, &r->wish, &r->mem);

	for (unsigned int i = 0; !ret && i < r->nlanes; i++)
		ret = dev_queue_start(&r->dev, i, &r->lane[i].ring,
				      ring_base(&r->lane[i].ring));
	return ret ? say_fe(&r->dev.fe, ret) : 0;
}

/*
 * Stops the queues and resets the device as a guest's shutdown does; checks the
 * indexes.
 */
static int stop(struct run *r)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < r->nlanes; i++) {
		struct ring *q = &r->lane[i].ring;
		unsigned int base;

		ret = dev_queue_stop(&r->dev, i, &base);
		if (ret || r->lane[i].in_flight || base == ring_base(q))
			continue;
		fprintf(stderr, "doorbell-bench: queue %u: stopped at %u, "
			"should be %u\n", i, base, ring_base(q));
		r->errors++;
	}
	if (!ret)
		ret = dev_reset(&r->dev);
	return ret ? say_fe(&r->dev.fe, ret) : 0;
}

static int save_state(struct run *r)
{
	int ret;

	if (!r->o->state || r->o->verify_only)
		return 0;
	/*
	 * Forget the generation of blocks with a write in flight: it may or may
	 * not have been done.
	 */
	for (uint64_t b = 0; b < r->nblocks; b++)
		if (r->shadow.busy[b])
			r->shadow.gen[b] = 0;
	ret = shadow_save(&r->shadow, r->o->state);
	return ret ? say(r->o->state, strerror(-ret), ret) : 0;
}

static int prepare(struct run *r)
{
	struct req_rules rules;
	int ret = dev_open(&r->dev, &r->wish);

	if (ret)
		return say_fe(&r->dev.fe, ret);
	ret = check_device(r);
	if (!ret)
		ret = choose_area(r);
	if (!ret)
		ret = choose_rules(r, &rules);
	if (!ret)
		ret = create_memory(r, &rules);
	if (!ret)
		ret = create_shadow(r);
	if (!ret)
		ret = create_lanes(r, &rules);
	return ret;
}

int run_load(struct run *r, const struct options *o)
{
	int ret;

	*r = (struct run){
		.o = o, .wish = run_wish(o), .mem = { .fd = -1 },
		.dev = { .fe = { .sock = -1 } },
	};
	r->gate.dev = &r->dev;
	pthread_mutex_init(&r->gate.lock, NULL);
	pthread_cond_init(&r->gate.cond, NULL);
	r->gate.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->gate.event < 0)
		return say("eventfd", strerror(errno), -errno);
	ret = prepare(r);
	if (!ret)
		ret = start(r);
	if (!ret)
		ret = work(r);
	if (ret)
		return ret;
	if (o->expect_disconnect && !r->disconnects) {
		say(o->common.socket, "the back end did not go away", 0);
		r->errors++;
	}
	if (!r->gone)
		ret = stop(r);
	if (o->log && !dirty_count(&r->dev.log)) {
		say(o->common.socket, "the back end logged nothing", 0);
		r->errors++;
	}
	return ret ? ret : save_state(r);
}

void run_destroy(struct run *r)
{
	for (unsigned int i = 0; i < r->nlanes; i++)
		lane_destroy(&r->lane[i]);
	free(r->lane);
	shadow_destroy(&r->shadow);
	mem_destroy(&r->mem);
	dev_close(&r->dev);
	close(r->gate.event);
}
