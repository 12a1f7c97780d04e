// SPDX-License-Identifier: GPL-2.0
/* ops - run a program: its operations one after the other, and then everything is closed */
#include <err.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vhost_doorbell.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
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

void ops_read_fdinfo(int fd)
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
		ops_read_fdinfo(d->fd);
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

	switch (a[1] & 3) {
	case 0:
		if (ftruncate(fd, a[2] & 1 ? 8 << 20 : a[2] * 512))
			break;
		break;
	case 1:
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, a[2] * 4096UL, 65536);
		break;
	case 2:
		world_fill();
		run->filled = true;
		break;
	default:
		world_empty();
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
	{ "burst", 1, op_burst },
	{ "ethtool", 1, op_ethtool },
	{ "wait", 4, op_wait },
	{ "tear", 2, op_tear },
	{ "disk", 1, op_disk },
	{ "bell", 3, op_bell },
	/* Not picked: what is done at the end of each program */
	{ "end", 0, NULL },
};

#define OP_END	(ARRAY_SIZE(ops) - 1)

/* Shared by all jobs */
static struct spent {
	uint64_t calls;
	uint64_t ns;
} *spent;

void ops_init(void)
{
	spent = mmap(NULL, sizeof(*spent) * ARRAY_SIZE(ops), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (spent == MAP_FAILED)
		err(1, "memory");
}

const char *ops_name(uint8_t op)
{
	return ops[op % OP_END].name;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static uint64_t spend(unsigned int op, uint64_t since)
{
	uint64_t now = now_ns();

	__atomic_fetch_add(&spent[op].calls, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&spent[op].ns, now - since, __ATOMIC_RELAXED);
	return now;
}

void ops_report(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		printf("# %-16s %8llu calls %8llu ms, %8.3f ms each\n", ops[i].name,
		       (unsigned long long)spent[i].calls,
		       (unsigned long long)spent[i].ns / 1000000,
		       spent[i].ns / 1e6 / (spent[i].calls ?: 1));
}

uint8_t ops_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < OP_END && strcmp(ops[i].name, name); i++)
		;
	return i;
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
	uint64_t time = now_ns();
	struct run run;

	init_run(&run);
	for (uint32_t i = 0; i < p->n; i++) {
		unsigned int op = p->rec[i].op % OP_END;

		ops[op].run(&run, p->rec[i].arg);
		time = spend(op, time);
	}
	world_race_end();
	for (uint8_t d = 0; d < DEVS; d++)
		op_close(&run, &d);
	if (run.bell >= 0)
		close(run.bell);
	if (run.torn)
		world_remap();
	if (run.filled)
		world_empty();
	spend(OP_END, time);
	return run.outcome;
}
