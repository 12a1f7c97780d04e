// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_net - a hostile guest with a network card: bytes become rings and
 * descriptors
 *
 * Byte 0 chooses format, size and features of the ring, byte 1 the card's
 * settings (see NET_*), byte 2 how many of the next bytes are steps (see
 * do_step()). The rest is laid out as in fuzz_vq.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/net.h"
#include "ring.h"

#define CFG_SIZE	7		/* log2 of the size, 0 to 7 */
#define CFG_EVENT_IDX	0x08
#define CFG_INDIRECT	0x10
#define CFG_FOLD	0x20
#define CFG_BASE	0x40		/* start just before the indexes wrap */
#define CFG_PACKED	0x80
#define NET_SENDS	0x01
#define NET_V1		0x02
#define NET_MRG		0x04
#define NET_OFFLOADS	0x08
#define NET_NO_PORT	0x10
#define NET_IN_ORDER	0x20
#define NET_RAW		0x40
#define MAX_NUM		128
#define TABLE_LEN	64

static struct vring_packed_desc laid[MAX_NUM];	/* the descriptors as the input gave them */
static u8 bytes[FRAME_ROOM];
static struct sk_buff skbs[FRAMES];
static bool troubled, moved;

static void expect(bool good, const char *what)
{
	if (!good)
		shim_die("fuzz_net: %s", what);
}

/* --- steps of an input --- */

static void do_pass(bool may_sleep, u32 budget)
{
	enum bell_pass how = net_pass_of(may_sleep, budget);

	expect(how != BELL_PASS_STOP || r->vq.broken, "a pass that stops");
	expect(!r->vq.broken || how != BELL_PASS_DONE, "DONE, but broken");
	expect(how != BELL_PASS_PUNT || !may_sleep || troubled || moved,
	       "a punt of the worker's");
}

/* Another frame arrives for the guest */
static void do_arrive(u8 arg)
{
	static const u32 lens[] = { 14, 60, 300, 1500, 1514, 4000, 30000, 65549 };
	u32 n = port.nskb;

	if (n == FRAMES)
		return;
	port.nskb++;
	skbs[n] = (struct sk_buff){
		.len = lens[arg & 7], .data_len = arg & 8 ? 10 : 0,
		.data = bytes, .more = bytes + 20000,
		.vlan_present = arg & 8, .ip_summed = arg >> 3,
		.gso_size = arg & 16 ? 1448 : 0,
		.gso_type = arg & 1 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6,
		.help = arg & 2 ? -EINVAL : 0,
	};
	port.skb[n] = &skbs[n];
}

static void do_trouble(u8 arg)
{
	static const int errors[] = { 0, -ENETDOWN, -EAGAIN, -EINVAL };

	troubled = arg;
	port.send_ret = arg & 1 ? -ENETDOWN : 0;
	port.large_ret = errors[arg >> 1 & 3];
	world.pin_error = arg & 8 ? -EAGAIN : 0;
	world.fail_alloc = arg & 16 ? 1 + (arg & 3) : 0;
}

static void do_step(u8 step)
{
	u8 arg = step >> 3;

	switch (step & 7) {
	case 0:
	case 1:
		do_pass(step & 1, 1 + arg * 4);
		break;
	case 2:
	case 3:
		do_arrive(arg);
		break;
	case 4:
		world_move((RING_DATA >> PAGE_SHIFT) + arg % 16, 1,
			   arg & 16 ? (RING_DATA >> PAGE_SHIFT) + arg % 16 :
			   5000 + arg);
		moved = true;
		break;
	case 5:
		world_run_work();
		moved = false;
		break;
	case 6:
		do_trouble(arg);
		break;
	default:
		offer(&p, laid, 1 + arg);
	}
	/*
	 * After the queue was emptied nothing is in flight, and all frames are
	 * counted.
	 */
	expect(!bell_vq_in_flight(&r->vq), "in flight");
	expect(r->vq.stats.requests == r->vq.stats.completed, "counters");
	if (!r->cfg.packed)
		expect(le16toh(r->used->idx) ==
		       (u16)(r->cfg.base + r->vq.stats.completed), "used index");
}

/* --- run of one input --- */

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
	lay(table, TABLE_LEN * sizeof(*table), data + n, size - n);
	if (cfg & CFG_FOLD) {
		fold(r->desc, num);
		fold(table, TABLE_LEN);
	}
	memcpy(laid, p.desc, num * sizeof(*laid));
}

