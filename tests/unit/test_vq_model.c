// SPDX-License-Identifier: GPL-2.0
/*
 * A driver and a device on random schedules. Each chain must complete once, in
 * order if IN_ORDER is on, and neither side may sleep while there is work.
 *
 * The drivers here, one for each format, are written from the spec alone and
 * share nothing with the module. Each case is one seed.
 */
#include <stdlib.h>

#include "packed.h"
#include "tap.h"

#define CASES	60			/* cases for each format */
#define STEPS	4000
#define MAX_NUM	64
#define MAX_SEG	6

/* A chain of the driver, by head or buffer id. */
struct asked {
	bool	busy;
	bool	indirect;
	u32	n, nout;
	u16	descs[MAX_SEG];		/* split ring: its descriptors */
	struct bell_seg seg[MAX_SEG];
	u32	used_len;
};

/* The operations of a driver for one ring format. */
struct format {
	const char *name;
	u32	  (*pick_num)(void);
	void	  (*start)(void);
	/*
	 * Puts the chain into the ring; returns its head, or -1 if there is no
	 * room.
	 */
	int	  (*put)(struct asked *a);
	/*
	 * Does the device want a kick for the chains added since the last call?
	 */
	bool	  (*wants_kick)(void);
	bool	  (*is_used)(void);
	u32	  (*pop)(u32 *len);
	/* Asks for a signal at the next used chain, or for none. */
	void	  (*ask)(bool signal);
};

static struct packed p;
static struct ring *const r = &p.r;
static const struct format *format;
static u32 num;

/* State of the driver. Its indexes count chains. */
static struct asked asked[MAX_NUM];
static u16 driver_avail, driver_used;
static unsigned long signals_seen;
static bool driver_sleeps;

/* Chains that the device has in flight. */
static struct {
	u16 head;
	u8 epoch;
} flying[MAX_NUM];
static u32 nr_flying;
static u16 order[65536];		/* heads by chain number */
static u16 device_next;
static bool device_sleeps;
static u64 total;

static u32 rnd(u32 n)
{
	return rand() % n;
}

/* Chooses addresses and lengths of the pieces. */
static void ask_pieces(struct asked *a)
{
	a->nout = rnd(a->n + 1);
	for (u32 i = 0; i < a->n; i++) {
		a->seg[i].addr = RING_DATA + rnd(1 << 22);
		a->seg[i].len = 1 + rnd(9000);
	}
}

static u16 piece_flags(const struct asked *a, u32 i)
{
	return (i + 1 < a->n ? D_NEXT : 0) | (i < a->nout ? 0 : D_WRITE);
}

/* --- a driver with a split ring --- */

static bool desc_busy[MAX_NUM];
static u16 split_published;		/* index at the last wants_kick() */

static bool after_event(u16 event, u16 new, u16 old)
{
	for (; old != new; old++) {
		if (old == event)
			return true;
	}
	return false;
}

static u32 split_pick_num(void)
{
	return 1U << rnd(7);
}

