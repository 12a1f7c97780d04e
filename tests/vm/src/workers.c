// SPDX-License-Identifier: GPL-2.0
/*
 * workers FILE - queues that share a worker: which worker a queue has, and
 * whether a queue goes on when another one of the worker stops or waits for a
 * page
 *
 * FILE must be on a file system that allocates blocks on writes to holes, such
 * as ext4, and larger than 1 MiB.
 */
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "driver.h"

#define LAZY		0x30000000UL
#define LAZY_LEN	(1UL << 20)
#define LAZY_GPA	0x80000000UL

/* Pages of this memory. Page 0 is left out, as SET_MEM_TABLE touches it. */
#define LAZY_PAGE(i)	(LAZY + ((i) + 1) * PAGE)

#define HOLE		1024UL		/* sectors */

static void run_on(int cpus)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < cpus; i++)
		CPU_SET(i, &set);
	MUST(!sched_setaffinity(0, sizeof(set), &set));
}

static __u64 worker(int dev, int q)
{
	return get_stats(dev, q).worker_pid;
}

static void test_as_many_as_cpus(void)
{
	int dev, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	__u64 first;

	run_on(1);
	dev = dev_new(RUNNING);
	run_on(cpus);
	first = worker(dev, 0);
	ok(first && worker(dev, 1) == first, "one CPU: one worker");
	ok(driver_works(0) && driver_works(1), "it serves both queues");
	MUST(!set_run(dev, 0, 0));
	ok(!worker(dev, 0) && worker(dev, 1) == first && driver_works(1),
	   "one stops, the other goes on");
	MUST(!set_run(dev, 0, 1));
	ok(worker(dev, 0) == first && driver_works(0) && driver_works(1),
	   "it has more CPUs, and begins again with the worker that is there");
	MUST(!set_run(dev, 1, 0) && driver_works(0) && !set_run(dev, 0, 0));
	/*
	 * kthread_stop() returns a little before the thread is gone from /proc.
	 */
	ok(UNTIL(kill(first, 0) && errno == ESRCH), "the last one ends the thread");
	MUST(!set_run(dev, 0, 1) && !set_run(dev, 1, 1));
	ok((worker(dev, 0) != worker(dev, 1)) == (cpus > 1) &&
	   driver_works(0) && driver_works(1), "%d CPUs: a worker each", cpus);
	close(dev);
}

/* Maps memory whose pages appear only when user space provides them */
static int map_lazily(void)
{
	struct uffdio_register range = {
		.range = { .start = LAZY_PAGE(0), .len = 3 * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	MUST(uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api));
	MUST(mmap((void *)LAZY, LAZY_LEN, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	     (void *)LAZY);
	MUST(!ioctl(uffd, UFFDIO_REGISTER, &range));
	return uffd;
}

static void resolve(int uffd, unsigned long addr)
{
	struct uffdio_zeropage zero = {
		.range = { .start = addr, .len = PAGE },
	};

	MUST(!ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
}

/*
 * Waits for a page fault in this memory, or until queue 1 is done. Returns true
 * if the fault is at @addr.
 */
static bool waited_for(int uffd, unsigned long addr)
{
	struct uffd_msg msg = { 0 };

	MUST(UNTIL(read(uffd, &msg, sizeof(msg)) == sizeof(msg) ||
		   driver_done(1)));
	return msg.event == UFFD_EVENT_PAGEFAULT &&
	       (msg.arg.pagefault.address & -PAGE) == addr;
}

/*
 * Makes a device with two queues on one worker, and has that worker wait for a
 * page of queue 1. Returns -1 on kernels where a long-term pin does not wait
 * for user space, such as 6.1.
 */
static int dev_that_waits(int uffd, unsigned int mode, unsigned long page)
{
	int dev = dev_new(READY), cpus = sysconf(_SC_NPROCESSORS_ONLN);

	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE,
		    driver_table_with(LAZY_GPA, LAZY_LEN, LAZY)));
	MUST(!set_mode(dev, mode));
	run_on(1);
	dev_advance(dev, READY, RUNNING);
	run_on(cpus);
	MUST(driver_works(0) && driver_works(1));
	driver_add_at(1, VIRTIO_BLK_T_IN, 0, GPA,
		      LAZY_GPA - GPA + (page - LAZY), 512);
	eventfd_write(FD_KICK + 1, 1);
	if (waited_for(uffd, page))
		return dev;
	ok(driver_wait(1) == VIRTIO_BLK_S_IOERR &&
	   driver_works(0) && driver_works(1),
	   "a page that cannot be had is an I/O error, and no more");
	close(dev);
	return -1;
}

static void test_stop(int dev, int uffd)
{
	ok(!set_run(dev, 0, 0), "a queue stops while the worker waits");
	ok(!driver_done(1), "for a page of another");
	resolve(uffd, LAZY_PAGE(0));
	ok(driver_wait(1) == VIRTIO_BLK_S_OK, "which goes on when the page is there");
	MUST(!set_run(dev, 0, 1));
	ok(driver_works(0) && driver_works(1), "and so does the one that stopped");
	close(dev);
}

static void test_drain(int uffd)
{
	int dev = dev_that_waits(uffd, VHOST_DOORBELL_MODE_INLINE,
				 LAZY_PAGE(1));

	/*
	 * The write must allocate blocks: the ringing thread may not, the
	 * worker may.
	 */
	driver_add_at(0, VIRTIO_BLK_T_OUT, HOLE, GPA, DATA(0), PAGE);
	eventfd_write(FD_KICK, 1);
	ok(get_stats(dev, 0).in_flight == 1 && !driver_done(0),
	   "a request in flight waits for the worker");
	ok(!set_run(dev, 0, 0) && driver_wait(0) == VIRTIO_BLK_S_OK,
	   "its queue is drained and stops, while the page is not there");
	ok(!driver_done(1), "for which the other still waits");
	resolve(uffd, LAZY_PAGE(1));
	ok(driver_wait(1) == VIRTIO_BLK_S_OK, "until it is");
	close(dev);
}

static void test_close(int uffd)
{
	int dev = dev_that_waits(uffd, VHOST_DOORBELL_MODE_WORKER,
				 LAZY_PAGE(2));

	close(dev);
	ok(!driver_done(1), "close, while the worker waits");
}

int main(int argc, char **argv)
{
	int uffd, dev;

	MUST(argc == 2);
	tap_begin(60);
	driver_init();
	fd_at(FD_DISK, open(argv[1], O_RDWR));
	test_as_many_as_cpus();
	uffd = map_lazily();
	dev = dev_that_waits(uffd, VHOST_DOORBELL_MODE_WORKER, LAZY_PAGE(0));
	if (dev < 0) {
		skip("one queue stops while the worker waits for a page of another",
		     "this kernel's pins do not wait for user space");
		return tap_end();
	}
	test_stop(dev, uffd);
	test_drain(uffd);
	test_close(uffd);
	return tap_end();
}
