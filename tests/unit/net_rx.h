/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_rx - a receiving card: post buffers as the driver does, and read them
 * back
 */
#ifndef TESTS_UNIT_NET_RX_H
#define TESTS_UNIT_NET_RX_H

#include "net.h"
#include "tap.h"

#define RX_NUM		64U
#define MAX_FRAME	66000
#define MRG		(V1 | F(MRG_RXBUF))
/* Guest address of buffer @n; buffers are far apart. */
#define BUF(n)		(RING_DATA + (u64)(n) * 0x11000)

static u8 data[FRAMES][MAX_FRAME];
static struct sk_buff skb[FRAMES];
static u16 next_desc, seen;
static u32 next_buf;

static inline void begin_with(u32 num, u64 features)
{
	net_init(num, false, false);
	CHECK_EQ(net_set_port(PORT_FD), 0);
	net_start(features);
	next_desc = seen = 0;
	next_buf = 0;
}

static inline void begin(u64 features)
{
	begin_with(RX_NUM, features);
}

static inline u16 put(const struct bell_seg *seg, u32 n, u32 nout)
{
	u16 head = next_desc % r->cfg.num;

	for (u32 i = 0; i < n; i++, next_desc++)
		ring_put_desc(&r->desc[next_desc % r->cfg.num], seg[i].addr,
			      seg[i].len, (i + 1 < n ? D_NEXT : 0) |
			      (i < nout ? 0 : D_WRITE),
			      (next_desc + 1) % r->cfg.num);
	ring_add(r, head);
	return head;
}

/* Add a buffer of one piece to the ring. */
static inline void post(u32 len)
{
	u64 gpa = BUF(next_buf++ % RX_NUM);

	memset(ring_at(gpa), 0xaa, len);
	put(&(struct bell_seg){ gpa, len }, 1, 0);
}

/*
 * Put a frame into the port; the second part of the frame lies in another piece
 * of memory.
 */
static inline struct sk_buff *arrive(u32 len)
{
	u32 n = port.nskb++;

	for (u32 i = 0; i < len; i++)
		data[n][i] = n * 31 + i * 7 + i / 256;
	skb[n] = (struct sk_buff){
		.len = len, .data_len = len / 3, .data = data[n],
		.more = data[n] + len - len / 3,
	};
	port.skb[n] = &skb[n];
	return &skb[n];
}

static inline u16 used(void)
{
	return le16toh(r->used->idx);
}

static inline u32 used_len(u16 n)
{
	return le32toh(r->used->ring[n % r->cfg.num].len);
}

/*
 * Copy the data of the next used buffer to @to; its length, or 0 if there is
 * none.
 */
static inline u32 read_buf(u8 *to)
{
	u16 i;
	u32 len, left;

	if (seen == used())
		return 0;
	i = le32toh(r->used->ring[seen % r->cfg.num].id);
	len = left = used_len(seen++);
	for (;; i = le16toh(r->desc[i].next)) {
		u32 l = le32toh(r->desc[i].len);

		l = l < left ? l : left;
		for (u32 k = 0; k < l; k++)
			*to++ = *(u8 *)ring_at(le64toh(r->desc[i].addr) + k);
		left -= l;
		if (!left || !(le16toh(r->desc[i].flags) & D_NEXT))
			break;
	}
	CHECK_EQ(left, 0);
	return len;
}

static u8 got[MAX_FRAME];
static const struct virtio_net_hdr_mrg_rxbuf *got_hdr = (void *)got;

/*
 * Read a frame as a driver does: num_buffers in the header of the first buffer
 * says how many buffers it takes.
 */
static inline u32 read_frame(u32 hdr_len)
{
	u32 len = read_buf(got), n = 1;

	if (len && hdr_len == 12)
		n = le16toh(got_hdr->num_buffers);
	while (len && --n)
		len += read_buf(got + len);
	return len;
}

static inline void check_frame(u32 hdr_len, u32 n)
{
	CHECK_EQ(read_frame(hdr_len), hdr_len + skb[n].len);
	for (u32 i = 0; i < skb[n].len && !tap_bad; i++)
		CHECK_EQ(got[hdr_len + i], data[n][i]);
}

#endif
