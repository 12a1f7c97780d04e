// SPDX-License-Identifier: GPL-2.0
/*
 * adopt NAME DISK KILLS - the owner dies, the queues run on, another process adopts them
 *
 * This process is the guest, and keeps the device's file as systemd's store of file
 * descriptors would. Owners are its children. DISK is the device-mapper device NAME. The
 * module must be loaded.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "driver.h"

/* Where an owner may have guest memory, in addition to MEM */
#define ELSEWHERE	0x30000000UL

#define FD_LOG		202
#define FD_SEAL		203
#define LOG_LEN		65536UL

static const char *name;
static int the_dev;

/* Guest pages at this offset were not used before. */
static unsigned long fresh = 4UL << 20;

static void dm(const char *what)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "dmsetup --noudevsync %s %s", what, name);
	MUST(!system(cmd));
}

static int unload(void)
{
	return syscall(SYS_delete_module, "vhost_doorbell", O_NONBLOCK) ?
	       errno : 0;
}

static unsigned long long vm_pin(void)
{
	unsigned long long kb = -1ULL;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	MUST(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "VmPin: %llu", &kb);
	fclose(f);
	return kb << 10;
}

static struct vhost_doorbell_mem_stats mem_stats(int dev)
{
	struct vhost_doorbell_mem_stats st;

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &st));
	return st;
}

/* --- owners --- */

struct owner {
	pid_t	pid;
	int	pipe[2];
};

/* In an owner: tell the guest that all is done, and how. */
static void owner_report(struct owner *o, int how)
{
	char c = how;

	MUST(write(o->pipe[1], &c, 1) == 1);
}

/* Starts a process that calls @run, tells the result and stays. */
static void owner_begin(struct owner *o, int (*run)(void))
{
	MUST(!pipe2(o->pipe, O_CLOEXEC));
	fflush(stdout);
	o->pid = fork();
	MUST(o->pid >= 0);
	if (o->pid)
		return;
	owner_report(o, run());
	for (;;)
		pause();
}

static int owner_result(struct owner *o)
{
	char c;

	MUST(read(o->pipe[0], &c, 1) == 1);
	return c;
}

static int owner_start(struct owner *o, int (*run)(void))
{
	owner_begin(o, run);
	return owner_result(o);
}

/* Opens a device, and has a child set it up. */
static int device_start(struct owner *o, int (*run)(void))
{
	int how, q;

	the_dev = dev_open();
	how = owner_start(o, run);
	/* The child may have reset the rings and used them. */
	for (q = 0; q < QUEUES; q++)
		driver_avail[q] = ((struct vring_avail *)AVAIL(q))->idx;
	return how;
}

static void owner_kill(struct owner *o)
{
	MUST(!kill(o->pid, SIGKILL));
	MUST(waitpid(o->pid, NULL, 0) == o->pid);
	close(o->pipe[0]);
	close(o->pipe[1]);
}

static int own(void)
{
	dev_advance(the_dev, OPEN, RUNNING);
	return 0;
}

static void map_elsewhere(void)
{
	MUST(mmap((void *)ELSEWHERE, MEM_LEN, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_FIXED, FD_MEM, 0) == (void *)ELSEWHERE);
}

static int adopt_table(int dev, struct vhost_memory *table)
{
	return ioctl(dev, VHOST_DOORBELL_ADOPT, table) ? errno : 0;
}

static int adopt_at(int dev, unsigned long addr)
{
	struct vhost_memory *table = driver_table();

	table->regions[0].userspace_addr = addr;
	return adopt_table(dev, table);
}

static int adopt_same(void)
{
	return adopt_at(the_dev, MEM);
}

/* The new owner has guest memory at other addresses only. */
static int adopt_elsewhere(void)
{
	map_elsewhere();
	MUST(!munmap((void *)MEM, MEM_LEN));
	return adopt_at(the_dev, ELSEWHERE);
}

/* Reads the disk into a guest page that the device has not used before. */
static bool reads_fresh_page(unsigned int q)
{
	fresh += PAGE;
	MUST(fresh < MEM_LEN);
	driver_add_at(q, VIRTIO_BLK_T_IN, 8 * q, GPA, fresh, 512);
	eventfd_write(FD_KICK + q, 1);
	return !driver_wait(q) &&
	       !memcmp((void *)(MEM + fresh), (void *)(MEM + DATA(q)), 512);
}