static u64 features_of(u8 net)
{
	return (net & NET_V1 ? V1 : 0) | (net & NET_MRG ? F(MRG_RXBUF) : 0) |
	       (net & NET_OFFLOADS ? F(GUEST_CSUM) | F(GUEST_TSO4) |
		F(GUEST_TSO6) : 0);
}

static void start(u8 cfg, u8 net)
{
	bool packed = cfg & CFG_PACKED;
	u32 num = 1U << (cfg & CFG_SIZE);

	if (packed && cfg & CFG_BASE)
		num = (num * 3 + 3) / 4;
	net_init(num, packed, net & NET_SENDS);
	r->cfg.event_idx = cfg & CFG_EVENT_IDX;
	r->cfg.indirect = cfg & CFG_INDIRECT;
	r->cfg.in_order = net & NET_IN_ORDER;
	p.desc = (void *)r->desc;
	if (!(net & NET_NO_PORT))
		expect(!net_set_port(PORT_FD), "port");
	port.raw = net & NET_RAW;
	if (packed) {
		packed_start_at(&p, (struct place){
			cfg & CFG_BASE ? num - 1 : 0, !(cfg & CFG_BASE),
		});
	} else {
		r->cfg.base = cfg & CFG_BASE ? 65530 : 0;
		ring_start(r);
	}
	expect(!be->ops->start_queue(be, &exec, features_of(net)), "start");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps;

	if (size < 3)
		return 0;
	steps = min((size_t)data[2], size - 3);
	world_reset();
	troubled = false;
	moved = false;
	start(data[0], data[1]);
	lay_all(data + 3 + steps, size - 3 - steps, data[0]);
	for (size_t i = 0; i < steps; i++)
		do_step(data[3 + i]);
	world.fail_alloc = 0;
	world.pin_error = 0;
	expect(world_signals(r->err) == r->vq.broken, "error signals");
	fuzz_count(r->vq.stats.requests);
	net_end();
	expect(!world_leak(), world_leak());
	return 0;
}

/* --- inputs that are nearly valid --- */

/* Makes most pieces match the direction of the queue and hold a whole frame */
static void direct(uint8_t *at, u32 n, bool packed, bool sends,
		   uint64_t (*random)(void))
{
	struct vring_desc d;

	for (u32 i = 0; i < n; i++, at += sizeof(d)) {
		u64 rnd = random();
		/*
		 * In a packed descriptor the flags are the last word, in a
		 * split one the word before.
		 */
		__le16 *flags = packed ? &d.next : &d.flags;

		memcpy(&d, at, sizeof(d));
		if (le16toh(*flags) & D_INDIRECT)
			continue;
		if (rnd % 32)
			*flags = sends ? *flags & htole16((u16)~D_WRITE) :
				 *flags | htole16(D_WRITE);
		if (rnd >> 8 & 3)
			d.len = htole32((rnd >> 16) %
					(rnd >> 10 & 3 ? 2000 : 70000) + 1);
		memcpy(at, &d, sizeof(d));
	}
}

size_t fuzz_make_input(uint8_t *data, size_t max, uint64_t (*random)(void))
{
	u8 cfg = random(), net = random(), steps = random() % 128;
	bool packed = cfg & CFG_PACKED;
	u32 num = 1U << (cfg & CFG_SIZE);
	size_t at = 3, descs;

	(void)max;		/* the longest input is below 3000 bytes */
	if (packed && cfg & CFG_BASE)
		num = (num * 3 + 3) / 4;
	data[0] = cfg;
	data[1] = net;
	data[2] = steps;
	while (at < 3U + steps)
		data[at++] = random();
	descs = at;
	at += make_descs(data + at, num, random);
	if (packed)
		make_packed(data + descs, num, num, random);
	direct(data + descs, num, packed, net & NET_SENDS, random);
	if (packed) {
		for (u32 i = 0; i < sizeof(*p.driver); i++)
			data[at++] = random();
	} else {
		for (u32 i = 0; i <= num; i++, at += 2) {
			data[at] = i % num;
			data[at + 1] = random() % 64 ? 0 : random();
		}
	}
	descs = at;
	at += make_descs(data + at, 16, random);
	if (packed)
		make_packed(data + descs, 16, num, random);
	direct(data + descs, 16, packed, net & NET_SENDS, random);
	return at;
}
