// SPDX-License-Identifier: GPL-2.0
/* ring - make chains available in split and packed rings, valid ones and others */
#include <linux/virtio_ring.h>
#include <string.h>

#include "ring.h"

#define PACKED_AVAIL	(1U << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	(1U << VRING_PACKED_DESC_F_USED)

static char *ring_at(const struct queue *q, size_t offset)
{
	return world.mem + RING(q->dev, q->index) + offset;
}

static uint64_t ring_gpa(const struct queue *q, size_t offset)
{
	return GPA + RING(q->dev, q->index) + offset;
}

uint64_t ring_odd_number(uint8_t choice)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 0x7f, 0x80, 0xff, 0x100, 0x101, 511, 512,
		513, 1024, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000, 0x1fffff,
		0x200000, 1 << 24, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
		0x100000000, 1ULL << 52, 0x7fffffffffffffff, 1ULL << 63, -4096ULL, -512ULL,
		-2ULL, -1ULL, MEM, MEM + 4096, MEM + MEM_LEN - 16, MEM + MEM_LEN, GPA,
		GPA - 1, GPA + MEM_LEN - 1, GPA + MEM_LEN, MEM + AT_LOG, 0x7ffffffff000,
		0x800000000000, 0xffff888000000000,
	};

	return numbers[choice % (sizeof(numbers) / sizeof(*numbers))];
}

void ring_reset(struct queue *q, uint16_t base)
{
	struct vring_avail *avail = (void *)ring_at(q, AT_AVAIL);
	struct vring_used *used = (void *)ring_at(q, AT_USED);

	memset(ring_at(q, 0), 0, 0x8000);
	q->next = 0;
	q->wrap = true;
	if (q->packed)
		return;
	avail->idx = base;
	used->idx = base;
}

uint32_t ring_base(const struct queue *q)
{
	const struct vring_avail *avail = (void *)ring_at(q, AT_AVAIL);
	uint32_t at = q->next | (q->wrap ? 0x8000U : 0);

	return q->packed ? at | at << 16 : avail->idx;
}

static uint16_t piece_flags(const struct piece *piece, unsigned int i, unsigned int n)
{
	return (i + 1 < n ? VRING_DESC_F_NEXT : 0) |
	       (piece[i].in ? VRING_DESC_F_WRITE : 0);
}

static void tweak_split(struct vring_desc *d, unsigned int tweak, uint8_t value)
{
	switch (tweak) {
	case 1:
		d->addr = ring_odd_number(value);
		break;
	case 2:
		d->addr += (int8_t)value;
		break;
	case 3:
		d->len = ring_odd_number(value);
		break;
	case 4:
		d->len += (int8_t)value;
		break;
	case 5:
		d->flags ^= value & 7 ?: 1;
		break;
	case 6:
		d->next = value & 0x80 ? ring_odd_number(value) : value;
		break;
	}
}

/* The layouts of the two kinds of entries differ behind the length. */
static void fill(const struct queue *q, void *table, unsigned int at, unsigned int num,
		 const struct piece *piece, unsigned int n, unsigned int tweak, uint8_t value)
{
	struct vring_desc *d = table;

	for (unsigned int i = 0; i < n; i++) {
		struct vring_desc new = {
			.addr = piece[i].addr, .len = piece[i].len,
			.flags = piece_flags(piece, i, n), .next = (at + i + 1) % num,
		};

		if (tweak && i == value % n)
			tweak_split(&new, tweak, value);
		if (q->packed)
			new = (struct vring_desc){
				.addr = new.addr, .len = new.len, .flags = 0,
				.next = new.flags,
			};
		d[(at + i) % num] = new;
	}
}

/* Make the entries of the ring available, the first one last. */
static void publish_packed(struct queue *q, unsigned int n, uint16_t id)
{
	struct vring_packed_desc *ring = (void *)ring_at(q, 0);
	unsigned int first = q->next, i;
	uint16_t flags = 0;
	bool wrap = q->wrap;

	for (i = 0; i < n; i++) {
		unsigned int at = (first + i) % q->num;
		uint16_t now;

		if (i && !at)
			wrap = !wrap;
		now = (ring[at].flags & ~(PACKED_AVAIL | PACKED_USED)) |
		      (wrap ? PACKED_AVAIL : PACKED_USED);
		ring[at].id = id;
		if (i)
			ring[at].flags = now;
		else
			flags = now;
	}
	__atomic_store_n(&ring[first].flags, flags, __ATOMIC_SEQ_CST);
	if (first + n >= q->num)
		q->wrap = !q->wrap;
	q->next = (first + n) % q->num;
}

static void publish_split(struct queue *q, unsigned int n)
{
	struct vring_avail *avail = (void *)ring_at(q, AT_AVAIL);

	avail->ring[avail->idx % q->num] = q->next;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_SEQ_CST);
	q->next = (q->next + n) % q->num;
}

void ring_add(struct queue *q, const struct piece *piece, unsigned int n, bool indirect,
	      unsigned int tweak, uint8_t value)
{
	struct piece whole = { .len = n * sizeof(struct vring_desc) };
	unsigned int at = q->next % (TABLE_NUM / MAX_PIECES) * MAX_PIECES;

	if (!q->num)
		return;
	if (n > MAX_PIECES)
		n = MAX_PIECES;
	if (!indirect && n > q->num)
		n = q->num;
	if (indirect) {
		whole.addr = ring_gpa(q, AT_TABLE + at * sizeof(struct vring_desc));
		fill(q, ring_at(q, AT_TABLE) + at * sizeof(struct vring_desc), 0,
		     MAX_PIECES, piece, n, tweak, value);
		/* Half of the tweaks are of the table's entry, half of the ring's. */
		fill(q, ring_at(q, 0), q->next, q->num, &whole, 1,
		     value & 1 ? tweak : 0, value);
		if (q->packed) {
			struct vring_packed_desc *ring = (void *)ring_at(q, 0);

			ring[q->next].flags ^= VRING_DESC_F_INDIRECT;
		} else {
			struct vring_desc *ring = (void *)ring_at(q, 0);

			ring[q->next].flags ^= VRING_DESC_F_INDIRECT;
		}
		n = 1;
	} else {
		fill(q, ring_at(q, 0), q->next, q->num, piece, n, tweak, value);
	}
	if (q->packed)
		publish_packed(q, n, q->next);
	else
		publish_split(q, n);
}

bool ring_is_done(const struct queue *q)
{
	const struct vring_avail *avail = (void *)ring_at(q, AT_AVAIL);
	const struct vring_used *used = (void *)ring_at(q, AT_USED);

	if (!q->num)
		return true;
	if (!q->packed)
		return __atomic_load_n(&used->idx, __ATOMIC_RELAXED) == avail->idx;
	/* The entry before the next one: are its two bits equal? */
	const struct vring_packed_desc *ring = (void *)ring_at(q, 0);
	uint16_t flags = __atomic_load_n(&ring[(q->next + q->num - 1) % q->num].flags,
					 __ATOMIC_RELAXED);

	return !(flags & PACKED_AVAIL) == !(flags & PACKED_USED);
}
