// SPDX-License-Identifier: GPL-2.0
/* ops_config - operations that configure a device, start and stop its queues */
#include <linux/vhost.h>
#include <linux/vhost_doorbell.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

#define BIT(n)	(1ULL << (n))

/* @a[1] of a set-up: steps that are done */
enum {
	SETUP_OWNER	= 0x01,
	SETUP_BACKEND	= 0x02,
	SETUP_QUEUES	= 0x04,
	SETUP_RUN	= 0x08,
	SETUP_NET	= 0x10,
	SETUP_LOG	= 0x20,
	SETUP_INFLIGHT	= 0x40,
	SETUP_KILL	= 0x80,		/* the child that does it is killed */
};

void op_owner(struct run *run, const uint8_t *a)
{
	ops_call(ops_device(run, a), VHOST_SET_OWNER, NULL, a);
}

void op_blk(struct run *run, const uint8_t *a)
{
	static const uint32_t seg_max[] = { 0, 0, 0, 1, 2, 14, 126, 1022 };
	static const uint32_t size_max[] = { 0, 0, 0, 4096, 8192, 65536, 131072, 1 << 24 };
	static const uint32_t blk_size[] = { 0, 0, 0, 0, 512, 1024, 4096, 8192 };
	struct vhost_doorbell_blk blk = {
		.fd = ops_fd(world.disk[a[5] % world.num_disks], a[11]),
		.flags = a[6] | (a[7] & 1) << 8,
		.num_queues = a[10] % QUEUES + 1,
		.seg_max = seg_max[a[7] >> 1 & 7],
		.size_max = size_max[a[8] & 7],
		.blk_size = blk_size[a[8] >> 3 & 7],
		.serial = "kfuzz",
	};

	/* A valid call has few flags, and those that fit the disk. */
	if (a[9] & 1)
		blk.flags &= VHOST_DOORBELL_BLK_F_NOWAIT | VHOST_DOORBELL_BLK_F_CONFIG_WCE;
	else if (a[9] & 2)
		blk.flags &= ~(VHOST_DOORBELL_BLK_F_READ_ONLY | VHOST_DOORBELL_BLK_F_ZONED);
	if (a[9] & 0x18 && world.is_zoned[a[5] % world.num_disks])
		blk.flags |= VHOST_DOORBELL_BLK_F_ZONED;
	if (blk.flags & VHOST_DOORBELL_BLK_F_LIFETIME)
		blk.pre_eol_info = a[9] >> 6;
	if (a[9] & 4)
		blk.flags |= VHOST_DOORBELL_BLK_F_HOLD_NOSPC;
	/* So small that many requests are served in slices */
	if (a[8] >= 0xc0) {
		blk.seg_max = 2;
		blk.size_max = 4096;
	}
	if (!ops_call(ops_device(run, a), VHOST_DOORBELL_SET_BLK, &blk, a))
		ops_device(run, a)->is_net = false;
}

void op_net(struct run *run, const uint8_t *a)
{
	static const uint32_t mtu[] = { 0, 1500, 68, 65535, 67 };
	struct vhost_doorbell_net net = {
		.num_pairs = a[10] % 2 + 1, .mtu = mtu[a[9] % 5],
	};

	if (!ops_call(ops_device(run, a), VHOST_DOORBELL_SET_NET, &net, a))
		ops_device(run, a)->is_net = true;
}

void op_port(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_net_port port = {
		.pair = a[10] & 1 ? 0 : a[10] % 3, .fd = ops_fd(world.tap, a[11]),
	};

	ops_call(ops_device(run, a), VHOST_DOORBELL_SET_NET_PORT, &port, a);
}

void op_netdev(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_net_dev dev = { .name = "bell%d" };
	struct device *d = ops_device(run, a);
	struct ifreq req = { .ifr_flags = IFF_UP };

	if (a[9] & 1)
		dev.mac[0] = a[10];
	if (ops_call(d, VHOST_DOORBELL_SET_NET_DEV, &dev, a))
		return;
	d->ifindex = dev.ifindex;
	memcpy(req.ifr_name, dev.name, sizeof(req.ifr_name));
	if (a[9] & 0xfe)
		ioctl(world.packet, SIOCSIFFLAGS, &req);
}

