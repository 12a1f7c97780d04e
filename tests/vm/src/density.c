// SPDX-License-Identifier: GPL-2.0
/*
 * density DISK COUNT - what many devices cost the kernel: threads and memory of idle
 * ones, and the instructions of a request
 *
 * Each device belongs to a process of its own, as that of a daemon does. COUNT is the file
 * of the emulator's plugin that counts instructions; see tests/bench/insn.c.
 */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Entries of a ring, as QEMU's vhost-user-blk has by default */
#define NUM	128

#include "../../bench/mark.h"
#include "driver.h"

#define MAX_DEVICES	256
/* Of all devices together, so that each number of devices takes as long */
#define REQUESTS	25600

/* Bounds, in bytes of kernel memory */
#define BOUND_DEVICE	(200 * 1024L)	/* with one queue */
#define BOUND_QUEUE	(192 * 1024L)	/* each further queue */
/* Instructions of a request with many devices, by those with one */
#define BOUND_RATIO	1.15
/* And with many regions of guest memory */
#define BOUND_REGIONS	1.10

static const unsigned int numbers[] = { 1, 8, 64, MAX_DEVICES };
static const char *disk, *count;

enum phase { READY_TO_GO, ATTACH, LOAD, AGAIN, CLOSE, PHASES };

/* Shared with the children */
static struct {
	/* What the devices of this round are: set before the fork */
	unsigned int queues, regions, mode, requests;
	unsigned int done[PHASES];
	unsigned int bad;
} *shared;

/* A child goes through a phase for each count of its eventfd. */
static int go[PHASES];

/* --- what is counted --- */

static bool is_named(const char *pid, const char *prefix)
{
	char file[300], name[64] = "";
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%s/comm", pid);
	f = fopen(file, "r");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		*name = 0;
	fclose(f);
	return !strncmp(name, prefix, strlen(prefix));
}

/* Kernel threads of this module whose name begins so */
static int threads(const char *prefix)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int n = 0;

	MUST(dir);
	while ((entry = readdir(dir)))
		n += is_named(entry->d_name, prefix);
	closedir(dir);
	return n;
}

static int makers(void)
{
	return threads("vhd-maker");
}

static int workers(void)
{
	return threads("vhd-") - makers();
}

/* Bytes of memory that the kernel uses for itself and cannot reclaim */
static long kernel_memory(void)
{
	static const char * const names[] = {
		"SUnreclaim:", "VmallocUsed:", "Percpu:",
	};
	FILE *f = fopen("/proc/meminfo", "r");
	char line[256], name[64];
	long kb, sum = 0;

	MUST(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &kb) != 2)
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			if (!strcmp(name, names[i]))
				sum += kb;
		}
	}
	fclose(f);
	return sum * 1024;
}

/* Instructions at kernel addresses; below zero if nothing counts them */
static double kernel_instructions(void)
{
	double all, kernel = -1;
	FILE *f;

	asm volatile(".byte " BENCH_MARK_TEXT : : : "memory");
	f = fopen(count, "r");
	if (f) {
		if (fscanf(f, "%lf %lf", &all, &kernel) != 2)
			kernel = -1;
		fclose(f);
	}
	return kernel;
}

/* --- a process with a device --- */

/* The same memory in adjacent regions */
static void set_table(int dev)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region[VHOST_DOORBELL_MAX_REGIONS];
	} *table = calloc(1, sizeof(*table));
	unsigned long len = MEM_LEN / shared->regions;

	MUST(table);
	table->head.nregions = shared->regions;
	for (unsigned int i = 0; i < shared->regions; i++) {
		table->region[i] = (struct vhost_memory_region){
			.guest_phys_addr = GPA + i * len,
			.memory_size = len,
			.userspace_addr = MEM + i * len,
		};
	}
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE, table));
	free(table);
}

static int open_device(void)
{
	struct vhost_doorbell_blk blk = {
		.fd = FD_DISK, .num_queues = shared->queues, .serial = "serial",
		.flags = VHOST_DOORBELL_BLK_F_NOWAIT,
	};
	int dev = dev_new(OWNED);

	MUST(!ioctl(dev, VHOST_DOORBELL_SET_BLK, &blk));
	MUST(!set_mode(dev, shared->mode));
	driver_reset();
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1));
	set_table(dev);
	for (unsigned int q = 0; q < shared->queues; q++) {
		dev_set_queue(dev, q);
		MUST(!set_run(dev, q, 1));
	}
	return dev;
}

static bool all_work(void)
{
	bool good = true;

	for (unsigned int q = 0; q < shared->queues; q++)
		good &= driver_works(q);
	return good;
}

/*
 * Makes requests with data in all of memory. Sleeps until each has completed: this
 * process's own share is small.
 */
static void load(void)
{
	const unsigned long from = 1UL << 20, step = 32 << 10;
	struct pollfd fd = { .fd = FD_CALL, .events = POLLIN };
	eventfd_t n;

	for (unsigned int i = 0; i < shared->requests; i++) {
		driver_add_at(0, VIRTIO_BLK_T_IN, 8 * (i % 1000), GPA,
			      from + i * step % (MEM_LEN - from), PAGE);
		MUST(!eventfd_write(FD_KICK, 1));
		while (!driver_done(0))
			MUST(poll(&fd, 1, 10000) == 1 && !eventfd_read(FD_CALL, &n));
	}
}