/* --- the owner dies --- */

static void test_survives(unsigned int mode)
{
	struct vhost_vring_state base = { .index = 0 };
	struct vhost_doorbell_stats before, after;
	unsigned long long pins;
	struct owner o;
	int i, good = 0;

	MUST(!device_start(&o, own) && !set_mode(the_dev, mode));
	MUST(driver_works(0) && driver_works(1));
	ok(adopt_same() == EBUSY, "mode %u: no one adopts what a living owner has",
	   mode);
	owner_kill(&o);
	before = get_stats(the_dev, 0);
	pins = mem_stats(the_dev).pins;
	for (i = 0; i < 20; i++)
		good += reads_fresh_page(0) && reads_fresh_page(1);
	after = get_stats(the_dev, 0);
	ok(good == 20 && after.requests == before.requests + 20 &&
	   after.state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "mode %u: %llu requests served with no owner", mode,
	   after.requests - before.requests);
	ok(mem_stats(the_dev).pins >= pins + 40,
	   "mode %u: into %llu pages that were not pinned before", mode,
	   mem_stats(the_dev).pins - pins);
	ok(set_run(the_dev, 0, 0) && errno == EPERM,
	   "mode %u: no other process can stop it", mode);
	ok(!owner_start(&o, adopt_elsewhere), "mode %u: a child adopts it", mode);
	ok(driver_works(0) && driver_works(1) && reads_fresh_page(0),
	   "mode %u: which is served as before", mode);
	ok(adopt_same() == EBUSY, "mode %u: and it is an owner", mode);
	owner_kill(&o);
	ok(reads_fresh_page(0) && reads_fresh_page(1),
	   "mode %u: the second owner dies", mode);
	ok(!adopt_same() && driver_works(0) && driver_works(1),
	   "mode %u: a third adopts it", mode);
	ok(adopt_same() == EBUSY, "mode %u: but not twice", mode);
	ok(vm_pin() >= MEM_LEN, "mode %u: memory is accounted to it", mode);
	/* What it knows of a queue that ran on is old. */
	ok(set_state(the_dev, VHOST_SET_VRING_BASE, 0, 1) && errno == EBUSY &&
	   set_state(the_dev, VHOST_SET_VRING_NUM, 0, 8) && errno == EBUSY &&
	   driver_works(0), "mode %u: a stale base is refused", mode);
	MUST(!set_run(the_dev, 0, 0));
	MUST(!ioctl(the_dev, VHOST_GET_VRING_BASE, &base));
	ok(base.num == driver_avail[0], "mode %u: the queue has its own: %u",
	   mode, base.num);
	MUST(!set_run(the_dev, 0, 1));
	ok(driver_works(0), "mode %u: it can stop and start a queue", mode);
	close(the_dev);
	ok(!vm_pin(), "mode %u: and close it", mode);
	fresh = 4UL << 20;
}

/* The last close releases the owner's memory, also if another process closes. */
static int own_and_map(void)
{
	MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, FD_SEAL, 0) !=
	     MAP_FAILED);
	return own();
}

static bool can_seal(void)
{
	/* Refused while there is a writable mapping */
	return !fcntl(FD_SEAL, F_ADD_SEALS, F_SEAL_WRITE);
}

static void test_memory_goes(void)
{
	struct owner o;
	int i;

	for (i = 0; i < 2; i++) {
		fd_at(FD_SEAL, memfd_create("seal", MFD_ALLOW_SEALING));
		MUST(!ftruncate(FD_SEAL, PAGE));
		MUST(!device_start(&o, own_and_map));
		owner_kill(&o);
		ok(!can_seal() && errno == EBUSY,
		   "a dead owner's memory stays mapped, %d", i);
		if (i)
			MUST(!adopt_same());
		else
			close(the_dev);
		ok(UNTIL(can_seal()), "until %s",
		   i ? "another process adopts the device" : "the last close");
		if (i) {
			ok(driver_works(0), "and then it works");
			close(the_dev);
		}
	}
	the_dev = dev_open();
	ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, the_dev, 0) == MAP_FAILED &&
	   errno == ENODEV, "the device's file cannot be mapped: no circle");
	close(the_dev);
}

