// SPDX-License-Identifier: GPL-2.0
/*
 * idle ONE TWO SET - threads of workers end without work and are made again for it: in the
 * cgroups, and with the nice value and CPU affinity, of the owner's start
 *
 * ONE, TWO and SET are empty cgroups, version 2; SET has a cpuset. ONE is removed.
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "driver.h"

#define NICE	7
#define RACERS	16
#define RACE	10		/* seconds */

#define IDLE	"/sys/module/vhost_doorbell/parameters/worker_idle_ms"
#define THREADS	"/proc/sys/kernel/threads-max"

/* Shared with the racers */
static struct {
	unsigned int requests, bad, threads;
} *shared;

static void put(const char *file, unsigned long value)
{
	FILE *f = fopen(file, "w");

	MUST(f && fprintf(f, "%lu\n", value) > 0 && !fclose(f));
}

static unsigned long get(const char *file)
{
	unsigned long value;
	FILE *f = fopen(file, "r");

	MUST(f && fscanf(f, "%lu", &value) == 1);
	fclose(f);
	return value;
}

static long long thread_of(int dev)
{
	return fdinfo_counter(dev, "worker_pid");
}

static void run_worker(int dev)
{
	dev_advance(dev, OPEN, READY);
	MUST(!set_mode(dev, VHOST_DOORBELL_MODE_WORKER));
	dev_advance(dev, READY, RUNNING);
}

/* --- races of the last work and the next --- */

static void race(unsigned int seed)
{
	double end = now() + RACE * tap_factor();
	unsigned int rounds, q;
	long long last = 0;
	int dev;

	driver_init();
	dev = dev_open();
	run_worker(dev);
	for (rounds = 0; now() < end; rounds++) {
		usleep(rand_r(&seed) % 6000);
		q = rand_r(&seed) % QUEUES;
		if (!driver_works(q))
			__atomic_add_fetch(&shared->bad, 1, __ATOMIC_SEQ_CST);
		if (thread_of(dev) && thread_of(dev) != last) {
			last = thread_of(dev);
			__atomic_add_fetch(&shared->threads, 1, __ATOMIC_SEQ_CST);
		}
		if (rounds % 16 == 15)
			MUST(!set_run(dev, q, 0) && !set_run(dev, q, 1));
	}
	close(dev);
	__atomic_add_fetch(&shared->requests, 2 * rounds, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void test_races(void)
{
	int status;
	bool good = true;

	put(IDLE, 1);
	for (unsigned int i = 0; i < RACERS; i++) {
		pid_t pid = fork();

		MUST(pid >= 0);
		if (!pid)
			race(i);
	}
	/* The program that watches the time is a child, too. */
	for (unsigned int i = 0; i < RACERS; i++)
		good &= wait(&status) > 0 && !status;
	diag("%u requests of %u devices, %u threads seen", shared->requests, RACERS,
	     shared->threads);
	ok(good && !shared->bad && shared->requests,
	   "no request is lost while threads end and are made");
	ok(shared->threads > 4 * RACERS, "%u threads were made", shared->threads);
}

/* --- what a new thread has of the owner's start --- */

static void join(const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	put(path, getpid());
}

static bool is_in(long long pid, const char *cgroup)
{
	char path[64], line[256], want[256];
	bool in = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/cgroup", pid);
	snprintf(want, sizeof(want), "0::%s\n", cgroup + strlen("/sys/fs/cgroup"));
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		in |= !strcmp(line, want);
	if (f)
		fclose(f);
	return in;
}

static bool runs_on(long long pid, int cpu)
{
	cpu_set_t set;

	return !sched_getaffinity(pid, sizeof(set), &set) &&
	       CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set);
}

static void owner(int dev, int cpu, const char *one, const char *two, int ready)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	join(one);
	MUST(!sched_setaffinity(0, sizeof(set), &set));
	MUST(!setpriority(PRIO_PROCESS, 0, NICE));
	run_worker(dev);
	if (two)
		join(two);
	MUST(!eventfd_write(ready, 1));
	for (;;)
		pause();
}