void op_features(struct run *run, const uint8_t *a)
{
	struct device *d = ops_device(run, a);
	uint64_t all = 0, some, mask;

	if (ops_call(d, VHOST_GET_FEATURES, &all, a))
		return;
	some = (uint64_t)a[3] << 56 | (uint64_t)a[4] << 48 | a[5] << 24 | a[6] << 16 |
	       a[7] << 8 | a[8];
	mask = BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER);
	switch (a[2] & 15) {
	case 0:
		all = 0;
		break;
	case 1:
		all &= BIT(VIRTIO_F_VERSION_1);
		break;
	case 2:
		all &= BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED);
		break;
	case 3:
		all &= BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |
		       BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_F_RING_PACKED);
		break;
	case 4:
		all &= ~BIT(VIRTIO_F_IN_ORDER);
		break;
	case 5:
		all &= ~BIT(VIRTIO_F_RING_PACKED);
		break;
	case 6:
	case 7:
		all &= some | BIT(VIRTIO_F_VERSION_1);
		break;
	case 8:
		all = some;
		break;
	case 9:
		break;
	case 10:
		all &= ~(mask | BIT(VIRTIO_RING_F_EVENT_IDX));
		break;
	case 11:
		all &= ~(mask | BIT(VIRTIO_BLK_F_FLUSH));
		break;
	default:
		all &= ~mask;
	}
	if (ops_call(d, VHOST_SET_FEATURES, &all, a))
		return;
	for (unsigned int q = 0; q < QUEUES; q++)
		d->queue[q].packed = all & BIT(VIRTIO_F_RING_PACKED);
}

/* --- memory --- */

struct table {
	struct vhost_memory		head;
	struct vhost_memory_region	region[64];
};

static void add_region(struct table *t, uint64_t from, uint64_t len)
{
	t->region[t->head.nregions++] = (struct vhost_memory_region){
		.guest_phys_addr = GPA + from, .memory_size = len,
		.userspace_addr = MEM + from,
	};
}

static void make_table(struct table *t, const uint8_t *a)
{
	unsigned int i;

	*t = (struct table){};
	switch (a[9] >> 3 & 7) {
	case 0:
		add_region(t, 0, MEM_LEN / 2);
		add_region(t, MEM_LEN / 2, MEM_LEN / 2);
		break;
	case 1:
		add_region(t, MEM_LEN / 4, MEM_LEN / 2);
		add_region(t, 0, MEM_LEN / 4 - 4096);
		break;
	case 2:
		for (i = 0; i < 64; i++)
			add_region(t, i * (MEM_LEN / 64), MEM_LEN / 64);
		break;
	case 3:
		add_region(t, 0, AT_DATA + (a[9] & 7) * 4096);
		break;
	default:
		add_region(t, 0, MEM_LEN);
	}
	if (t->head.nregions && !(a[11] & 0x1f)) {
		uint64_t *field = (uint64_t *)&t->region[a[10] % t->head.nregions];

		field[a[13] % 4] = ring_odd_number(a[14]);
	}
	if ((a[11] & 0x3f) == 0x21)
		t->head.nregions = ring_odd_number(a[14]);
}

void op_memory(struct run *run, const uint8_t *a)
{
	struct table t;

	make_table(&t, a);
	ops_call(ops_device(run, a), VHOST_SET_MEM_TABLE, &t, a);
}

void op_adopt(struct run *run, const uint8_t *a)
{
	struct table t;

	make_table(&t, a);
	ops_call(ops_device(run, a), VHOST_DOORBELL_ADOPT, &t, a);
}

void op_log(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_log log = { .user_addr = MEM + AT_LOG, .size = LOG_LEN };

	if (a[9] % 8 == 0)
		log = (struct vhost_doorbell_log){};
	if (a[9] % 8 == 1)
		log.size = ring_odd_number(a[10]);
	if (a[9] % 8 == 2)
		log.user_addr = ring_odd_number(a[10]);
	ops_call(ops_device(run, a), VHOST_DOORBELL_SET_LOG, &log, a);
}

/* --- queues --- */

