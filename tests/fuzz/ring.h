/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring - make descriptors from bytes, and inputs that are nearly valid; for
 * targets that test the module
 */
#ifndef TESTS_FUZZ_RING_H
#define TESTS_FUZZ_RING_H

#include <stdint.h>

#include "../unit/packed.h"
#include "count.h"
#include "mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline size_t lay(void *to, size_t len, const uint8_t *data, size_t size)
{
	if (len > size)
		len = size;
	if (len)
		memcpy(to, data, len);
	return len;
}

static inline void fold(struct vring_desc *d, u32 n)
{
	for (; n--; d++)
		d->addr = htole64(le64toh(d->addr) % (RING_END + RING_TABLE));
}

static inline size_t make_descs(uint8_t *to, u32 n, uint64_t (*random)(void))
{
	struct vring_desc d;

	for (u32 i = 0; i < n; i++, to += sizeof(d)) {
		u64 rnd = random();
		bool indirect = rnd % 8 == 0;
		u16 flags = rnd >> 8 & 1 ? D_WRITE : 0;

		flags |= rnd >> 9 & 1 && !indirect ? D_NEXT : 0;
		flags |= indirect ? D_INDIRECT : 0;
		ring_put_desc(&d, indirect ? RING_TABLE + (rnd >> 20) % 4 * 16 :
			      RING_DATA + (rnd >> 20) % 65536,
			      indirect ? 16 * ((rnd >> 12) % 8 + 1) :
			      (rnd >> 12) % 64 + 1,
			      flags, i + 1);
		memcpy(to, &d, sizeof(d));
	}
	return n * sizeof(d);
}

/* Descriptors of a packed ring: flags and id follow the length. */
static inline void make_packed(uint8_t *at, u32 n, u32 num, uint64_t (*random)(void))
{
	struct vring_packed_desc to;
	struct vring_desc d;

	for (u32 i = 0; i < n; i++, at += sizeof(d)) {
		memcpy(&d, at, sizeof(d));
		to = (struct vring_packed_desc){
			.addr = d.addr, .len = d.len, .flags = d.flags,
			.id = htole16(random() % 64 ? i % num : random()),
		};
		memcpy(at, &to, sizeof(to));
	}
}

/* Makes one entry of a packed ring available, as the input gave it in @descs. */
static inline struct vring_packed_desc *
packed_offer(struct packed *of, const struct vring_packed_desc *descs)
{
	struct vring_packed_desc *d = &of->desc[of->next.at];

	*d = descs[of->next.at];
	d->flags &= htole16((u16)~(P_AVAIL | P_USED));
	d->flags |= htole16(of->next.wrap ? P_AVAIL : P_USED);
	of->next = place_go(of->next, 1, of->r.cfg.num);
	return d;
}

/* The driver publishes @n more entries, valid or not. */
static inline void offer(struct packed *of, const struct vring_packed_desc *descs, u32 n)
{
	if (!of->r.cfg.packed)
		of->r.avail->idx = htole16(le16toh(of->r.avail->idx) + n);
	else
		while (n--)
			packed_offer(of, descs);
}

#endif