/* The owner dies or, with @two, moves to that cgroup. */
static void test_owner(const char *one, const char *two)
{
	const char *does = two ? "the owner has moved" : "the owner is dead";
	int dev = dev_open(), ready = eventfd(0, 0);
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	long long first, next;
	eventfd_t count;
	double begin;
	pid_t pid;

	driver_reset();
	pid = fork();
	MUST(pid >= 0);
	if (!pid)
		owner(dev, cpu, one, two, ready);
	MUST(!eventfd_read(ready, &count));
	MUST(driver_works(0));
	first = thread_of(dev);
	if (!two)
		MUST(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	ok(first > 0 && UNTIL(!thread_of(dev)), "%s: the idle thread ends", does);
	begin = now();
	ok(driver_works(0), "%s: the next request is served", does);
	diag("after %.1f ms", (now() - begin) * 1e3);
	next = thread_of(dev);
	ok(next > 0 && next != first, "%s: by another thread", does);
	ok(is_in(next, one), "%s: which is in the owner's first cgroup", does);
	ok(getpriority(PRIO_PROCESS, next) == NICE, "%s: has its nice value", does);
	ok(runs_on(next, cpu), "%s: and its CPU", does);
	close(dev);
	if (two)
		MUST(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	close(ready);
}

/* The cpuset becomes smaller while there is no thread. */
static void test_cpuset(const char *set)
{
	int dev = dev_open(), ready = eventfd(0, 0);
	char path[256];
	eventfd_t count;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/cpuset.cpus", set);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		skip("a cpuset becomes smaller", "there is one CPU");
		return;
	}
	driver_reset();
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		join(set);
		run_worker(dev);
		MUST(!eventfd_write(ready, 1));
		for (;;)
			pause();
	}
	MUST(!eventfd_read(ready, &count));
	MUST(driver_works(0));
	ok(thread_of(dev) > 0 && !runs_on(thread_of(dev), 0),
	   "before the cpuset becomes smaller the thread has other CPUs, too");
	MUST(UNTIL(!thread_of(dev)));
	put(path, 0);
	ok(driver_works(0) && runs_on(thread_of(dev), 0),
	   "the next thread has the CPUs of the cpuset only");
	MUST(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	close(dev);
	close(ready);
}

/* Threads that are missed soon are kept longer. */
static void test_missed(void)
{
	double begin, first, last = 0;
	int dev = dev_open();

	put(IDLE, 1000);
	driver_reset();
	run_worker(dev);
	for (int i = 0; i < 3; i++) {
		MUST(driver_works(0));
		begin = now();
		MUST(UNTIL(!thread_of(dev)));
		last = now() - begin;
		if (!i)
			first = last;
	}
	/* Not before 4 s; each time is rounded up to the next look, by a second */
	ok(first < 3 * tap_factor() && last >= 3.9,
	   "an idle thread ends after %.1f s, one that is often missed after %.1f s",
	   first, last);
	close(dev);
}

/* --- no thread can be made --- */

static void test_no_threads(void)
{
	unsigned long most = get(THREADS);
	int dev = dev_open(), ret, stopped;
	bool waits, served;
	double begin;

	driver_reset();
	run_worker(dev);
	MUST(driver_works(0) && driver_works(1) && UNTIL(!thread_of(dev)));
	sleep(1);
	put(THREADS, 20);
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	driver_add_at(1, VIRTIO_BLK_T_IN, 0, GPA, DATA(1), 512);
	eventfd_write(FD_KICK, 1);
	eventfd_write(FD_KICK + 1, 1);
	usleep(300000);
	waits = !driver_done(0) && !driver_done(1);
	begin = now();
	stopped = set_run(dev, 0, 0);
	begin = now() - begin;
	ret = set_run(dev, 0, 1);
	ret = ret ? errno : 0;
	put(THREADS, most);
	served = driver_wait(1) == VIRTIO_BLK_S_OK;

	ok(waits, "without a thread requests wait");
	ok(!stopped && begin < 2 * tap_factor(), "a queue stops meanwhile: %.0f ms",
	   begin * 1e3);
	/* It does not fail on one CPU, where the other queue has the worker. */
	ok(ret == EAGAIN || sysconf(_SC_NPROCESSORS_ONLN) == 1,
	   "a start fails: %s", strerror(ret));
	ok(served, "the other queue is served when a thread can be made");
	if (ret)
		MUST(!set_run(dev, 0, 1));
	ok(driver_wait(0) == VIRTIO_BLK_S_OK && driver_works(0) && driver_works(1),
	   "and so is the one that stopped, after its next start");
	close(dev);
}

/* --- the module parameter --- */

static void test_never(void)
{
	int dev = dev_open();
	long long first;

	put(IDLE, 0);
	driver_reset();
	run_worker(dev);
	MUST(driver_works(0));
	first = thread_of(dev);
	sleep(7);
	ok(first > 0 && thread_of(dev) == first, "worker_idle_ms=0: the thread stays");
	put(IDLE, 1);
	ok(UNTIL(!thread_of(dev)), "worker_idle_ms=1: it ends");
	close(dev);
}

int main(int argc, char **argv)
{
	unsigned long idle = get(IDLE);

	MUST(argc == 4);
	tap_begin(240);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shared != MAP_FAILED);
	test_races();
	driver_init();
	put(IDLE, 500);
	test_owner(argv[1], NULL);
	test_owner(argv[1], argv[2]);
	ok(UNTIL(!rmdir(argv[1])), "without a device the cgroup can be removed");
	test_cpuset(argv[3]);
	test_no_threads();
	test_never();
	test_missed();
	put(IDLE, idle);
	return tap_end();
}