/* --- what is refused --- */

static void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static struct owner *main_ends;

static int own_and_leave_thread(void)
{
	pthread_t thread;

	own();
	MUST(!pthread_create(&thread, NULL, sleep_for_ever, NULL));
	owner_report(main_ends, 0);
	pthread_exit(NULL);
}

static bool is_zombie(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	MUST(f);
	MUST(fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
	fclose(f);
	return state == 'Z';
}

static void test_who(void)
{
	struct vhost_memory none = { 0 };
	struct owner o;
	int dev;

	dev = dev_open();
	ok(adopt_at(dev, MEM) == ENXIO, "a device without owner: ENXIO");
	MUST(!ioctl(dev, VHOST_SET_OWNER));
	ok(adopt_at(dev, MEM) == EBUSY, "by the owner itself: EBUSY");
	close(dev);

	main_ends = &o;
	MUST(!device_start(&o, own_and_leave_thread));
	MUST(UNTIL(is_zombie(o.pid)));
	ok(adopt_same() == EBUSY,
	   "a thread of the owner lives though its first one has ended: EBUSY");
	owner_kill(&o);
	ok(adopt_table(the_dev, &none) == EINVAL, "no region: EINVAL");
	ok(!adopt_same() && driver_works(0), "then it is adopted");
	close(the_dev);
}

static int own_only(void)
{
	MUST(!ioctl(the_dev, VHOST_SET_OWNER));
	return 0;
}

/* An owner without a table, and an in-flight region that no other process has */
static int own_region(void)
{
	struct vhost_doorbell_inflight part = { .size = 65536 };
	void *p = mmap(NULL, part.size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED);
	part.user_addr = (uintptr_t)p;
	dev_advance(the_dev, OPEN, BACKED);
	return ioctl(the_dev, VHOST_DOORBELL_SET_INFLIGHT, &part) ? errno : 0;
}

/* The device has a back end, so its queues have settings. */
static void test_forgets_region(void)
{
	struct vhost_memory none = { 0 };
	struct owner o;

	MUST(!device_start(&o, own_region));
	owner_kill(&o);
	MUST(!adopt_table(the_dev, &none));
	dev_advance(the_dev, BACKED, READY);
	ok(!set_run(the_dev, 0, 1) && driver_works(0),
	   "the in-flight region of the old owner is forgotten");
	close(the_dev);
}

static int own_and_stop(void)
{
	own();
	MUST(driver_works(0) && driver_works(1));
	return set_run(the_dev, 0, 0) || set_run(the_dev, 1, 0);
}

/* Queues that do not run, with and without a table */
static void test_stopped(void)
{
	struct vhost_vring_state base = { .index = 0 };
	struct vhost_memory none = { 0 }, *table;
	struct owner o;

	MUST(!device_start(&o, own_only));
	owner_kill(&o);
	ok(!adopt_table(the_dev, &none), "a device without a table: no region");
	dev_advance(the_dev, OWNED, RUNNING);
	ok(driver_works(0) && driver_works(1), "the new owner sets it up");
	close(the_dev);

	MUST(!device_start(&o, own_and_stop));
	owner_kill(&o);
	MUST(!adopt_same() && !ioctl(the_dev, VHOST_GET_VRING_BASE, &base));
	ok(base.num == 2 && base.num == driver_avail[0],
	   "a stopped queue keeps its base: %u", base.num);
	MUST(!set_run(the_dev, 0, 1));
	ok(driver_works(0), "and its rings");
	close(the_dev);

	MUST(!device_start(&o, own_and_stop));
	owner_kill(&o);
	table = driver_table();
	table->regions[0].memory_size -= RING(1);
	table->regions[0].guest_phys_addr += RING(1);
	table->regions[0].userspace_addr += RING(1);
	ok(!adopt_table(the_dev, table), "a table without a stopped queue's rings");
	ok(set_run(the_dev, 0, 1) && errno == ENXIO && !set_run(the_dev, 1, 1),
	   "then that queue needs addresses, and the other does not");
	ok(driver_works(1), "which is served");
	close(the_dev);
}

static int own_log(void)
{
	struct vhost_doorbell_log log = { .size = LOG_LEN };
	void *bits = mmap(NULL, LOG_LEN, PROT_READ | PROT_WRITE, MAP_SHARED,
			  FD_LOG, 0);

	MUST(bits != MAP_FAILED);
	log.user_addr = (unsigned long)bits;
	own();
	return ioctl(the_dev, VHOST_DOORBELL_SET_LOG, &log) ? errno : 0;
}

/* Has the device logged a write to this offset in guest memory? */
static bool logged(const unsigned char *bits, unsigned long offset)
{
	unsigned long n = (GPA + offset) >> 12;

	return bits[n / 8] >> n % 8 & 1;
}

static void test_log(void)
{
	unsigned char *bits;
	struct owner o;
	int i;

	fd_at(FD_LOG, memfd_create("log", 0));
	MUST(!ftruncate(FD_LOG, LOG_LEN));
	bits = mmap(NULL, LOG_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, FD_LOG, 0);
	MUST(bits != MAP_FAILED);
	MUST(!device_start(&o, own_log));
	MUST(driver_works(0));
	owner_kill(&o);
	for (i = 0; i < 2; i++) {
		ok(reads_fresh_page(0) && logged(bits, fresh) &&
		   logged(bits, USED(0) - MEM), "the dirty log works on, %d", i);
		memset(bits, 0, LOG_LEN);
		if (!i)
			MUST(!owner_start(&o, adopt_elsewhere));
	}
	owner_kill(&o);
	ok(adopt_table(the_dev, driver_table_with(1ULL << 40, PAGE, MEM)) == EINVAL,
	   "a table with pages that have no bit in it: EINVAL");
	close(the_dev);
}

static void test_wrong_tables(void)
{
	static const struct {
		const char *what;
		int err;
		__u64 gpa, len, addr;
		__u32 n, padding;
	} rows[] = {
		{ "without the rings", EBUSY, GPA + RING(QUEUES),
		  MEM_LEN - RING(QUEUES), MEM + RING(QUEUES), 1, 0 },
		{ "with a part of the rings", EBUSY, GPA, RING(1) + PAGE, MEM,
		  1, 0 },
		{ "at another guest address", EBUSY, GPA + MEM_LEN, MEM_LEN,
		  MEM, 1, 0 },
		{ "of nothing", EINVAL, GPA, 0, MEM, 1, 0 },
		{ "where nothing is mapped", EFAULT, GPA, MEM_LEN,
		  ELSEWHERE + MEM_LEN, 1, 0 },
		{ "of too many regions", E2BIG, GPA, MEM_LEN, MEM, 513, 0 },
		{ "with padding", EOPNOTSUPP, GPA, MEM_LEN, MEM, 1, 1 },
		{ "beyond user space", EINVAL, GPA, MEM_LEN, -MEM_LEN, 1, 0 },
	};
	struct vhost_doorbell_mem_stats before, after;
	struct owner o;
	unsigned int i;

	MUST(!device_start(&o, own));
	MUST(driver_works(0) && driver_works(1));
	owner_kill(&o);
	before = mem_stats(the_dev);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vhost_memory *table = driver_table();
		int err;

		table->nregions = rows[i].n;
		table->padding = rows[i].padding;
		table->regions[0].guest_phys_addr = rows[i].gpa;
		table->regions[0].memory_size = rows[i].len;
		table->regions[0].userspace_addr = rows[i].addr;
		err = adopt_table(the_dev, table);
		table->padding = 0;
		after = mem_stats(the_dev);
		ok(err == rows[i].err && after.bytes == before.bytes &&
		   after.regions == before.regions && !vm_pin() &&
		   set_run(the_dev, 0, 0) && errno == EPERM && driver_works(0),
		   "a table %s: %s, and nothing has changed", rows[i].what,
		   strerror(err));
	}
	ok(ioctl(the_dev, VHOST_DOORBELL_ADOPT, (void *)8) && errno == EFAULT,
	   "a bad pointer: EFAULT");
	ok(!adopt_same() && driver_works(0) && driver_works(1), "then it is adopted");
	close(the_dev);
}

