// SPDX-License-Identifier: GPL-2.0
/*
 * races DISK CYCLES SEED - ioctls at random against queues under load, and the end of their
 * process at any moment
 *
 * Each cycle is a process with a device and two queues on the block device or file DISK. A
 * thread for each queue sends requests, while a third makes random calls: memory tables,
 * modes, stops and starts, eventfds, holes in guest memory. Then the process is killed, or
 * exits, or closes the device, at a random time.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "driver.h"

/* A second region, behind the first one */
#define MORE		(MEM + 2 * MEM_LEN)
#define MORE_LEN	(4UL << 20)
#define CHECK_EVERY	10

static int dev;
static unsigned long calls, refused, served;
static bool over;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)random() % n;
}

/* A queue that does not run keeps its request until it does. */
static void *load(void *arg)
{
	unsigned int q = (unsigned long)arg;
	unsigned int seed = q + 1;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		__u32 type = rand_r(&seed) % 2 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;

		driver_add_at(q, type, 8 * (rand_r(&seed) % 64), GPA, DATA(q),
			      512U << rand_r(&seed) % 5);
		do
			eventfd_write(FD_KICK + q, 1);
		while (!driver_done(q) && !__atomic_load_n(&over, __ATOMIC_ACQUIRE));
		__atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int change_table(void)
{
	if (pick(2))
		return ioctl(dev, VHOST_SET_MEM_TABLE, driver_table());
	return ioctl(dev, VHOST_SET_MEM_TABLE,
		     driver_table_with(GPA + MEM_LEN, MORE_LEN, MORE));
}

static int change_kick(unsigned int q)
{
	int ret = set_file(dev, VHOST_SET_VRING_KICK, q, -1);

	return set_file(dev, VHOST_SET_VRING_KICK, q, FD_KICK + q) ? -1 : ret;
}

static int punch(unsigned int q)
{
	return fallocate(FD_MEM, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, DATA(q), PAGE);
}

static int get(unsigned int q)
{
	struct vhost_vring_state base = { .index = q };
	struct vhost_doorbell_mem_stats mem = { 0 };
	__u64 size;

	switch (pick(4)) {
	case 0:
		return ioctl(dev, VHOST_GET_VRING_BASE, &base);
	case 1:
		return ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &mem);
	case 2:
		return ioctl(dev, VHOST_DOORBELL_RESIZE, &size);
	default:
		get_stats(dev, q);
		return 0;
	}
}

static int act(void)
{
	unsigned int q = pick(QUEUES);

	switch (pick(10)) {
	case 0:
	case 1:
		return change_table();
	case 2:
	case 3:
		return set_mode(dev, pick(VHOST_DOORBELL_MODE_POLL + 1));
	case 4:
		return set_run(dev, q, 0);
	case 5:
		return set_run(dev, q, 1);
	case 6:
		return set_file(dev, VHOST_SET_VRING_CALL, q, pick(2) ? -1 : (int)(FD_CALL + q));
	case 7:
		return change_kick(q);
	case 8:
		return punch(q);
	default:
		return get(q);
	}
}

/* Reports to the parent what was done, in case it is not killed. */
static void child(unsigned int seed, int report)
{
	unsigned int i, num, end;
	pthread_t thread;
	unsigned long q;

	srandom(seed);
	num = pick(60);
	end = pick(3);
	dev = dev_new(RUNNING);
	for (q = 0; q < QUEUES; q++)
		MUST(!pthread_create(&thread, NULL, load, (void *)q));
	for (i = 0; i < num; i++) {
		calls++;
		refused += act() != 0;
		if (pick(4))
			nap();
	}
	MUST(write(report, (unsigned long[]){ calls, refused, served },
		   3 * sizeof(long)) > 0);
	/* Close it under load, or leave that to the exit. */
	if (end == 0)
		close(dev);
	if (end == 1)
		__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	_exit(0);
}

static bool ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}

static bool cycle(unsigned int seed, int report)
{
	pid_t pid = fork();

	MUST(pid >= 0);
	if (!pid)
		child(seed, report);
	usleep(pick(40000));
	if (pick(2))
		kill(pid, SIGKILL);
	return UNTIL(ended(pid));
}

static bool serves(void)
{
	int fd = dev_new(RUNNING);
	bool good = driver_works(0) && driver_works(1);

	close(fd);
	return good;
}

/* Takes the reports out of the pipe, so that it does not fill up. */
static void add_reports(int report, unsigned long *sum)
{
	unsigned long one[3];
	int i;

	while (read(report, one, sizeof(one)) == sizeof(one)) {
		for (i = 0; i < 3; i++)
			sum[i] += one[i];
	}
}

int main(int argc, char **argv)
{
	unsigned long sum[3] = { 0 };
	unsigned int i, cycles, seed, bad = 0, dead = 0;
	int report[2];

	if (argc != 4)
		return 2;
	cycles = arg_number("CYCLES", argv[2], 1000000);
	seed = arg_number("SEED", argv[3], INT32_MAX);
	tap_begin(60 + cycles);
	srandom(seed);
	driver_init();
	fd_at(FD_DISK, open(argv[1], O_RDWR));
	MUST(mmap((void *)MORE, MORE_LEN, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)MORE);
	MUST(!pipe2(report, O_NONBLOCK));
	MUST(serves());
	for (i = 1; i <= cycles && !dead; i++) {
		dead += !cycle(seed + i, report[1]);
		add_reports(report[0], sum);
		if (i % CHECK_EVERY == 0 && !dead)
			bad += !serves();
	}
	diag("seed %u: %u cycles; not killed: %lu calls, %lu of them refused, %lu requests",
	     seed, i - 1, sum[0], sum[1], sum[2]);
	ok(!dead, "each process ends");
	ok(!bad, "a new device serves after every %d cycles", CHECK_EVERY);
	ok(sum[2] > cycles, "requests were served meanwhile");
	return tap_end();
}