void op_num(struct run *run, const uint8_t *a)
{
	static const uint32_t nums[] = { 16, 1, 2, 4, 8, 64, 128, 256 };
	struct queue *q = ops_queue(run, a);
	struct vhost_vring_state s = { .index = q->index, .num = nums[a[3] % 8] };

	if (a[3] & 0x80)
		s.num = a[3] & 0x40 ? s.num * 3 / 4 + 1 : ring_odd_number(a[4]);
	if (!ops_call(ops_device(run, a), VHOST_SET_VRING_NUM, &s, a))
		q->num = s.num < MAX_NUM ? s.num : MAX_NUM;
}

void op_base(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);
	struct vhost_vring_state s = { .index = q->index };

	if (a[3] & 1) {
		ops_call(ops_device(run, a), VHOST_GET_VRING_BASE, &s, a);
		return;
	}
	if (a[3] & 2)
		ring_reset(q, a[3] & 4 ? 65530 : 0);
	s.num = a[3] & 0x80 ? ring_odd_number(a[4]) : ring_base(q);
	ops_call(ops_device(run, a), VHOST_SET_VRING_BASE, &s, a);
}

void op_addr(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);
	uint64_t at = MEM + RING(q->dev, q->index);
	struct vhost_vring_addr addr = {
		.index = q->index, .desc_user_addr = at,
		.avail_user_addr = at + AT_AVAIL, .used_user_addr = at + AT_USED,
	};

	if (a[3] >= 0xf0)
		(&addr.desc_user_addr)[a[4] % 3] = ring_odd_number(a[5]);
	else if (a[3] >= 0xe0)
		(&addr.desc_user_addr)[a[4] % 3] = at + 16 * a[5];
	ops_call(ops_device(run, a), VHOST_SET_VRING_ADDR, &addr, a);
}

void op_file(struct run *run, const uint8_t *a)
{
	static const unsigned long cmds[] = {
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
	};
	struct queue *q = ops_queue(run, a);
	const int fds[] = { q->kick, q->call, q->err };
	struct vhost_vring_file file = {
		.index = q->index, .fd = ops_fd(fds[a[3] % 3], a[4]),
	};

	/* Sometimes the eventfd of another queue, so that one rings another */
	if (a[5] < 16)
		file.fd = run->dev[a[5] % DEVS].queue[a[5] >> 2].kick;
	ops_call(ops_device(run, a), cmds[a[3] % 3], &file, a);
}

void op_inflight(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);
	uint64_t at = RING(q->dev, q->index) + AT_INFLIGHT;
	struct vhost_doorbell_inflight arg = {
		.index = q->index, .user_addr = MEM + at, .size = INFLIGHT_LEN,
	};
	/* Both layouts begin with features, version, size. */
	uint16_t *head = (void *)(world.mem + at);

	if (a[3] % 8 == 0)
		arg.size = a[4] * 16;
	if (a[3] % 8 == 1)
		arg = (struct vhost_doorbell_inflight){ .index = q->index };
	memset(world.mem + at, 0, INFLIGHT_LEN);
	if (a[4] & 1) {
		head[4] = a[4] & 6 ? 1 : a[5];
		head[5] = q->num;
		/* Some chains in flight; heads of a split ring are at each 16 bytes. */
		for (unsigned int i = 0; i < 8; i++) {
			world.mem[at + (q->packed ? 32 : 16) * (i + 1)] = a[5] >> i & 1;
			world.mem[at + (q->packed ? 32 : 16) * (i + 1) + 8] = a[6] ^ i;
		}
		if (q->packed) {
			head[8] = head[9] = q->next;
			head[10] = q->wrap ? 0x0101 : 0;
		} else {
			head[7] = a[4] & 8 ? a[7] : ring_base(q);
		}
		if (a[9] & 0x80)
			head[6 + a[8]] = ring_odd_number(a[10]);
	}
	ops_call(ops_device(run, a), VHOST_DOORBELL_SET_INFLIGHT, &arg, a);
}

void op_run(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);
	struct vhost_doorbell_run arg = {
		.index = q->index, .run = a[3] & 1,
		.flags = (a[3] & 7) == 2 ? VHOST_DOORBELL_RUN_F_END_HELD : 0,
	};
	int ret = ops_call(ops_device(run, a), VHOST_DOORBELL_SET_RUN, &arg, a);

	if (!ret && arg.run)
		run->outcome.started++;
}

