// SPDX-License-Identifier: GPL-2.0
/* ops - run a program: its operations one after the other, and then everything is closed */
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vhost_doorbell.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

struct device *ops_device(struct run *run, const uint8_t *a)
{
	struct device *d = &run->dev[a[0] % 4 % DEVS];

	if (d->fd < 0)
		d->fd = open("/dev/vhost-doorbell", O_RDWR | O_CLOEXEC);
	return d;
}

struct queue *ops_queue(struct run *run, const uint8_t *a)
{
	return &run->dev[a[0] % 4 % DEVS].queue[a[0] >> 2 & 3];
}

int ops_call(struct device *d, unsigned long cmd, void *arg, const uint8_t *a)
{
	static const uint8_t width[] = { 1, 2, 4, 8 };
	uint64_t value = ring_odd_number(a[14]);
	size_t size = _IOC_SIZE(cmd);

	/* Few calls have another argument than the operation made. */
	if (arg && a[12] < 32 && size) {
		size_t at = a[13] * width[a[12] & 3] % size;

		if (at + width[a[12] & 3] <= size)
			memcpy((char *)arg + at, &value, width[a[12] & 3]);
	} else if (a[12] == 32) {
		arg = (void *)value;
	}
	return ioctl(d->fd, cmd, arg);
}

int ops_fd(int right, uint8_t choice)
{
	if (choice >= 16)
		return right;
	if (choice < ARRAY_SIZE(world.odd))
		return world.odd[choice];
	if (choice < 8)
		return -1;
	if (choice < 10)
		return world.not_open;
	if (choice < 12)
		return world.memfd;
	if (choice < 14)
		return -2;
	return right;
}

static void op_open(struct run *run, const uint8_t *a)
{
	ops_device(run, a);
}

static void op_close(struct run *run, const uint8_t *a)
{
	struct device *d = &run->dev[a[0] % 4 % DEVS];

	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->ifindex = 0;
}

/* --- reading --- */

static void read_fdinfo(int fd)
{
	char path[64], text[4096];
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	while (info >= 0 && read(info, text, sizeof(text)) > 0)
		;
	close(info);
}

static void op_get(struct run *run, const uint8_t *a)
{
	static const unsigned long cmds[] = {
		VHOST_DOORBELL_GET_INFO, VHOST_DOORBELL_GET_CONFIG, VHOST_DOORBELL_GET_EXEC,
		VHOST_DOORBELL_GET_STATS, VHOST_DOORBELL_GET_MEM_STATS,
		VHOST_DOORBELL_GET_NET_STATS, VHOST_DOORBELL_GET_HIST,
		VHOST_DOORBELL_GET_ERRORS, VHOST_DOORBELL_RESIZE, VHOST_GET_VRING_BASE,
	};
	struct device *d = ops_device(run, a);
	uint32_t arg[512] = { a[3] & 0x80 ? ring_odd_number(a[3]) : a[3] % 4, a[4] % 8 };

	if (a[1] % 16 < ARRAY_SIZE(cmds))
		ops_call(d, cmds[a[1] % 16], arg, a);
	else
		read_fdinfo(d->fd);
}

static void op_raw(struct run *run, const uint8_t *a)
{
	static const uint8_t magic[] = { 0xBE, 0xBE, 0xBE, 0xAF, 0x54 };
	uint8_t arg[4096];

	for (size_t i = 0; i < sizeof(arg); i++)
		arg[i] = a[5] & 1 ? a[6 + i % 8] : 0;
	ioctl(ops_device(run, a)->fd,
	      _IOC(a[1] & 3U, magic[a[2] % 5], a[3], a[1] >> 2 | (a[4] & 15) << 6),
	      a[5] & 2 ? (void *)ring_odd_number(a[7]) : arg);
}

/* --- the guest --- */

static uint32_t piece_len(uint8_t choice)
{
	static const uint32_t lens[] = { 512, 4096, 1024, 512, 65536, 131072, 1, 511, 4095,
					 4097, 1 << 20, 60, 1514, 9000, 12, 16 };

	return lens[choice & 15];
}

static uint64_t piece_addr(uint8_t choice)
{
	/* Mostly whole sectors and pages */
	return GPA + AT_DATA + choice * (choice & 1 ? 0x8000UL : 0x8200UL);
}

