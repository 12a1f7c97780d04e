// SPDX-License-Identifier: GPL-2.0
/* ops_guest - operations of a driver in the guest, and of hosts that send it frames */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "ops.h"

static uint32_t piece_len(uint8_t choice)
{
	static const uint32_t lens[] = { 512, 4096, 1024, 512, 65536, 131072, 1, 511, 4095,
					 4097, 1 << 18, 60, 1514, 9000, 12, 16 };

	return lens[choice & 15];
}

static uint64_t piece_addr(uint8_t choice)
{
	/* Mostly whole sectors and pages; others cannot be used for direct I/O. */
	return GPA + AT_DATA + choice * (choice & 1 ? 0x8000UL : 0x8200UL) +
	       (choice % 16 == 14 ? 0x104 : 0);
}

static uint64_t disk_sector(const uint8_t *a, unsigned int which)
{
	/* The begin of a zone, see 10-kfuzz.sh, or its end */
	if ((a[9] & 6) == 6)
		return a[2] % 20 * 8192UL - (a[9] & 8);
	return a[2] & 0x80 ? ring_odd_number(a[2]) : a[2] * 8UL + which;
}

static unsigned int disk_chain(struct run *run, const struct queue *q, const uint8_t *a,
			       unsigned int which, struct piece *piece)
{
	/*
	 * By numbers, as older headers lack some: ..., GET_LIFETIME, SECURE_ERASE, ZONE_APPEND,
	 * _REPORT, _OPEN, _FINISH, _RESET, and an unknown type
	 */
	static const uint32_t types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT,
		VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD,
		VIRTIO_BLK_T_WRITE_ZEROES, 10, 14, 15, 16, 18, 22, 24, 99,
	};
	static const bool writes[16] = { [1] = true, [3] = true, [6] = true, [7] = true,
				       [9] = true, [10] = true };
	uint64_t at = RING(q->dev, q->index), hdr = AT_HDR + which % 32 * 48;
	struct virtio_blk_outhdr *h = (void *)(world.mem + at + hdr);
	unsigned int n = 0, segs = a[3] & 7;
	uint8_t type = a[1] & 15;

	(void)run;
	if (type == 4 || type >= 12)
		segs = a[3] & 0x80 ? 1 : 0;
	else if (!segs)
		segs = 1;
	*h = (struct virtio_blk_outhdr){
		.type = types[type], .sector = disk_sector(a, which),
	};
	piece[n++] = (struct piece){ GPA + at + hdr, sizeof(*h), false };
	/* The header in two pieces, as a driver without ANY_LAYOUT would not send it */
	if (a[3] & 0x40) {
		piece[0].len = 8;
		piece[n++] = (struct piece){ GPA + at + hdr + 8, 8, false };
	}
	if (type == 6 || type == 7 || type == 9) {
		struct virtio_blk_discard_write_zeroes *range = (void *)(h + 1);

		*range = (struct virtio_blk_discard_write_zeroes){
			.sector = h->sector,
			.num_sectors = a[4] & 0x80 ? ring_odd_number(a[4]) : a[4],
			.flags = a[9] & 1,
		};
		piece[n++] = (struct piece){ GPA + at + hdr + 16, 16, false };
		segs = 0;
	}
	for (unsigned int i = 0; i < segs; i++)
		piece[n++] = (struct piece){
			piece_addr(a[5] + i * 8), piece_len(a[4] + i * (a[9] & 1)),
			!writes[type],
		};
	piece[n++] = (struct piece){ GPA + at + AT_STATUS + which % 64, type == 10 ? 9 : 1,
				     true };
	return n;
}

static unsigned int net_chain(const struct queue *q, const uint8_t *a, unsigned int which,
			      struct piece *piece)
{
	static const uint8_t gso[] = { 0, 0, 0, VIRTIO_NET_HDR_GSO_TCPV4,
				       VIRTIO_NET_HDR_GSO_UDP, VIRTIO_NET_HDR_GSO_TCPV6,
				       VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 99 };
	uint64_t at = RING(q->dev, q->index), hdr = AT_HDR + which % 32 * 48;
	struct virtio_net_hdr_v1 *h = (void *)(world.mem + at + hdr);
	uint8_t *frame = (uint8_t *)world.mem + (piece_addr(a[5]) - GPA);
	unsigned int n = 0, segs = (a[3] & 3) + 1;
	bool in = !(q->index & 1);

	if (!in) {
		*h = (struct virtio_net_hdr_v1){
			.flags = a[1] >> 3 & 3, .gso_type = gso[a[1] & 7],
			.hdr_len = a[2] & 1 ? 54 : a[6], .gso_size = a[2] & 2 ? 1448 : a[7],
			.csum_start = a[2] & 4 ? 34 : a[8], .csum_offset = a[2] & 8 ? 16 : a[9],
			.num_buffers = a[2] & 16 ? a[9] : 0,
		};
		memset(frame, 0xff, 6);
		frame[12] = a[2] & 32 ? 0x86 : 0x08;
		frame[13] = a[2] & 32 ? 0xdd : 0x00;
		frame[14] = a[2] & 32 ? 0x60 : 0x45;
		frame[23] = 6;
	}
	if (!(a[3] & 0x40))
		piece[n++] = (struct piece){ GPA + at + hdr, a[3] & 0x20 ? 10 : 12, in };
	for (unsigned int i = 0; i < segs; i++)
		piece[n++] = (struct piece){
			piece_addr(a[5] + i * 8), piece_len(a[4] + i * (a[9] & 1)), in,
		};
	return n;
}