void op_exec(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_exec exec = { .mode = a[4] & 3 };

	if (a[4] & 4)
		exec.inline_max = a[3];
	if (a[4] & 8)
		exec.budget = a[5] % 4 + 1;
	if (a[4] & 16) {
		exec.poll_us = a[6] * 40;
		exec.poll_share = a[7] % 128;
	}
	if (a[4] & 32) {
		exec.coalesce_us = a[8] * 40;
		exec.coalesce_count = a[9];
	}
	ops_call(ops_device(run, a), VHOST_DOORBELL_SET_EXEC, &exec, a);
}

void op_config(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_config config = {
		.offset = offsetof(struct virtio_blk_config, wce), .size = 1,
		.data = { a[3] & 1 },
	};

	if (a[4] & 1) {
		config.offset = a[5];
		config.size = a[6];
		config.data[0] = a[7];
	}
	ops_call(ops_device(run, a), VHOST_DOORBELL_SET_CONFIG, &config, a);
}

void op_claim(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_claim claim = {
		.fd = ops_fd(world.disk[a[5] % world.num_disks], a[6]),
	};

	ops_call(ops_device(run, a), VHOST_DOORBELL_SET_CLAIM, &claim, a);
}

/* --- all of it --- */

static void setup_queue(struct run *run, uint8_t *b, const uint8_t *a)
{
	struct queue *q = ops_queue(run, b);

	b[3] = a[3] & 0x80 && !q->packed ? a[3] & 7 : a[3];
	op_num(run, b);
	ring_reset(q, a[8] & 0x40 ? 65530 : 0);
	b[3] = 0;
	op_base(run, b);
	op_addr(run, b);
	b[4] = b[5] = 0xff;
	for (b[3] = 0; b[3] < 3; b[3]++)
		op_file(run, b);
	if (a[1] & SETUP_INFLIGHT) {
		memcpy(b + 3, a + 3, 6);
		b[3] = 7;
		op_inflight(run, b);
	}
	if (a[1] & SETUP_RUN) {
		b[3] = 1;
		op_run(run, b);
	}
}

/* The program's arguments for the parts, each unchanged unless @a[12] says otherwise */
void op_setup(struct run *run, const uint8_t *a)
{
	unsigned int n = a[10] < 160 ? 1 : a[10] % QUEUES + 1;
	uint8_t b[15];

	memcpy(b, a, sizeof(b));
	b[11] = 0xff;
	if (a[1] & SETUP_OWNER)
		op_owner(run, a);
	if (a[1] & SETUP_BACKEND) {
		if (a[1] & SETUP_NET) {
			op_net(run, b);
			(a[11] & 3 ? op_port : op_netdev)(run, b);
			n = 2;
		} else {
			op_blk(run, b);
		}
	}
	if (a[1] & SETUP_QUEUES) {
		op_features(run, b);
		if (!(a[11] & 6))
			b[9] = a[8];
		else
			b[9] = 0xff;
		op_memory(run, b);
		op_exec(run, a);
		b[9] = 7;
		if (a[1] & SETUP_LOG)
			op_log(run, b);
	}
	for (unsigned int q = 0; a[1] & (SETUP_QUEUES | SETUP_RUN) && q < n; q++) {
		b[0] = (a[0] & 3) | q << 2;
		setup_queue(run, b, a);
	}
}

/*
 * Another process sets the device up, rings it, and ends: the device stays with an owner
 * that has died, and may be adopted.
 */
void op_setup_in_child(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);
	struct device *d = ops_device(run, a);
	pid_t child = fork();

	if (!child) {
		op_setup(run, a);
		for (unsigned int i = a[5] % 16; i; i--)
			eventfd_write(q->kick, 1);
		if (a[1] & SETUP_KILL)
			kill(getpid(), SIGKILL);
		_exit(0);
	}
	if (child < 0)
		return;
	waitpid(child, NULL, 0);
	d->is_net = a[1] & SETUP_NET;
	for (unsigned int i = 0; i < QUEUES; i++) {
		d->queue[i].num = 16;
		d->queue[i].packed = (a[2] & 15) == 2 || (a[2] & 15) == 3;
	}
	if (a[11] & 8)
		op_adopt(run, (uint8_t[15]){ a[0], [9] = 0xff, [11] = 0xff, [12] = 0xff });
}
