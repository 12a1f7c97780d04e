// SPDX-License-Identifier: GPL-2.0
/* crowd - several processes and threads use one device */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "driver.h"

static long vm_locked(void)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	MUST(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "VmPin: %ld", &kb);
	fclose(f);
	return kb;
}

static int set_table(int dev, __u64 size)
{
	struct vhost_memory *table = driver_table();

	table->regions[0].memory_size = size;
	return ioctl(dev, VHOST_SET_MEM_TABLE, table) ? errno : 0;
}

/* Runs in a child without privilege that may lock 1 MiB. */
static int check_memlock(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	int dev = dev_open(), bad = 0;

	MUST(!setrlimit(RLIMIT_MEMLOCK, &limit));
	MUST(!setuid(65534));
	MUST(!ioctl(dev, VHOST_SET_OWNER));
	bad |= set_table(dev, (1 << 20) + PAGE) != ENOMEM;
	bad |= (vm_locked() != 0) << 1;
	bad |= (set_table(dev, 1 << 20) != 0) << 2;
	bad |= (vm_locked() != 1024) << 3;
	bad |= (set_table(dev, 1 << 20) != 0) << 4;
	bad |= (set_table(dev, MEM_LEN) != ENOMEM) << 5;
	bad |= (vm_locked() != 1024) << 6;
	bad |= (set_table(dev, 1 << 19) != 0 || vm_locked() != 512) << 7;
	close(dev);
	bad |= (vm_locked() != 0) << 8;
	if (bad)
		diag("failed steps: %#x", bad);
	return bad;
}

static int in_child(int (*run)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		status = run();
		fflush(stdout);
		_exit(!!status);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	return status;
}

static void test_memlock(void)
{
	ok(!in_child(check_memlock), "RLIMIT_MEMLOCK counts the whole table");
}

static int shared_dev;

static int own_and_die(void)
{
	dev_advance(shared_dev, OPEN, RUNNING);
	return 0;
}

/* The owner dies while other processes still hold the file; see adopt.c. */
static void test_orphan(void)
{
	struct vhost_doorbell_stats st;

	shared_dev = dev_open();
	MUST(!in_child(own_and_die));
	driver_avail[0] = 0;
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	eventfd_write(FD_KICK, 1);
	ok(UNTIL(driver_done(0)), "a request after the owner's death is served");
	st = get_stats(shared_dev, 0);
	ok(st.state == VHOST_DOORBELL_QUEUE_RUNNING && st.requests == 1,
	   "and the queue runs on");
	ok(set_run(shared_dev, 0, 0) && errno == EPERM,
	   "no other process can stop it");
	close(shared_dev);
	shared_dev = dev_new(READY);
	driver_avail[0] = 0;
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	MUST(!set_run(shared_dev, 0, 1));
	ok(UNTIL(driver_done(0)), "another device serves the ring after the last close");
	close(shared_dev);
}

/* --- ringing threads that die --- */

static int ring_and_die(void)
{
	eventfd_write(FD_KICK, 1);
	return 0;
}

static void *ring_forever(void *arg)
{
	for (;;)
		eventfd_write(FD_KICK + (uintptr_t)arg, 1);
	return NULL;
}

static int ring_until_killed(void)
{
	pthread_t thread;
	uintptr_t i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread, NULL, ring_forever, (void *)(i % 2));
	pause();
	return 0;
}

/*
 * A ringing thread exits or is killed with task work pending: no ring may be
 * lost.
 */
static void test_dying_ringer(unsigned int mode)
{
	int dev = dev_new(READY), i;
	bool good = true;
	pid_t pid;

	MUST(!set_mode(dev, mode));
	dev_advance(dev, READY, RUNNING);
	for (i = 0; i < 20 && good; i++) {
		driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
		MUST(!in_child(ring_and_die));
		good = UNTIL(driver_done(0));
	}
	ok(good, "mode %u: the ringer exits", mode);
	for (i = 0; i < 10 && good; i++) {
		pid = fork();
		if (!pid)
			_exit(ring_until_killed());
		good = driver_works(0) && driver_works(1);
		driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
		/* The child is killed here, or by one of its own threads */
		kill(pid, SIGKILL);
		eventfd_write(FD_KICK, 1);
		MUST(waitpid(pid, NULL, 0) == pid);
		good = good && UNTIL(driver_done(0));
	}
	ok(good, "mode %u: ringers are killed", mode);
	close(dev);
}

/* The device is closed while threads go on ringing. */
static void test_close_under_ringers(void)
{
	int i, dev;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(ring_until_killed());
	for (i = 0; i < 20; i++) {
		dev = dev_new(READY);
		MUST(!set_mode(dev, VHOST_DOORBELL_MODE_INLINE));
		dev_advance(dev, READY, RUNNING);
		nap();
		close(dev);
	}
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0) == pid);
	ok(true, "close while others ring");
}

/* --- a 32-bit process --- */

