// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_vq - a hostile guest: bytes become rings, descriptors and steps
 *
 * Byte 0 chooses format, size and features, byte 1 how many of the next bytes
 * are steps (see do_step()). The rest is laid over the descriptors, the
 * available ring (in a packed ring: the driver's event area) and an indirect
 * table, in this order. On request addresses are folded into guest memory and a
 * bit beyond, so that more of them are valid.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/packed.h"
#include "ring.h"

#define CFG_SIZE	7		/* log2 of the size, 0 to 7 */
#define CFG_EVENT_IDX	0x08
#define CFG_INDIRECT	0x10
#define CFG_FOLD	0x20
#define CFG_BASE	0x40		/* start just before the indexes wrap */
#define CFG_PACKED	0x80
#define MAX_NUM		128
#define TABLE_LEN	64

struct taken {
	u16 head;
	u16 ndesc;
	u8  epoch;
};

static struct packed p;
static struct ring *const r = &p.r;
static struct vring_packed_desc laid[MAX_NUM];	/* the descriptors as the input gave them */
static struct place taken_to, used_to;		/* packed ring: after the last take and use */
static struct taken taken[MAX_NUM];
static u32 nr_taken;
static u16 completed;
static struct bell_chain chain;
static bool may_untake;

static void expect(bool good, const char *what)
{
	if (!good)
		shim_die("fuzz_vq: %s", what);
}

static void check_chain(void)
{
	u32 n = chain.nout + chain.nin;

	expect(n > 0 && n <= r->vq.max_segs, "pieces of a chain");
	expect(chain.head < r->cfg.num, "head");
	expect(chain.ndesc > 0 && chain.ndesc <= r->cfg.num, "entries of a chain");
	expect(nr_taken < r->cfg.num, "more in flight than the ring holds");
	for (u32 i = 0; i < n; i++)
		expect(chain.seg[i].len > 0, "length of a piece");
	for (u32 i = 0; i < nr_taken; i++)
		expect(taken[i].head != chain.head, "head in flight twice");
}

static void do_take(bool may_pin)
{
	int ret = bell_vq_take(&r->vq, may_pin, &chain);

	may_untake = ret == 1;
	switch (ret) {
	case 1:
		check_chain();
		taken[nr_taken++] = (struct taken){ chain.head, chain.ndesc,
						    chain.epoch };
		taken_to = place_go(taken_to, chain.ndesc, r->cfg.num);
		break;
	case -EPROTO:
		expect(r->vq.broken, "EPROTO of a queue that is not broken");
		break;
	case -EAGAIN:
		expect(!may_pin, "EAGAIN though it may pin");
		break;
	default:
		expect(!ret, "another error");
	}
}

static void do_complete(u32 i)
{
	struct taken t;

	if (!nr_taken)
		return;
	i %= nr_taken;
	t = taken[i];
	taken[i] = taken[--nr_taken];
	may_untake = false;
	completed++;
	used_to = place_go(used_to, t.ndesc, r->cfg.num);
	ring_complete(r, t.head, t.epoch, t.head + 1);
}

static void complete_all(void)
{
	while (nr_taken)
		do_complete(0);
}

static void do_untake(void)
{
	if (!may_untake)
		return;
	may_untake = false;
	nr_taken--;
	/*
	 * place_go() only moves forward. Positions repeat after two rounds, so
	 * move forward by two rounds less the length of the chain.
	 */
	taken_to = place_go(taken_to, 2 * r->cfg.num - chain.ndesc, r->cfg.num);
	bell_vq_untake(&r->vq, &chain);
}

static void check_place(void)
{
	expect(bell_vq_in_flight(&r->vq) == (int)nr_taken, "count in flight");
	if (!r->cfg.packed) {
		expect(le16toh(r->used->idx) == (u16)(r->cfg.base + completed),
		       "used index");
		return;
	}
	expect(r->vq.last_avail == taken_to.at &&
	       r->vq.avail_wrap == taken_to.wrap, "where it takes");
	expect(r->vq.used_idx == used_to.at &&
	       r->vq.used_wrap == used_to.wrap, "where it uses");
}

static void do_step(u8 step)
{
	u8 arg = step >> 3;

	switch (step & 7) {
	case 0:
	case 1:
		do_take(arg & 1);
		break;
	case 2:
		do_untake();
		break;
	case 3:
		do_complete(arg);
		break;
	case 4:
		/* The table's page or some pages of data move. */
		world_move((RING_TABLE >> PAGE_SHIFT) + arg, 1,
			   arg & 1 ? RING_TABLE >> PAGE_SHIFT : 5000 + arg);
		break;
	case 5:
		world.on_wait = complete_all;
		world_run_work();
		break;
	case 6:
		bell_vq_disable_kick(&r->vq);
		bell_vq_enable_kick(&r->vq);
		break;
	default:
		offer(&p, laid, arg);
	}
	check_place();
}

static void lay_all(const uint8_t *data, size_t size, u8 cfg)
{
	struct vring_desc *table = ring_at(RING_TABLE);
	u32 num = r->cfg.num;
	size_t n;

	memset(table, 0, TABLE_LEN * sizeof(*table));
	n = lay(r->desc, num * sizeof(*r->desc), data, size);
	data += n;
	size -= n;
	n = lay(r->cfg.packed ? (void *)p.driver : r->avail->ring,
		r->cfg.packed ? sizeof(*p.driver) : (num + 1) * 2, data, size);
	data += n;
	size -= n;
	lay(table, TABLE_LEN * sizeof(*table), data, size);
	if (cfg & CFG_FOLD) {
		fold(r->desc, num);
		fold(table, TABLE_LEN);
	}
	memcpy(laid, p.desc, num * sizeof(*laid));
}

static void start_packed(u32 num, u8 cfg)
{
	if (cfg & CFG_BASE)
		num = (num * 3 + 3) / 4;
	packed_init(&p, num);
	p.next = (struct place){ cfg & CFG_BASE ? num - 1 : 0,
				 !(cfg & CFG_BASE) };
	taken_to = p.next;
	used_to = p.next;
}

static void start(u8 cfg)
{
	u32 num = 1U << (cfg & CFG_SIZE);
	u64 at;

	if (cfg & CFG_PACKED)
		start_packed(num, cfg);
	else
		ring_init(r, num);
	r->cfg.event_idx = cfg & CFG_EVENT_IDX;
	r->cfg.indirect = cfg & CFG_INDIRECT;
	/* The ring ends with its page: the module must not read behind it. */
	at = RING_DESC + PAGE_SIZE - r->cfg.num * sizeof(*r->desc);
	r->cfg.desc_uaddr = WORLD_UADDR + at;
	r->desc = ring_at(at);
	p.desc = ring_at(at);
	completed = 0;
	may_untake = false;
	if (cfg & CFG_PACKED) {
		packed_start_at(&p, p.next);
	} else {
		r->cfg.base = cfg & CFG_BASE ? 65530 : 0;
		ring_start(r);
	}
}

/*
 * Nothing may be written behind the ring, and the queue must stop at the right
 * place.
 */
static void end(u8 cfg)
{
	struct vring_packed_desc behind = p.desc[r->cfg.num];
	u32 base = bell_vq_stop(&r->vq);

	expect(!memcmp(&behind, &(struct vring_packed_desc){}, 16),
	       "written behind the ring");
	if (cfg & CFG_PACKED)
		expect(base == packed_base(taken_to, used_to), "base");
	ring_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps;
	u8 cfg;

	if (size < 2)
		return 0;
	cfg = data[0];
	steps = min((size_t)data[1], size - 2);
	world_reset();
	start(cfg);
	p.desc[r->cfg.num] = (struct vring_packed_desc){};
	lay_all(data + 2 + steps, size - 2 - steps, cfg);
	for (size_t i = 0; i < steps; i++)
		do_step(data[2 + i]);
	complete_all();
	expect(!bell_vq_in_flight(&r->vq), "something is left in flight");
	expect(world_signals(r->err) == r->vq.broken, "error signals");
	expect(r->vq.stats.requests == r->vq.stats.completed, "counters");
	fuzz_count(r->vq.stats.requests);
	end(cfg);
	expect(!world_leak(), world_leak());
	return 0;
}

/* --- inputs that are nearly valid --- */

size_t fuzz_make_input(uint8_t *data, size_t max, uint64_t (*random)(void))
{
	u8 cfg = random(), steps = random();
	u32 num = 1U << (cfg & CFG_SIZE);
	size_t at = 2, descs;

	(void)max;		/* the longest input is below 3000 bytes */
	if (cfg & CFG_PACKED && cfg & CFG_BASE)
		num = (num * 3 + 3) / 4;
	data[0] = cfg;
	data[1] = steps;
	while (at < 2U + steps)
		data[at++] = random();
	descs = at;
	at += make_descs(data + at, num, random);
	if (cfg & CFG_PACKED) {
		make_packed(data + descs, num, num, random);
		for (u32 i = 0; i < sizeof(*p.driver); i++)
			data[at++] = random();
		descs = at;
		at += make_descs(data + at, 16, random);
		make_packed(data + descs, 16, num, random);
		return at;
	}
	for (u32 i = 0; i <= num; i++, at += 2) {
		data[at] = i % num;
		data[at + 1] = random() % 64 ? 0 : random();
	}
	return at + make_descs(data + at, 16, random);
}