/* --- locked memory --- */

static void limit_memory(unsigned long bytes)
{
	struct rlimit limit = { bytes, bytes };

	MUST(!setrlimit(RLIMIT_MEMLOCK, &limit));
	MUST(!setuid(65534));
}

static int own_limited(void)
{
	limit_memory(MEM_LEN);
	own();
	return vm_pin() != MEM_LEN;
}

static int adopt_with_too_little(void)
{
	limit_memory(MEM_LEN - PAGE);
	return adopt_same() != ENOMEM || vm_pin();
}

static int adopt_limited(void)
{
	limit_memory(MEM_LEN);
	return adopt_same() ?: vm_pin() != MEM_LEN;
}

static int adopt_with_room(void)
{
	limit_memory(2 * MEM_LEN);
	return adopt_same() ?: vm_pin() <= MEM_LEN;
}

static void test_memlock(void)
{
	unsigned long long pinned;
	struct owner o;
	int i;

	ok(!device_start(&o, own_limited),
	   "an owner that may lock exactly the guest's memory");
	MUST(driver_works(0) && driver_works(1));
	owner_kill(&o);
	ok(!owner_start(&o, adopt_with_too_little),
	   "one that may lock a page less cannot adopt it");
	owner_kill(&o);
	for (i = 0; i < 3; i++) {
		ok(!owner_start(&o, adopt_limited),
		   "one that may lock exactly as much can, %d", i);
		ok(driver_works(0) && driver_works(1) && reads_fresh_page(0),
		   "and is served, %d", i);
		owner_kill(&o);
	}
	pinned = mem_stats(the_dev).pinned;
	ok(!owner_start(&o, adopt_with_room),
	   "one with more room is accounted the rings in addition");
	ok(driver_works(0) && driver_works(1), "and is served");
	diag("%llu pages were pinned", pinned);
	owner_kill(&o);
	close(the_dev);
}