/* ioctl(2) of a 32-bit process */
static int ioctl32(int fd, unsigned int cmd, void *arg)
{
	int ret;

	asm volatile("int $0x80" : "=a" (ret) :
		     "a" (54), "b" (fd), "c" (cmd), "d" ((uintptr_t)arg) :
		     "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static int try_32(void)
{
	return ioctl32(-1, 0, NULL) != -EBADF;
}

static void test_32(void)
{
	struct {
		struct vhost_doorbell_blk blk;
		struct vhost_vring_addr addr;
		struct vhost_vring_state num;
		struct vhost_vring_file kick;
		struct vhost_doorbell_run run;
		__u64 features;
	} *a = (void *)(MEM + MEM_LEN - PAGE);
	struct vhost_memory *table = (void *)a + 1024;
	int dev, err = 0;

	if (in_child(try_32)) {
		skip("32 bits", "this kernel has no 32-bit processes");
		return;
	}
	dev = dev_open();
	driver_reset();
	memset(a, 0, PAGE);
	a->blk.fd = FD_DISK;
	a->blk.num_queues = QUEUES;
	a->addr.desc_user_addr = DESC(0);
	a->addr.avail_user_addr = AVAIL(0);
	a->addr.used_user_addr = USED(0);
	a->num.num = NUM;
	a->kick.fd = FD_KICK;
	a->run.run = 1;
	memcpy(table, driver_table(), sizeof(*table) + sizeof(*table->regions));
	err |= ioctl32(dev, VHOST_SET_OWNER, NULL);
	err |= ioctl32(dev, VHOST_DOORBELL_SET_BLK, &a->blk);
	err |= ioctl32(dev, VHOST_GET_FEATURES, &a->features);
	/* This driver knows no other feature. */
	a->features &= 1ULL << VIRTIO_F_VERSION_1;
	err |= ioctl32(dev, VHOST_SET_FEATURES, &a->features);
	err |= ioctl32(dev, VHOST_SET_MEM_TABLE, table);
	err |= ioctl32(dev, VHOST_SET_VRING_NUM, &a->num);
	err |= ioctl32(dev, VHOST_SET_VRING_ADDR, &a->addr);
	err |= ioctl32(dev, VHOST_SET_VRING_KICK, &a->kick);
	err |= ioctl32(dev, VHOST_DOORBELL_SET_RUN, &a->run);
	ok(!err, "32 bits: all ioctls");
	ok(driver_works(0), "32 bits: the queue serves");
	ok(ioctl32(dev, VHOST_DOORBELL_GET_STATS, (void *)8) == -EFAULT,
	   "32 bits: a bad pointer");
	close(dev);
}

/* --- all calls at the same time --- */

static volatile bool storm_over;
static int storm_dev;

static void storm_step(unsigned int *seed)
{
	struct vhost_doorbell_stats st = { .index = 0 };
	struct vhost_doorbell_exec e = { .mode = rand_r(seed) % 3,
					 .budget = 1 + rand_r(seed) % 4 };
	struct vhost_doorbell_mem_stats mem;

	switch (rand_r(seed) % 8) {
	case 0:
		set_run(storm_dev, 0, rand_r(seed) % 4 > 0);
		break;
	case 1:
		ioctl(storm_dev, VHOST_DOORBELL_SET_EXEC, &e);
		break;
	case 2:
		set_file(storm_dev, VHOST_SET_VRING_CALL, 0,
			 rand_r(seed) % 2 ? FD_CALL : -1);
		break;
	case 3:
		ioctl(storm_dev, VHOST_SET_MEM_TABLE, driver_table());
		break;
	case 4:
		ioctl(storm_dev, VHOST_DOORBELL_GET_STATS, &st);
		ioctl(storm_dev, VHOST_DOORBELL_GET_MEM_STATS, &mem);
		break;
	case 5:
		fdinfo_counter(storm_dev, "requests");
		break;
	case 6:
		madvise((void *)(MEM + DATA(0)), PAGE, MADV_DONTNEED);
		break;
	default:
		eventfd_write(FD_KICK, 1);
	}
}

static void *storm_thread(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!storm_over)
		storm_step(&seed);
	return NULL;
}

/* Threads make every call at any time while requests flow */
static void test_storm(void)
{
	int dev = dev_new(RUNNING), done = 0;
	double end = now() + 2;
	pthread_t thread[3];
	uintptr_t i;

	storm_dev = dev;
	storm_over = false;
	driver_table();
	for (i = 0; i < 3; i++)
		MUST(!pthread_create(&thread[i], NULL, storm_thread,
				     (void *)(i + 1)));
	while (now() < end && driver_works(1) &&
	       driver_send(0, VIRTIO_BLK_T_IN, 0, 512) >= -1)
		done++;
	storm_over = true;
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	set_run(dev, 0, 1);
	ok(UNTIL(driver_done(0)) && driver_works(0) && driver_works(1),
	   "all calls at once, and it works after that");
	diag("%d requests in the storm", done);
	close(dev);
}

int main(void)
{
	tap_begin(60);
	driver_init();
	test_memlock();
	test_orphan();
	test_dying_ringer(VHOST_DOORBELL_MODE_INLINE);
	test_dying_ringer(VHOST_DOORBELL_MODE_AUTO);
	test_close_under_ringers();
	test_32();
	test_storm();
	return tap_end();
}
