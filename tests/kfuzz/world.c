// SPDX-License-Identifier: GPL-2.0
/* world - what programs work with: guest memory, disks, a tap, descriptors */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/blkzoned.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kfuzz.h"

struct world world;

/* --- the racing thread --- */

static struct {
	pthread_mutex_t	lock;
	pthread_cond_t	cond;
	int		fd;
	size_t		offset;
	uint8_t		value;
	unsigned int	times;	/* 0: idle */
} race = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

/* Rings, if there is a descriptor, and flips a byte of guest memory, if it has a value. */
static void race_once(void)
{
	volatile uint8_t *byte = (void *)(world.mem + race.offset);
	uint8_t old = *byte;

	if (race.value)
		*byte = old ^ race.value;
	if (race.fd >= 0)
		eventfd_write(race.fd, 1);
	if (race.value)
		*byte = old;
}

static void *race_thread(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&race.lock);
	for (;;) {
		while (!race.times)
			pthread_cond_wait(&race.cond, &race.lock);
		for (unsigned int i = race.times; i; i--)
			race_once();
		race.times = 0;
		pthread_cond_broadcast(&race.cond);
	}
	return NULL;
}

void world_race(int fd, size_t offset, uint8_t value, unsigned int times)
{
	world_race_end();
	pthread_mutex_lock(&race.lock);
	race.fd = fd;
	race.offset = offset % MEM_LEN;
	race.value = value;
	race.times = times;
	pthread_cond_broadcast(&race.cond);
	pthread_mutex_unlock(&race.lock);
	sched_yield();
}

void world_race_end(void)
{
	pthread_mutex_lock(&race.lock);
	while (race.times)
		pthread_cond_wait(&race.cond, &race.lock);
	pthread_mutex_unlock(&race.lock);
}

/* --- networks --- */

/* A kernel without networks, or a user without rights, gets along with less coverage. */
static void init_tap(void)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int len = 12;

	world.packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	world.tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(req.ifr_name, "kfuzz%d");
	if (world.tap < 0 || ioctl(world.tap, TUNSETIFF, &req) ||
	    ioctl(world.tap, TUNSETVNETHDRSZ, &len)) {
		warn("no tap");
		return;
	}
	world.tap_index = if_nametoindex(req.ifr_name);
	req.ifr_flags = IFF_UP;
	ioctl(world.packet, SIOCSIFFLAGS, &req);
}

void world_inject(int index, unsigned int kind, size_t len)
{
	static uint8_t frame[65536];
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = ETH_ALEN,
	};
	static const uint16_t types[] = {
		ETHERTYPE_IP, ETHERTYPE_ARP, ETHERTYPE_VLAN, 0x88b5,
	};
	uint16_t type = htons(types[kind % 4]);

	memset(frame, kind & 0x80 ? 0 : 0xff, 6);
	memset(frame + 6, 2, 6);
	memcpy(frame + 12, &type, 2);
	if (world.packet >= 0)
		sendto(world.packet, frame, len < sizeof(frame) ? len : sizeof(frame),
		       MSG_DONTWAIT, (void *)&to, sizeof(to));
}

/* --- memory and files --- */

static bool is_huge;

void world_remap(void)
{
	if (mmap((void *)MEM, MEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 world.memfd, 0) != (void *)MEM)
		err(1, "guest memory");
	/* As far as the kernel has such pages for files in memory */
	madvise((void *)MEM, MEM_LEN, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void world_fill(void)
{
	const off_t step = 65536;
	off_t at = 0;

	/* By steps: a whole allocation that fails is undone. */
	while (world.filler >= 0 && at < 64 << 20 && !fallocate(world.filler, 0, at, step))
		at += step;
	while (world.filler >= 0 && !fallocate(world.filler, 0, at, 4096))
		at += 4096;
}

void world_empty(void)
{
	fallocate(world.tight, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MEM_LEN);
	if (world.filler >= 0 && ftruncate(world.filler, 0))
		err(1, "filler");
}

/* Open for writing, or for reading if that does not work */
static int open_disk(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void add_disk(int fd)
{
	uint32_t zone_size = 0;

	/* Of other disks, 0 sectors */
	world.is_zoned[world.num_disks] = !ioctl(fd, BLKGETZONESZ, &zone_size) && zone_size;
	world.disk[world.num_disks++] = fd;
}

/* Files twice, for direct I/O, too; the first disk also for reading only */
static void init_disks(char **disks, int n)
{
	const char *first = n ? *disks : NULL;
	struct stat st;
	int fd;

	for (; n && world.num_disks < 12; n--, disks++) {
		add_disk(open_disk(*disks));
		world.tight = world.disk[world.num_disks - 1];
		fd = stat(*disks, &st) || !S_ISREG(st.st_mode) ? -1 :
		     open(*disks, O_RDWR | O_DIRECT | O_CLOEXEC);
		if (fd >= 0)
			add_disk(fd);
	}
	fd = first ? open(first, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0)
		add_disk(fd);
	fd = memfd_create("disk", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 8 << 20))
		err(1, "disk in memory");
	add_disk(fd);
	/* A file for reading only */
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	add_disk(fd);
}

static void init_odd(void)
{
	int pair[2] = { -1, -1 };

	world.odd[0] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world.odd[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	world.odd[2] = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	world.odd[3] = open("/dev/null", O_RDWR | O_CLOEXEC);
	world.odd[4] = epoll_create1(EPOLL_CLOEXEC);
	if (pipe2(pair, O_CLOEXEC))
		err(1, "pipe");
	world.odd[5] = pair[0];
	world.not_open = 1000;
}

void world_init(char **disks, int n, const char *filler, bool huge)
{
	pthread_t thread;

	world.memfd = memfd_create("guest", MFD_CLOEXEC);
	if (world.memfd < 0 || ftruncate(world.memfd, MEM_LEN))
		err(1, "guest memory");
	world.mem = mmap(NULL, MEM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, world.memfd, 0);
	if (world.mem == MAP_FAILED)
		err(1, "guest memory");
	is_huge = huge;
	world_remap();
	world.tight = -1;
	init_disks(disks, n);
	world.filler = filler ? open(filler, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	world.tap = -1;
	world.packet = -1;
	init_tap();
	init_odd();
	if (pthread_create(&thread, NULL, race_thread, NULL))
		errx(1, "no thread");
}