/* --- a disk that does not answer --- */

/*
 * Suspend the disk, then read from it. A read before that pins the pages: otherwise the
 * worker would pin them, and give the request back if the owner is killed meanwhile.
 */
static bool stuck_read(unsigned int q)
{
	if (!driver_works(q))
		return false;
	dm("suspend");
	driver_add_at(q, VIRTIO_BLK_T_IN, 8 * q, GPA, DATA(q), 512);
	eventfd_write(FD_KICK + q, 1);
	return UNTIL(get_stats(the_dev, q).in_flight == 1);
}

static int hold_device(void)
{
	return 0;
}

/* The last close by a process that only holds the file, in close() or at its exit */
static void test_close_holder(bool exits)
{
	struct owner o, holder;
	double begin;

	fd_at(FD_SEAL, memfd_create("seal", MFD_ALLOW_SEALING));
	MUST(!ftruncate(FD_SEAL, PAGE));
	MUST(!device_start(&o, own_and_map));
	MUST(stuck_read(0));
	owner_kill(&o);
	if (exits) {
		MUST(!owner_start(&holder, hold_device));
		close(the_dev);
	}
	begin = now();
	if (exits)
		owner_kill(&holder);
	else
		close(the_dev);
	/* An owner that exits would wait for 2 seconds. */
	ok(now() - begin < 1.5 * tap_factor() && !driver_done(0),
	   "a holder's last %s does not wait for the disk: %.3f s",
	   exits ? "exit" : "close", now() - begin);
	ok(unload() == EAGAIN, "and the module is in use");
	ok(UNTIL(can_seal()) && !driver_done(0),
	   "the owner's memory goes before the disk has answered");
	dm("resume");
	ok(UNTIL(driver_done(0)), "the request completes later");
	ok(UNTIL(!unload()), "and everything is released");
	MUST(!system("\"$VM_DIR/load\""));
}