static void child(void)
{
	eventfd_t one;
	int dev = -1, fd;

	driver_init();
	fd = open(disk, O_RDWR | O_CLOEXEC);
	fd_at(FD_DISK, fd);
	for (int phase = READY_TO_GO; phase < PHASES; phase++) {
		MUST(!eventfd_read(go[phase], &one));
		if (phase == ATTACH)
			dev = open_device();
		/* The first time pins the pages. */
		if (phase == ATTACH || phase == LOAD)
			load();
		if (phase == CLOSE)
			close(dev);
		if ((phase == ATTACH || phase == AGAIN) && !all_work())
			__atomic_add_fetch(&shared->bad, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&shared->done[phase], 1, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

/* --- many of them --- */

/* All children go through a phase. */
static void run_phase(enum phase phase, unsigned int n)
{
	double end = now() + 180 * tap_factor();

	MUST(!eventfd_write(go[phase], n));
	while (__atomic_load_n(&shared->done[phase], __ATOMIC_SEQ_CST) < n) {
		MUST(now() < end);
		usleep(20000);
	}
}

static void begin(unsigned int n)
{
	memset(shared->done, 0, sizeof(shared->done));
	shared->bad = 0;
	for (int i = 0; i < PHASES; i++) {
		go[i] = eventfd(0, EFD_SEMAPHORE);
		MUST(go[i] >= 0);
	}
	for (unsigned int i = 0; i < n; i++) {
		pid_t pid = fork();

		MUST(pid >= 0);
		if (!pid)
			child();
	}
	run_phase(READY_TO_GO, n);
}

static void end(unsigned int n)
{
	run_phase(CLOSE, n);
	for (unsigned int i = 0; i < n; i++)
		MUST(wait(NULL) > 0);
	for (int i = 0; i < PHASES; i++)
		close(go[i]);
}

static bool idle(void)
{
	double until = now() + 60 * tap_factor();

	while (workers()) {
		if (now() > until)
			return false;
		usleep(500000);
	}
	return true;
}

/* Threads and memory. Returns the bytes of each device. */
static long test_idle(unsigned int n, unsigned int queues)
{
	int busy, others;
	long memory;
	bool ended;

	shared->queues = queues;
	shared->regions = 1;
	shared->mode = VHOST_DOORBELL_MODE_AUTO;
	shared->requests = 0;
	begin(n);
	memory = kernel_memory();
	run_phase(ATTACH, n);
	busy = workers();
	ended = idle();
	others = makers();
	memory = (kernel_memory() - memory) / (long)n;
	diag("%u devices with %u queues: %d threads after requests, %d when idle",
	     n, queues, busy, workers());
	ok(busy > 0 && ended, "%u idle devices, %u queues: no threads", n, queues);
	ok(others == 1, "and one maker of threads in their cgroup: %d", others);
	run_phase(LOAD, n);	/* nothing */
	run_phase(AGAIN, n);
	ok(!shared->bad, "%u devices serve again after they were idle", n);
	end(n);
	ok(UNTIL(!threads("vhd-")), "after the last close there is no thread");
	return memory;
}

static void test_threads_and_memory(void)
{
	long bytes[2];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		bytes[1] = test_idle(numbers[i], 2);
	/* Few devices could not be told from what else the system does. */
	bytes[0] = test_idle(MAX_DEVICES, 1);
	diag("%u idle devices: %ld bytes each with one queue, %ld with two",
	     MAX_DEVICES, bytes[0], bytes[1]);
	ok(bytes[0] > 0 && bytes[0] <= BOUND_DEVICE,
	   "an idle device with a queue: %ld bytes, at most %ld", bytes[0],
	   BOUND_DEVICE);
	ok(bytes[1] - bytes[0] <= BOUND_QUEUE,
	   "another idle queue: %ld bytes, at most %ld", bytes[1] - bytes[0],
	   BOUND_QUEUE);
}

/* --- instructions --- */

static double instructions(unsigned int n, unsigned int regions, unsigned int mode)
{
	double before, after;

	shared->queues = 1;
	shared->regions = regions;
	shared->mode = mode;
	shared->requests = REQUESTS / n;
	begin(n);
	run_phase(ATTACH, n);
	before = kernel_instructions();
	run_phase(LOAD, n);
	after = kernel_instructions();
	run_phase(AGAIN, n);
	MUST(!shared->bad);
	end(n);
	return (after - before) / (shared->requests * n);
}

static void test_instructions(unsigned int mode, const char *name)
{
	const unsigned int most = VHOST_DOORBELL_MAX_REGIONS;
	double one = instructions(1, 1, mode), each;

	diag("%s, one device: %.0f instructions per request", name, one);
	for (size_t i = 1; i < sizeof(numbers) / sizeof(*numbers); i++) {
		each = instructions(numbers[i], 1, mode);
		ok(each > 0 && each <= BOUND_RATIO * one,
		   "%s, %u devices: %.0f instructions per request, %.3f of one device's",
		   name, numbers[i], each, each / one);
	}
	each = instructions(1, most, mode);
	ok(each > 0 && each <= BOUND_REGIONS * one,
	   "%s, %u regions: %.0f instructions per request, %.3f of one region's",
	   name, most, each, each / one);
}

int main(int argc, char **argv)
{
	MUST(argc == 3);
	disk = argv[1];
	count = argv[2];
	tap_begin(900);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shared != MAP_FAILED);
	if (kernel_instructions() < 0) {
		skip("instructions per request", "nothing counts them here");
	} else {
		test_instructions(VHOST_DOORBELL_MODE_INLINE, "inline");
		test_instructions(VHOST_DOORBELL_MODE_WORKER, "worker");
	}
	test_threads_and_memory();
	return tap_end();
}
