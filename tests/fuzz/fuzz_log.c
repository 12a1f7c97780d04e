// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_log - the dirty log against a hostile guest and a hostile VMM
 *
 * Byte 0 chooses the format of the ring and its features, byte 1 how many of the next bytes are steps (see
 * do_step()). The rest is laid over the descriptors and an indirect table, with addresses
 * in guest memory and a bit beyond.
 *
 * What is checked does not look at the module's own account of a chain: guest memory is
 * compared with a copy, as a VMM would have it at the destination. Each page that differs
 * must have its bit; no bit is set of a page that no writable piece and no ring is in; and
 * nothing is written outside of the bitmap.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/dirty.h"
#include "../unit/packed.h"
#include "ring.h"

#define CFG_EVENT_IDX	0x01
#define CFG_PACKED	0x02
#define CFG_IN_ORDER	0x04
#define NUM		32U
#define TABLE_LEN	64U
/* Data lies in the first pages after these, so that comparing is quick. */
#define DATA_PAGES	64U
/* A second bitmap, and the pages around both, which must stay as they are */
#define OTHER_PAGE	(DIRTY_PAGE + 2)
#define GUARD		0x5a

struct flying {
	struct bell_done done;
	u64 room;
};

static struct packed p;
static struct ring *const r = &p.r;
static struct vring_packed_desc laid[NUM];
static struct flying flying[NUM];
static u32 nr_flying;
static unsigned long log_page;		/* of the bitmap in use; 0: none */
/* Memory as the VMM has it: the pages that are compared, see compared_page() */
static u8 copy[DATA_PAGES + 3][PAGE_SIZE];
static u8 guard[PAGE_SIZE];
/* Pages that the device may write to, since the last sync */
static bool may_write[RING_PAGES];

static void expect(bool good, const char *what)
{
	if (!good)
		shim_die("fuzz_log: %s", what);
}

static bool is_logged(unsigned long page)
{
	return ((u8 *)world_ram(log_page))[page / 8] >> page % 8 & 1;
}

static void check_guards(void)
{
	for (unsigned long n = DIRTY_PAGE - 1; n <= OTHER_PAGE + 1; n++) {
		bool bitmap = n == DIRTY_PAGE || n == OTHER_PAGE;
		size_t from = bitmap ? DIRTY_SIZE : 0;

		expect(!memcmp((u8 *)world_ram(n) + from, guard,
			       PAGE_SIZE - from), "written outside of the bitmap");
	}
}

/* Data, the last page of memory, and the parts of the ring that the device writes to */
static unsigned long compared_page(u32 i)
{
	if (i < DATA_PAGES)
		return (RING_DATA >> PAGE_SHIFT) + i;
	if (i == DATA_PAGES)
		return RING_PAGES - 1;
	return (i == DATA_PAGES + 1 ? RING_USED : RING_DESC) >> PAGE_SHIFT;
}

static u32 compared_pages(void)
{
	return DATA_PAGES + (r->cfg.packed ? 3 : 2);
}

static void allow(u64 gpa, u64 len)
{
	for (u64 page = gpa >> PAGE_SHIFT;
	     page < RING_PAGES && page <= (gpa + len - 1) >> PAGE_SHIFT; page++)
		may_write[page] = true;
}

/* The pages of the rings, which the device writes to at any time */
static void allow_rings(void)
{
	allow(RING_USED, PAGE_SIZE);
	if (r->cfg.packed)
		allow(RING_DESC, NUM * sizeof(*p.desc));
}

/* Clear the log and copy memory. With something in flight only what has ended counts. */
static void sync_memory(void)
{
	memset(may_write, 0, sizeof(may_write));
	allow_rings();
	for (u32 i = 0; i < nr_flying; i++)
		flying[i].room = 0;
	for (u32 i = 0; i < compared_pages(); i++)
		memcpy(copy[i], world_ram(compared_page(i)), PAGE_SIZE);
	if (log_page)
		memset(world_ram(log_page), 0, DIRTY_SIZE);
}