/* A caller that waits for the disk can be killed, and another process adopts the device. */
static void test_killed_adopter(int (*run)(void))
{
	const char *with = run == own ? "" : ", with a log";
	struct owner o, second;

	MUST(!device_start(&o, run));
	MUST(stuck_read(0));
	owner_kill(&o);
	owner_begin(&second, adopt_elsewhere);
	/* Queue 1 would serve this request if no call had paused it. */
	MUST(UNTIL(fdinfo_counter(the_dev, "in_flight") == 1));
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	owner_kill(&second);
	ok(!driver_done(0) && get_stats(the_dev, 0).in_flight == 1 &&
	   get_stats(the_dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "a caller that waits for the disk can be killed%s", with);
	owner_begin(&second, adopt_elsewhere);
	dm("resume");
	ok(!owner_result(&second) && UNTIL(driver_done(0)),
	   "another adopts the device when the disk answers");
	ok(driver_works(0) && driver_works(1), "and it is served");
	owner_kill(&second);
	close(the_dev);
}

/* --- owners that are killed under load --- */

static volatile bool load_over;
static unsigned long load_done, load_bad;

static void *load_thread(void *arg)
{
	unsigned int q = (unsigned long)arg;

	while (!load_over) {
		if (driver_works(q))
			__atomic_add_fetch(&load_done, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&load_bad, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static unsigned long load_count(void)
{
	return __atomic_load_n(&load_done, __ATOMIC_RELAXED);
}

static void test_kills(unsigned int kills)
{
	unsigned long orphan = 0, least = -1UL, at;
	pthread_t thread[1];
	struct owner o;
	unsigned int i;
	bool good;

	MUST(!device_start(&o, own));
	load_over = false;
	MUST(!pthread_create(&thread[0], NULL, load_thread, (void *)1));
	good = true;
	for (i = 0; i < kills && good; i++) {
		at = load_count();
		good = UNTIL(load_count() > at + 3);
		owner_kill(&o);
		at = load_count();
		good = good && UNTIL(load_count() > at + 3);
		at = load_count() - at;
		orphan += at;
		if (at < least)
			least = at;
		good = good && !owner_start(&o, i % 2 ? adopt_same :
						       adopt_elsewhere);
	}
	load_over = true;
	pthread_join(thread[0], NULL);
	ok(good && !load_bad,
	   "%u owners killed: %lu times written and read, %lu of it with no owner, at least %lu each time",
	   i, load_done, orphan, least);
	ok(driver_works(0) && driver_works(1), "and it is served");
	owner_kill(&o);
	close(the_dev);
}

/* --- a process that calls execve() --- */

static int own_and_exec(void)
{
	char dev[16];

	own();
	snprintf(dev, sizeof(dev), "%d", dup(the_dev));
	execl("/proc/self/exe", "adopt", "successor", dev, NULL);
	return 1;
}

/* In the new program of the owner's process */
static int successor(int dev)
{
	map_elsewhere();
	if (set_run(dev, 0, 0) != -1 || errno != EPERM)
		return 2;
	return adopt_at(dev, ELSEWHERE);
}

static void test_exec(void)
{
	struct owner o;
	int status;

	the_dev = dev_open();
	driver_reset();
	o.pid = fork();
	MUST(o.pid >= 0);
	if (!o.pid)
		_exit(own_and_exec());
	MUST(waitpid(o.pid, &status, 0) == o.pid);
	ok(WIFEXITED(status) && !WEXITSTATUS(status),
	   "an owner that calls execve() adopts its device: %d", status);
	ok(driver_works(0), "which is served");
	close(the_dev);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "successor"))
		return successor(arg_number("DEVICE", argv[2], 1000));
	MUST(argc == 4);
	name = argv[1];
	tap_begin(300);
	driver_init();
	fd_at(FD_DISK, open(argv[2], O_RDWR));
	test_survives(VHOST_DOORBELL_MODE_INLINE);
	test_survives(VHOST_DOORBELL_MODE_WORKER);
	test_memory_goes();
	test_who();
	test_stopped();
	test_forgets_region();
	test_wrong_tables();
	test_log();
	test_memlock();
	test_exec();
	test_kills(arg_number("KILLS", argv[3], 100000));
	test_killed_adopter(own);
	test_killed_adopter(own_log);
	test_close_holder(false);
	test_close_holder(true);
	ok(UNTIL(!unload()), "the module goes");
	MUST(!system("\"$VM_DIR/load\""));
	return tap_end();
}