void op_request(struct run *run, const uint8_t *a)
{
	struct device *d = ops_device(run, a);
	struct queue *q = ops_queue(run, a);
	struct piece piece[MAX_PIECES];
	unsigned int n, times = a[8] & 0x10 ? (a[8] & 15) + 1 : 1;

	for (unsigned int i = 0; i < times && q->num; i++) {
		n = d->is_net ? net_chain(q, a, i, piece) : disk_chain(run, q, a, i, piece);
		ring_add(q, piece, n, a[6] & 1, a[6] & 0x38 ? 0 : 1 + a[6] / 2 % 3 * 2 + a[7] % 2,
			 a[7]);
		run->outcome.requests++;
	}
	if (a[6] & 2 || a[6] & 4)
		eventfd_write(q->kick, 1);
}

void op_kick(struct run *run, const uint8_t *a)
{
	eventfd_write(ops_queue(run, a)->kick, a[1] ? a[1] : 1);
}

void op_write(struct run *run, const uint8_t *a)
{
	static const uint64_t parts[] = { 0, 0, AT_AVAIL, AT_USED, AT_TABLE, AT_HDR,
					  AT_INFLIGHT, AT_TABLE };
	struct queue *q = ops_queue(run, a);
	uint64_t value = a[4] & 0x80 ? ring_odd_number(a[5]) :
					 a[5] | (uint64_t)a[6] << 8;
	size_t at = RING(q->dev, q->index) + parts[a[1] & 7] + a[2] * 2;

	memcpy(world.mem + at, &value, 1 << (a[4] & 3));
}

void op_race(struct run *run, const uint8_t *a)
{
	static const uint64_t parts[] = { 0, AT_AVAIL, AT_TABLE, AT_HDR };
	struct queue *q = ops_queue(run, a);

	world_race(a[1] & 1 ? q->kick : -1,
		   RING(q->dev, q->index) + parts[a[1] >> 1 & 3] + a[2], a[3], 1 + a[4] % 64);
}

void op_inject(struct run *run, const uint8_t *a)
{
	struct device *d = ops_device(run, a);

	for (unsigned int i = a[3] & 7; i < 8; i++)
		world_inject(d->ifindex ? d->ifindex : world.tap_index, a[1],
			     piece_len(a[2]));
}

/* Many rings, each with some requests; the auto mode decides from how they are served. */
void op_burst(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);
	uint8_t b[15];

	memcpy(b, a, sizeof(b));
	b[6] = (a[6] & 1) | 0x3a;	/* ring, and no tweak */
	b[8] = a[8] & 0x13;
	b[3] = (a[3] & 0xf0) | 1;
	for (unsigned int i = a[10] < 0xc0 ? a[10] % 16 : 100; i; i--) {
		op_request(run, b);
		for (unsigned int k = 0; k < 8 && !ring_is_done(q); k++)
			sched_yield();
	}
}

void op_ethtool(struct run *run, const uint8_t *a)
{
	struct device *d = ops_device(run, a);
	/* Room for the strings of all pairs, see ETHTOOL_GSTRINGS */
	uint32_t arg[4096] = {
		(uint32_t[]){ ETHTOOL_GDRVINFO, ETHTOOL_GSSET_INFO, ETHTOOL_GSTRINGS,
			      ETHTOOL_GSTATS, ETHTOOL_GLINK, ETHTOOL_GCHANNELS,
			      ETHTOOL_GLINKSETTINGS, ETHTOOL_GFEATURES }[a[1] & 7],
		a[2] & 3 ? ETH_SS_STATS : a[3], a[2] & 4 ? ETH_SS_STATS : 1 << ETH_SS_STATS,
	};
	struct ifreq req = { .ifr_data = (void *)arg };

	if (if_indextoname(d->ifindex ? d->ifindex : world.tap_index, req.ifr_name))
		ioctl(world.packet, SIOCETHTOOL, &req);
}

void op_wait(struct run *run, const uint8_t *a)
{
	static unsigned int calls;
	struct queue *q = ops_queue(run, a);

	/* Requests that are held for lack of room are tried again after a second. */
	if (run->filled && a[2] == 0xff && (++calls < world.long_waits || calls % 64 == 0))
		poll(NULL, 0, 1100);

	for (unsigned int i = 0; i < 1U + a[1] % 64 && !ring_is_done(q); i++)
		sched_yield();
	if (a[2] & 1)
		poll(&(struct pollfd){ .fd = q->call, .events = POLLIN }, 1, a[2] & 3);
}