/* Is each page logged that differs from the copy? From the @from-th one that is compared. */
static void check_pages(u32 from)
{
	for (u32 i = from; log_page && i < compared_pages(); i++) {
		unsigned long page = compared_page(i);

		expect(is_logged(page) ||
		       !memcmp(copy[i], world_ram(page), PAGE_SIZE),
		       "a write that is not logged");
	}
}

static void check_log(void)
{
	const u64 *bits = world_ram(log_page);

	check_guards();
	for (unsigned long at = 0; log_page && at < RING_PAGES; at += 64) {
		for (unsigned long i = at; bits[at / 64] && i < at + 64; i++)
			expect(may_write[i] || !is_logged(i),
			       "a page that was not written");
	}
	/* Data counts from the completion on. */
	check_pages(nr_flying ? DATA_PAGES + 1 : 0);
}

/* The VMM begins the log, or has it elsewhere, with nothing in flight. */
static void set_log(unsigned long page)
{
	struct bell_gmem_log *log = NULL;
	struct bell_vq_log *vq_log = NULL;
	unsigned long old = log_page;

	check_log();
	if (page) {
		log = bell_gmem_log_create(r->gm, WORLD_UADDR + page * PAGE_SIZE,
					   DIRTY_SIZE);
		vq_log = bell_vq_log_alloc(NUM);
		expect(!IS_ERR(log) && vq_log, "no log");
	}
	bell_gmem_log_destroy(r->gm, bell_gmem_set_log(r->gm, log));
	bell_vq_log_set(&r->vq, vq_log);
	log_page = page;
	sync_memory();
	if (old && old != page)
		memset(world_ram(old), 0, DIRTY_SIZE);
}

static void check_old_log(void)
{
	static const u8 none[DIRTY_SIZE];

	expect(!memcmp(world_ram(log_page == DIRTY_PAGE ? OTHER_PAGE : DIRTY_PAGE),
		       none, DIRTY_SIZE), "a log that is not in use");
}

/* The device writes as a back end does: from the start, and the last byte. */
static void write_pieces(const struct bell_chain *chain, struct flying *f, u8 how)
{
	const struct bell_seg *seg = chain->seg + chain->nout, *last;
	u64 room = chain->in_bytes, len;
	struct bell_vq_cursor cur = { .seg = seg };
	static u8 data[8192];
	u8 byte = how ^ 0x33;

	for (u32 i = 0; i < chain->nin; i++)
		allow(seg[i].addr, seg[i].len);
	f->done = (struct bell_done){ .head = chain->head, .epoch = chain->epoch };
	if (!room)
		return;
	len = min_t(u64, room, how * 32U);
	memset(data, how | 1, len);
	/* It stops where the guest named what is no memory. */
	while (len && bell_vq_chain_copy(&r->vq, &cur, data, len, true, true)) {
		len /= 2;
		cur = (struct bell_vq_cursor){ .seg = seg };
	}
	/* A failed attempt may have written, too. */
	f->done.dirty = min_t(u64, room, how * 32U);
	f->done.len = how & 1 ? len : 0;
	last = &seg[chain->nin - 1];
	f->done.dirty_last = !bell_gmem_write(r->gm, last->addr + last->len - 1,
					      &byte, 1, true);
}

static void do_take(u8 how)
{
	struct bell_chain chain;
	int ret;

	if (nr_flying == NUM)
		return;
	ret = bell_vq_take(&r->vq, true, &chain);
	expect(ret <= 0 || chain.nout + chain.nin > 0, "pieces of a chain");
	if (ret != 1)
		return;
	for (u32 i = 0; i < chain.nout + chain.nin; i++)
		expect(chain.seg[i].len, "a piece without a length");
	if (how == 7) {
		bell_vq_untake(&r->vq, &chain);
		return;
	}
	write_pieces(&chain, &flying[nr_flying++], how);
}