static unsigned int disk_chain(struct run *run, const struct queue *q, const uint8_t *a,
			       unsigned int which, struct piece *piece)
{
	/*
	 * By numbers, as older headers lack some: ..., GET_LIFETIME, SECURE_ERASE, ZONE_APPEND,
	 * _REPORT, _OPEN, _FINISH, _RESET, and one that nobody knows
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
		.type = types[type],
		.sector = a[2] & 0x80 ? ring_odd_number(a[2]) : a[2] * 8UL + which,
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

static void op_request(struct run *run, const uint8_t *a)
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

static void op_kick(struct run *run, const uint8_t *a)
{
	eventfd_write(ops_queue(run, a)->kick, a[1] ? a[1] : 1);
}

static void op_write(struct run *run, const uint8_t *a)
{
	static const uint64_t parts[] = { 0, 0, AT_AVAIL, AT_USED, AT_TABLE, AT_HDR,
					  AT_INFLIGHT, AT_TABLE };
	struct queue *q = ops_queue(run, a);
	uint64_t value = a[4] & 0x80 ? ring_odd_number(a[5]) :
					 a[5] | (uint64_t)a[6] << 8;
	size_t at = RING(q->dev, q->index) + parts[a[1] & 7] + a[2] * 2;

	memcpy(world.mem + at, &value, 1 << (a[4] & 3));
}

static void op_race(struct run *run, const uint8_t *a)
{
	static const uint64_t parts[] = { 0, AT_AVAIL, AT_TABLE, AT_HDR };
	struct queue *q = ops_queue(run, a);

	world_race(a[1] & 1 ? q->kick : -1,
		   RING(q->dev, q->index) + parts[a[1] >> 1 & 3] + a[2], a[3], 1 + a[4] % 64);
}

static void op_inject(struct run *run, const uint8_t *a)
{
	struct device *d = ops_device(run, a);

	for (unsigned int i = a[3] & 7; i < 8; i++)
		world_inject(d->ifindex ? d->ifindex : world.tap_index, a[1],
			     piece_len(a[2]));
}

static void op_wait(struct run *run, const uint8_t *a)
{
	struct queue *q = ops_queue(run, a);

	for (unsigned int i = 0; i < 1U + a[1] % 64 && !ring_is_done(q); i++)
		sched_yield();
	if (a[2] & 1)
		poll(&(struct pollfd){ .fd = q->call, .events = POLLIN }, 1, a[2] & 3);
}

/* --- memory and disks change --- */

static void op_tear(struct run *run, const uint8_t *a)
{
	size_t at = (a[2] | a[3] << 8) * 4096UL % MEM_LEN, len = (a[4] % 64 + 1) * 4096UL;
	void *addr = (void *)(MEM + at);

	if (len > MEM_LEN - at)
		len = MEM_LEN - at;
	run->torn = true;
	switch (a[1] & 7) {
	case 0:
		munmap(addr, len);
		break;
	case 1:
		mprotect(addr, len, PROT_NONE);
		break;
	case 2:
		mprotect(addr, len, PROT_READ);
		break;
	case 3:
		fallocate(world.memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len);
		break;
	case 4:
		mmap(addr, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		     -1, 0);
		break;
	case 5:
		world_remap();
		break;
	default:
		madvise(addr, len, MADV_DONTNEED);
	}
}

static void op_disk(struct run *run, const uint8_t *a)
{
	int fd = world.disk[world.num_disks - 2];

	(void)run;
	switch (a[1] & 3) {
	case 0:
		if (ftruncate(fd, a[2] & 1 ? 8 << 20 : a[2] * 512))
			break;
		break;
	case 1:
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, a[2] * 4096UL, 65536);
		break;
	case 2:
		fallocate(world.filler, 0, 0, 64 << 20);
		break;
	default:
		if (ftruncate(world.filler, 0))
			break;
	}
}

/* --- programs --- */

static const struct op {
	const char *name;
	unsigned int weight;
	void (*run)(struct run *run, const uint8_t *a);
} ops[] = {
	{ "setup", 4, op_setup },
	{ "setup-in-child", 1, op_setup_in_child },
	{ "open", 1, op_open },
	{ "close", 1, op_close },
	{ "owner", 1, op_owner },
	{ "features", 1, op_features },
	{ "memory", 2, op_memory },
	{ "adopt", 1, op_adopt },
	{ "num", 1, op_num },
	{ "base", 1, op_base },
	{ "addr", 1, op_addr },
	{ "file", 2, op_file },
	{ "blk", 1, op_blk },
	{ "net", 1, op_net },
	{ "port", 1, op_port },
	{ "netdev", 1, op_netdev },
	{ "exec", 2, op_exec },
	{ "run", 3, op_run },
	{ "config", 1, op_config },
	{ "log", 1, op_log },
	{ "claim", 1, op_claim },
	{ "inflight", 1, op_inflight },
	{ "get", 3, op_get },
	{ "raw", 1, op_raw },
	{ "request", 16, op_request },
	{ "kick", 4, op_kick },
	{ "write", 4, op_write },
	{ "race", 2, op_race },
	{ "inject", 2, op_inject },
	{ "wait", 4, op_wait },
	{ "tear", 2, op_tear },
	{ "disk", 1, op_disk },
	{ "bell", 3, op_bell },
};

const unsigned int ops_number = ARRAY_SIZE(ops);

const char *ops_name(uint8_t op)
{
	return ops[op % ARRAY_SIZE(ops)].name;
}

uint8_t ops_setup(void)
{
	return 0;
}

uint8_t ops_pick(uint64_t random)
{
	unsigned int all = 0, i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		all += ops[i].weight;
	random %= all;
	for (i = 0; random >= ops[i].weight; i++)
		random -= ops[i].weight;
	return i;
}

static int new_eventfd(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* The eventfds are made once; a program finds them without a count. */
static void init_run(struct run *run)
{
	static int fds[DEVS][QUEUES][3];
	eventfd_t count;

	*run = (struct run){ .bell = -1 };
	for (unsigned int d = 0; d < DEVS; d++) {
		run->dev[d].fd = -1;
		for (unsigned int q = 0; q < QUEUES; q++) {
			int *fd = fds[d][q];

			for (int i = 0; i < 3; i++) {
				if (!fd[i])
					fd[i] = new_eventfd();
				eventfd_read(fd[i], &count);
			}
			run->dev[d].queue[q] = (struct queue){
				.dev = d, .index = q, .wrap = true,
				.kick = fd[0], .call = fd[1], .err = fd[2],
			};
		}
	}
}

struct outcome ops_run(const struct program *p)
{
	struct run run;

	init_run(&run);
	for (uint32_t i = 0; i < p->n; i++)
		ops[p->rec[i].op % ARRAY_SIZE(ops)].run(&run, p->rec[i].arg);
	world_race_end();
	for (uint8_t d = 0; d < DEVS; d++)
		op_close(&run, &d);
	if (run.bell >= 0)
		close(run.bell);
	if (run.torn)
		world_remap();
	return run.outcome;
}
