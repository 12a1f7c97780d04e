// SPDX-License-Identifier: GPL-2.0
/*
 * A driver and a device on random schedules: everything completed once, in
 * order where there is an order, and nobody sleeps while there is work.
 *
 * The driver here is written from the spec alone, and shares nothing with the
 * module. Each case is one seed.
 */
#include <stdlib.h>

#include "ring.h"
#include "tap.h"

#define CASES	60
#define STEPS	4000
#define MAX_NUM	64
#define MAX_SEG	6

/* What the driver asked for, by head. */
struct asked {
	bool	busy;
	bool	indirect;
	u32	n, nout;
	u16	descs[MAX_SEG];
	struct bell_seg seg[MAX_SEG];
	u32	used_len;
};

static struct ring r;
static u32 num;

/* The driver. */
static struct asked asked[MAX_NUM];
static bool desc_busy[MAX_NUM];
static u16 driver_avail, driver_used;
static unsigned long signals_seen;
static bool driver_sleeps;

/* The device. */
static struct {
	u16 head;
	u8 epoch;
} flying[MAX_NUM];
static u32 nr_flying;
static u16 order[65536];		/* heads by available index */
static u16 device_next;
static bool device_sleeps;
static u64 total;

static u32 rnd(u32 n)
{
	return rand() % n;
}

/* --- the driver --- */

static bool after_event(u16 event, u16 new, u16 old)
{
	for (; old != new; old++) {
		if (old == event)
			return true;
	}
	return false;
}

static u32 pick_descs(u16 *to, u32 n)
{
	u32 got = 0, at = rnd(num);

	for (u32 i = 0; i < num && got < n; i++) {
		u16 d = (at + i * 7) % num;

		if (num % 7 && !desc_busy[d])
			to[got++] = d;
	}
	return got;
}

static void driver_kick(u16 old)
{
	bool wanted;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r.cfg.event_idx)
		wanted = after_event(ring_avail_event(&r), driver_avail, old);
	else
		wanted = !(le16toh(r.used->flags) & VRING_USED_F_NO_NOTIFY);
	if (wanted)
		device_sleeps = false;
}

static void driver_describe(struct asked *a, u16 head)
{
	struct vring_desc *table = ring_at(RING_TABLE + head * 256);

	for (u32 i = 0; i < a->n; i++) {
		struct vring_desc *d = a->indirect ? &table[i] :
				       &r.desc[a->descs[i]];
		bool last = i + 1 == a->n;
		u16 next = last ? rnd(65536) :
			   a->indirect ? i + 1 : a->descs[i + 1];

		a->seg[i].addr = RING_DATA + rnd(1 << 22);
		a->seg[i].len = 1 + rnd(9000);
		ring_put_desc(d, a->seg[i].addr, a->seg[i].len,
			      (last ? 0 : D_NEXT) |
			      (i < a->nout ? 0 : D_WRITE), next);
	}
	if (a->indirect)
		ring_put_desc(&r.desc[head], RING_TABLE + head * 256, a->n * 16,
			      D_INDIRECT, rnd(65536));
}

static bool driver_put(void)
{
	struct asked a = { .busy = true, .n = 1 + rnd(MAX_SEG) };
	u16 head;

	a.indirect = r.cfg.indirect && rnd(2);
	if (pick_descs(a.descs, a.indirect ? 1 : a.n) <
	    (a.indirect ? 1 : a.n))
		return false;
	head = a.descs[0];
	a.nout = rnd(a.n + 1);
	for (u32 i = 0; i < (a.indirect ? 1 : a.n); i++)
		desc_busy[a.descs[i]] = true;
	driver_describe(&a, head);
	asked[head] = a;
	order[driver_avail] = head;
	ring_add(&r, head);
	driver_avail++;
	total++;
	return true;
}

/* A few chains and one look at whether to kick. */
static void driver_add(void)
{
	u16 old = driver_avail;

	for (u32 n = 1 + rnd(4); n; n--) {
		if (!driver_put())
			break;
	}
	if (driver_avail != old)
		driver_kick(old);
}

static void driver_reap(void)
{
	while (driver_used != le16toh(r.used->idx)) {
		struct vring_used_elem *e = &r.used->ring[driver_used % num];
		struct asked *a = &asked[le32toh(e->id) % num];

		CHECK(le32toh(e->id) < num && a->busy);
		CHECK_EQ(le32toh(e->len), a->used_len);
		for (u32 i = 0; i < (a->indirect ? 1 : a->n); i++)
			desc_busy[a->descs[i]] = false;
		*a = (struct asked){};
		driver_used++;
	}
}

/* Asks for a signal for what comes next, looks once more, then sleeps. */
static void driver_sleep(void)
{
	driver_reap();
	if (r.cfg.event_idx)
		*ring_used_event(&r) = htole16(driver_used);
	else
		r.avail->flags = 0;
	signals_seen = world_signals(r.call);
	driver_sleeps = driver_used == le16toh(r.used->idx);
}