static void split_start(void)
{
	ring_init(r, num);
	r->cfg.base = rnd(2) ? 65536 - rnd(500) : rnd(65536);
	memset(desc_busy, 0, sizeof(desc_busy));
	driver_avail = r->cfg.base;
	split_published = r->cfg.base;
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

static void split_describe(const struct asked *a, u16 head)
{
	struct vring_desc *table = ring_at(RING_TABLE + head * 256);

	for (u32 i = 0; i < a->n; i++) {
		struct vring_desc *d = a->indirect ? &table[i] :
				       &r->desc[a->descs[i]];
		u16 next = i + 1 == a->n ? rnd(65536) :
			   a->indirect ? i + 1 : a->descs[i + 1];

		ring_put_desc(d, a->seg[i].addr, a->seg[i].len,
			      piece_flags(a, i), next);
	}
	if (a->indirect)
		ring_put_desc(&r->desc[head], RING_TABLE + head * 256,
			      a->n * 16, D_INDIRECT, rnd(65536));
}

static int split_put(struct asked *a)
{
	u32 need = a->indirect ? 1 : a->n;

	if (pick_descs(a->descs, need) < need)
		return -1;
	for (u32 i = 0; i < need; i++)
		desc_busy[a->descs[i]] = true;
	split_describe(a, a->descs[0]);
	ring_add(r, a->descs[0]);
	return a->descs[0];
}

static bool split_wants_kick(void)
{
	u16 old = split_published;

	split_published = le16toh(r->avail->idx);
	if (r->cfg.event_idx)
		return after_event(ring_avail_event(r), split_published, old);
	return !(le16toh(r->used->flags) & VRING_USED_F_NO_NOTIFY);
}

static bool split_is_used(void)
{
	return driver_used != le16toh(r->used->idx);
}

static u32 split_pop(u32 *len)
{
	struct vring_used_elem *e = &r->used->ring[driver_used % num];
	u32 head = le32toh(e->id);
	const struct asked *a = &asked[head % num];

	*len = le32toh(e->len);
	for (u32 i = 0; i < (a->indirect ? 1 : a->n); i++)
		desc_busy[a->descs[i]] = false;
	return head;
}

static void split_ask(bool signal)
{
	if (!r->cfg.event_idx)
		r->avail->flags = htole16(signal ? 0 :
					  VRING_AVAIL_F_NO_INTERRUPT);
	else if (signal)
		*ring_used_event(r) = htole16(driver_used);
}

/* --- a driver with a packed ring --- */

static u32 packed_free;
static struct place packed_looked;	/* position at the last wants_kick() */

static u32 packed_pick_num(void)
{
	return 1 + rnd(MAX_NUM);
}

static void packed_begin_anywhere(void)
{
	packed_init(&p, num);
	p.next = (struct place){ rnd(num), rnd(2) };
	packed_free = num;
	packed_looked = p.next;
	driver_avail = rnd(65536);
}

static int packed_pick_id(void)
{
	u32 at = rnd(num);

	for (u32 i = 0; i < num; i++) {
		if (!asked[(at + i) % num].busy)
			return (at + i) % num;
	}
	return -1;
}

static int packed_put(struct asked *a)
{
	u32 need = a->indirect ? 1 : a->n;
	int id = packed_pick_id();
	struct vring_packed_desc *table = ring_at(RING_TABLE + id * 256);
	struct pd d[MAX_SEG];

	if (need > packed_free || id < 0)
		return -1;
	for (u32 i = 0; i < a->n; i++) {
		d[i] = (struct pd){ a->seg[i].addr, a->seg[i].len,
				    piece_flags(a, i), rnd(65536) };
		if (!a->indirect)
			continue;
		/* In a table NEXT means nothing: all entries count. */
		d[i].flags = (d[i].flags & D_WRITE) | (rnd(2) ? D_NEXT : 0);
		packed_put_desc(&table[i], &d[i], 0);
	}
	if (a->indirect)
		d[0] = (struct pd){ RING_TABLE + id * 256, a->n * 16,
				    D_INDIRECT, 0 };
	d[need - 1].id = id;
	packed_free -= need;
	packed_add(&p, d, need);
	return id;
}

static bool packed_wants_kick(void)
{
	u16 flags = le16toh(p.device->flags);
	u16 event = le16toh(p.device->off_wrap);
	struct place old = packed_looked;
	bool crossed = false;

	packed_looked = p.next;
	if (flags == P_DISABLE)
		return false;
	if (flags == P_ENABLE)
		return true;
	CHECK(flags == P_DESC && r->cfg.event_idx);
	/*
	 * One whole round later the place is the same, but its wrap counter
	 * differs.
	 */
	while (place_word(old) != place_word(p.next)) {
		crossed |= place_word(old) == event;
		old = place_go(old, 1, num);
	}
	return crossed;
}

static bool packed_model_is_used(void)
{
	return packed_is_used(&p);
}

static u32 packed_pop(u32 *len)
{
	u16 id = le16toh(p.desc[p.seen.at].id);
	const struct asked *a = &asked[id % num];
	u32 ndesc = a->indirect ? 1 : a->n;

	packed_see(&p, &id, len, ndesc);
	packed_free += ndesc;
	return id;
}

static void packed_ask(bool signal)
{
	u16 on = r->cfg.event_idx && rnd(4) ? P_DESC : P_ENABLE;

	if (signal && on == P_DESC)
		p.driver->off_wrap = htole16(place_word(p.seen));
	p.driver->flags = htole16(signal ? on : P_DISABLE);
}

static const struct format formats[] = {
	{ "split", split_pick_num, split_start, split_put, split_wants_kick,
	  split_is_used, split_pop, split_ask },
	{ "packed", packed_pick_num, packed_begin_anywhere, packed_put,
	  packed_wants_kick, packed_model_is_used, packed_pop, packed_ask },
};

/* --- the driver, for either format --- */

static bool driver_put(void)
{
	struct asked a = { .busy = true, .n = 1 + rnd(MAX_SEG) };
	int head;

	a.indirect = r->cfg.indirect && rnd(2);
	ask_pieces(&a);
	head = format->put(&a);
	if (head < 0)
		return false;
	asked[head] = a;
	order[driver_avail++] = head;
	total++;
	return true;
}

/* The driver adds a few chains, then checks once whether to kick. */
static void driver_add(void)
{
	u16 old = driver_avail;

	for (u32 n = 1 + rnd(4); n; n--) {
		if (!driver_put())
			break;
	}
	if (driver_avail == old)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (format->wants_kick())
		device_sleeps = false;
}

static void driver_reap(void)
{
	while (format->is_used()) {
		u32 len, head = format->pop(&len);
		struct asked *a = &asked[head % num];

		CHECK(head < num && a->busy);
		CHECK_EQ(len, a->used_len);
		*a = (struct asked){};
		driver_used++;
		if (tap_bad)
			break;
	}
}

/* The driver asks for a signal, checks the ring once more, then sleeps. */
static void driver_sleep(void)
{
	driver_reap();
	format->ask(true);
	signals_seen = world_signals(r->call);
	driver_sleeps = !format->is_used();
}

static void driver_step(void)
{
	if (driver_sleeps && world_signals(r->call) == signals_seen) {
		/*
		 * The driver sleeps, so nothing may be used without a signal.
		 */
		CHECK(!format->is_used());
		if (rnd(4))
			return;
	}
	if (driver_sleeps) {
		driver_sleeps = false;
		format->ask(false);
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

/* --- the device: takes, completes and puts back --- */

static void check_chain(const struct bell_chain *chain)
{
	const struct asked *a = &asked[chain->head];
	u64 bytes[2] = {};

	CHECK_EQ(chain->head, order[device_next]);
	CHECK(a->busy);
	CHECK_EQ(chain->nout, a->nout);
	CHECK_EQ(chain->nout + chain->nin, a->n);
	for (u32 i = 0; i < a->n && !tap_bad; i++) {
		CHECK_EQ(chain->seg[i].addr, a->seg[i].addr);
		CHECK_EQ(chain->seg[i].len, a->seg[i].len);
		bytes[i >= a->nout] += a->seg[i].len;
	}
	CHECK_EQ(chain->out_bytes, bytes[0]);
	CHECK_EQ(chain->in_bytes, bytes[1]);
}

static void device_complete(void)
{
	struct bell_done done[MAX_NUM] = {};
	u32 n, i, at;

	if (!nr_flying)
		return;
	n = rnd(2) ? 1 : 1 + rnd(nr_flying);
	for (i = 0; i < n; i++) {
		at = rnd(nr_flying);
		done[i].head = flying[at].head;
		done[i].epoch = flying[at].epoch;
		done[i].len = rnd(1 << 30);
		asked[done[i].head].used_len = done[i].len;
		flying[at] = flying[--nr_flying];
	}
	if (n > 1 || rnd(2))
		bell_vq_complete_n(&r->vq, done, n);
	else
		bell_vq_complete(&r->vq, done);
}

/* Takes some more chains, then puts all of them back. */
static void device_put_back(const struct bell_chain *first)
{
	struct bell_done done[MAX_NUM] = {
		{ .head = first->head, .epoch = first->epoch },
	};
	struct bell_chain chain;
	u32 n = 1;

	while (rnd(4) && bell_vq_take(&r->vq, false, &chain) == 1) {
		done[n].head = chain.head;
		done[n++].epoch = chain.epoch;
	}
	bell_vq_untake_n(&r->vq, done, n);
}

static void device_take(void)
{
	struct bell_chain chain;
	int ret;

	if (!rnd(4))
		bell_vq_disable_kick(&r->vq);
	ret = bell_vq_take(&r->vq, rnd(2), &chain);
	CHECK(ret == 1 || ret == 0 || ret == -EAGAIN);
	if (ret == 0 && !bell_vq_enable_kick(&r->vq))
		device_sleeps = true;
	if (ret != 1)
		return;
	check_chain(&chain);
	if (!rnd(5)) {
		if (rnd(2))
			bell_vq_untake(&r->vq, &chain);
		else
			device_put_back(&chain);
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
		/* Pages of indirect tables move; their content stays. */
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
	CHECK_EQ(bell_vq_in_flight(&r->vq), nr_flying);
}

/* --- one random case --- */

/* At each barrier the driver may act, as another CPU would. */
static void meanwhile(void)
{
	/*
	 * While the driver sleeps it must not act: driver_sleep() checks that
	 * state.
	 */
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
	CHECK_EQ(r->vq.stats.completed, total);
	CHECK_EQ(r->vq.stats.requests, total);
	CHECK_EQ(r->vq.stats.signals, world_signals(r->call));
	CHECK(!r->vq.broken);
}

static void begin_case(const struct format *f, unsigned int seed)
{
	srand(seed);
	format = f;
	num = f->pick_num();
	memset(asked, 0, sizeof(asked));
	nr_flying = 0;
	total = 0;
	driver_sleeps = false;
	device_sleeps = false;
	f->start();
	r->cfg.event_idx = seed & 1;
	r->cfg.indirect = seed & 2;
	driver_used = driver_avail;
	device_next = driver_avail;
	if (r->cfg.packed)
		packed_start_at(&p, p.next);
	else
		ring_start(r);
}

static void run_case(const struct format *f, unsigned int seed)
{
	begin_case(f, seed);
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
	ring_end(r);
}

int main(void)
{
	for (unsigned int i = 0; i < 2 * CASES; i++) {
		const struct format *f = &formats[i / CASES];
		unsigned int seed = i % CASES;
		char name[80];

		tap_begin();
		run_case(f, seed);
		snprintf(name, sizeof(name),
			 "vq model: %s ring of %u, seed %u", f->name, num,
			 seed);
		tap_end(name);
		if (tap_bad)
			break;
	}
	return tap_done();
}