static void do_complete(u32 i)
{
	struct bell_done done;

	if (!nr_flying)
		return;
	i %= nr_flying;
	done = flying[i].done;
	flying[i] = flying[--nr_flying];
	bell_vq_complete(&r->vq, &done);
	check_log();
}

static void complete_all(void)
{
	while (nr_flying)
		do_complete(0);
}

static void do_add(u32 n)
{
	struct vring_packed_desc *d;

	if (!r->cfg.packed) {
		offer(&p, laid, n);
		return;
	}
	while (n--) {
		d = packed_offer(&p, laid);
		/* What the driver writes is KVM's to log. */
		memcpy(copy[DATA_PAGES + 2] + (d - p.desc) * sizeof(*d), d,
		       sizeof(*d));
	}
}

/* Any address, any size: a log, or a clean error. */
static void do_create(u8 arg)
{
	u64 size = arg & 1 ? DIRTY_SIZE : (u64)arg * 1000 << (arg & 31);
	u64 uaddr = WORLD_UADDR + ((u64)arg << (arg & 15)) * 8 + (arg & 4);
	struct bell_gmem_log *log = bell_gmem_log_create(r->gm, uaddr, size);

	if (IS_ERR(log))
		return;
	expect(size * 8 >= RING_PAGES && !(uaddr % 8) && !(size % 8),
	       "a log that cannot be");
	bell_gmem_log_destroy(r->gm, log);
}

/* A range of guest memory, or of no memory: bits of the log only */
static void do_set(u8 arg)
{
	u64 gpa = (u64)arg << (arg % 57), len = 1 + ((u64)arg << (arg % 23));

	if (!log_page)
		return;
	allow(gpa, len);
	bell_gmem_log_set(bell_gmem_get_log(r->gm), gpa, len);
	check_log();
}

static void do_step(u8 step)
{
	u8 arg = step >> 3;

	switch (step & 7) {
	case 0:
	case 1:
		do_take(arg | (step & 1) << 5);
		break;
	case 2:
		do_complete(arg);
		break;
	case 3:
		complete_all();
		set_log(arg % 3 == 0 ? 0 : arg % 3 == 1 ? DIRTY_PAGE : OTHER_PAGE);
		break;
	case 4:
		do_create(step);
		break;
	case 5:
		do_set(step);
		break;
	case 6:
		bell_vq_disable_kick(&r->vq);
		bell_vq_enable_kick(&r->vq);
		break;
	default:
		do_add(arg);
	}
	check_pages(DATA_PAGES + 1);
}

/* Fold addresses into the data pages and a bit before and beyond. */
static void fold_data(struct vring_desc *d, u32 n)
{
	for (; n--; d++) {
		u64 at = (le64toh(d->addr) - RING_DATA) % ((DATA_PAGES + 4) * PAGE_SIZE);

		if (le16toh(d->flags) & D_INDIRECT && !r->cfg.packed)
			d->addr = htole64(RING_TABLE);
		else if (at < DATA_PAGES * PAGE_SIZE)
			d->addr = htole64(RING_DATA + at);
		else
			d->addr = htole64(RING_END - PAGE_SIZE + at % (2 * PAGE_SIZE));
		/* Longer ones would leave the pages that are compared. */
		if (le64toh(d->addr) < RING_DATA + (DATA_PAGES - 2) * PAGE_SIZE)
			d->len = htole32(le32toh(d->len) % 8192);
	}
}