static void driver_step(void)
{
	if (driver_sleeps && world_signals(r.call) == signals_seen) {
		/* Nothing may have come without a signal. */
		CHECK_EQ(driver_used, le16toh(r.used->idx));
		if (rnd(4))
			return;
	}
	if (driver_sleeps) {
		driver_sleeps = false;
		if (!r.cfg.event_idx)
			r.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	}
	switch (rnd(4)) {
	case 0:
		driver_reap();
		break;
	case 1:
		driver_sleep();
		break;
	default:
		driver_add();
	}
}

/* --- the device --- */

static void check_chain(const struct bell_chain *chain)
{
	const struct asked *a = &asked[chain->head];

	CHECK_EQ(chain->head, order[device_next]);
	CHECK(a->busy);
	CHECK_EQ(chain->nout, a->nout);
	CHECK_EQ(chain->nout + chain->nin, a->n);
	for (u32 i = 0; i < a->n && !tap_bad; i++) {
		CHECK_EQ(chain->seg[i].addr, a->seg[i].addr);
		CHECK_EQ(chain->seg[i].len, a->seg[i].len);
	}
}

static void device_complete(void)
{
	u32 i;

	if (!nr_flying)
		return;
	i = rnd(nr_flying);
	asked[flying[i].head].used_len = rnd(1 << 30);
	ring_complete(&r, flying[i].head, flying[i].epoch,
		      asked[flying[i].head].used_len);
	flying[i] = flying[--nr_flying];
}

static void device_take(void)
{
	struct bell_chain chain;
	int ret;

	if (!rnd(4))
		bell_vq_disable_kick(&r.vq);
	ret = bell_vq_take(&r.vq, rnd(2), &chain);
	CHECK(ret == 1 || ret == 0 || ret == -EAGAIN);
	if (ret == 0 && !bell_vq_enable_kick(&r.vq))
		device_sleeps = true;
	if (ret != 1)
		return;
	check_chain(&chain);
	if (!rnd(5)) {
		bell_vq_untake(&r.vq, &chain);
		return;
	}
	device_next++;
	CHECK(nr_flying < num);
	if (nr_flying < num) {
		flying[nr_flying].head = chain.head;
		flying[nr_flying++].epoch = chain.epoch;
	}
}

static void device_wait(void)
{
	CHECK(nr_flying > 0);
	device_complete();
}

static void device_step(void)
{
	switch (rnd(8)) {
	case 0:
		/* Pages of tables move away; what they hold stays. */
		world_invalidate(WORLD_UADDR + RING_TABLE, WORLD_UADDR +
				 RING_TABLE + (1 + rnd(4)) * PAGE_SIZE);
		break;
	case 1:
		world.on_wait = device_wait;
		world_run_work();
		break;
	case 2:
	case 3:
		device_complete();
		break;
	default:
		if (!device_sleeps)
			device_take();
		else
			CHECK_EQ(device_next, driver_avail);
	}
	CHECK_EQ(bell_vq_in_flight(&r.vq), nr_flying);
}

/* --- a case --- */

/* Others act at any barrier, as other CPUs would. */
static void meanwhile(void)
{
	/* A sleeper's rules are checked by itself, not in the middle. */
	if (!rnd(3) && !driver_sleeps)
		driver_add();
}

static void run_to_the_end(void)
{
	world.on_barrier = NULL;
	driver_sleeps = false;
	device_sleeps = false;
	while (device_next != driver_avail || nr_flying) {
		if (nr_flying == num || (device_next == driver_avail))
			device_complete();
		else
			device_take();
		if (tap_bad)
			break;
	}
	driver_reap();
	CHECK_EQ(driver_used, driver_avail);
	CHECK_EQ(r.vq.stats.completed, total);
	CHECK_EQ(r.vq.stats.requests, total);
	CHECK_EQ(r.vq.stats.signals, world_signals(r.call));
	CHECK(!r.vq.broken);
}

static void run_case(unsigned int seed)
{
	srand(seed);
	num = 1U << rnd(7);
	memset(asked, 0, sizeof(asked));
	memset(desc_busy, 0, sizeof(desc_busy));
	nr_flying = 0;
	total = 0;
	driver_sleeps = false;
	device_sleeps = false;
	ring_init(&r, num);
	r.cfg.event_idx = seed & 1;
	r.cfg.indirect = seed & 2;
	r.cfg.base = rnd(2) ? 65536 - rnd(500) : rnd(65536);
	driver_avail = r.cfg.base;
	driver_used = r.cfg.base;
	device_next = r.cfg.base;
	ring_start(&r);
	for (int i = 0; i < STEPS && !tap_bad; i++) {
		world.on_barrier = meanwhile;
		if (rnd(2))
			driver_step();
		else
			device_step();
	}
	run_to_the_end();
	CHECK(total > STEPS / 100);
	if (tap_bad)
		printf("# seed %u, ring of %u\n", seed, num);
	ring_end(&r);
}

int main(void)
{
	for (unsigned int seed = 0; seed < CASES; seed++) {
		char name[80];

		tap_begin();
		run_case(seed);
		snprintf(name, sizeof(name), "vq model: seed %u, ring of %u",
			 seed, num);
		tap_end(name);
		if (tap_bad)
			break;
	}
	return tap_done();
}