static void start(u8 cfg, const uint8_t *data, size_t size)
{
	struct vring_desc *table = ring_at(RING_TABLE);
	size_t n;

	if (cfg & CFG_PACKED)
		packed_init(&p, NUM);
	else
		ring_init(r, NUM);
	r->cfg.event_idx = cfg & CFG_EVENT_IDX;
	r->cfg.in_order = cfg & CFG_IN_ORDER;
	if (cfg & CFG_PACKED)
		packed_start(&p);
	else
		ring_start(r);
	memset(table, 0, TABLE_LEN * sizeof(*table));
	n = lay(r->desc, NUM * sizeof(*r->desc), data, size);
	lay(table, TABLE_LEN * sizeof(*table), data + n, size - n);
	if (!(cfg & CFG_PACKED)) {
		fold_data(r->desc, NUM);
		fold_data(table, TABLE_LEN);
		for (u32 i = 0; i < NUM; i++)
			r->avail->ring[i] = htole16(i);
	}
	memcpy(laid, r->desc, sizeof(laid));
	/* Of a packed ring the driver makes entries available one by one. */
	if (cfg & CFG_PACKED) {
		for (u32 i = 0; i < NUM; i++)
			laid[i].addr = htole64(RING_DATA +
					       (le64toh(laid[i].addr) - RING_DATA) %
					       ((DATA_PAGES - 3) * PAGE_SIZE));
		for (u32 i = 0; i < NUM; i++)
			laid[i].len = htole32(le32toh(laid[i].len) % 8192);
		memset(p.desc, 0, sizeof(laid));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps;

	if (size < 2)
		return 0;
	steps = min((size_t)data[1], size - 2);
	world_reset();
	nr_flying = 0;
	log_page = 0;
	start(data[0], data + 2 + steps, size - 2 - steps);
	world_map(DIRTY_PAGE - 1, 5, DIRTY_PAGE - 1);
	memset(guard, GUARD, sizeof(guard));
	memset(world_ram(DIRTY_PAGE - 1), GUARD, 5 * PAGE_SIZE);
	memset(world_ram(DIRTY_PAGE), 0, DIRTY_SIZE);
	memset(world_ram(OTHER_PAGE), 0, DIRTY_SIZE);
	set_log(DIRTY_PAGE);
	for (size_t i = 0; i < steps; i++)
		do_step(data[2 + i]);
	complete_all();
	check_log();
	set_log(0);
	check_old_log();
	fuzz_count(r->vq.stats.requests);
	ring_end(r);
	expect(!world_leak(), world_leak());
	return 0;
}

/* --- inputs that are nearly valid --- */

/* Makes pieces of half pages, many of which adjoin; some of any length, or of none. */
static size_t make_pieces(uint8_t *to, u32 n, uint64_t (*random)(void))
{
	u64 at = RING_DATA;
	struct vring_desc d;

	for (u32 i = 0; i < n; i++) {
		u64 rnd = random();
		u32 len = rnd % 8 ? (1 + (rnd >> 3) % 4) * 2048 : (rnd >> 3) % 8192;
		u16 flags = rnd >> 16 & 7 ? D_WRITE : 0;

		if (rnd >> 20 & 1)
			at = RING_DATA + (rnd >> 32) % (2 * DATA_PAGES) * 2048;
		if (rnd >> 21 & 1)
			flags |= D_NEXT;
		else if (!(rnd >> 22 & 7))
			flags = D_INDIRECT;
		ring_put_desc(&d, at, flags == D_INDIRECT ? (1 + rnd % 8) * 16 : len,
			      flags, i + 1);
		memcpy(to + i * sizeof(d), &d, sizeof(d));
		at += len;
	}
	return n * sizeof(d);
}

size_t fuzz_make_input(uint8_t *data, size_t max, uint64_t (*random)(void))
{
	size_t at = 2, descs;

	(void)max;		/* the longest input is below 3000 bytes */
	data[0] = random();
	data[1] = random();
	while (at < 2U + data[1])
		data[at++] = random();
	descs = at;
	at += make_pieces(data + at, NUM, random);
	if (data[0] & CFG_PACKED)
		make_packed(data + descs, NUM, NUM, random);
	return at + make_pieces(data + at, 16, random);
}
