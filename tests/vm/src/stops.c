// SPDX-License-Identifier: GPL-2.0
/*
 * stops NAME DISK FILE - stops, closes and unloads while requests are in flight
 *
 * DISK is the device-mapper device NAME on top of a disk that completes at
 * once. FILE is empty, to mount something on. The module must be loaded.
 */
#include <linux/aio_abi.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "driver.h"

static const char *name, *disk, *mount_file;

/* --- suspend and resume the disk --- */

static void dm(const char *what)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "dmsetup --noudevsync %s %s", what, name);
	MUST(!system(cmd));
}

static void add_read(unsigned int q)
{
	driver_add_at(q, VIRTIO_BLK_T_IN, 8 * q, GPA, DATA(q), 512);
	eventfd_write(FD_KICK + q, 1);
}

/*
 * A device whose queues have the guest pages of one request pinned: GET_ID uses the same
 * pages as add_read(), and no disk. Else the module pins them when it takes the request,
 * and if a stop interrupts that, it puts the request back into the ring.
 */
static int dev_new_pinned(void)
{
	int dev = dev_new(RUNNING), q;

	for (q = 0; q < QUEUES; q++)
		MUST(!driver_send(q, VIRTIO_BLK_T_GET_ID, 0, 512));
	return dev;
}

/* --- unload the module --- */

/* Unloads the module without waiting. Returns 0, or EAGAIN if it is in use. */
static int unload(void)
{
	return syscall(SYS_delete_module, "vhost_doorbell", O_NONBLOCK) ?
	       errno : 0;
}

static void load(void)
{
	MUST(!system("\"$VM_DIR/load\""));
}

static void test_goes(const char *when)
{
	ok(UNTIL(!unload()), "the module goes %s", when);
	load();
}

/* --- threads that share memory and files, killed one at a time --- */

struct caller {
	pid_t	pid;
	int	dev;
	int	(*call)(int dev);
	char	stack[65536] __attribute__((aligned(16)));
};

static struct caller callers[2];

static int caller_run(void *arg)
{
	struct caller *c = arg;

	return c->call(c->dev) ? errno : 0;
}

static void caller_start(struct caller *c, int dev, int (*call)(int dev))
{
	c->dev = dev;
	c->call = call;
	c->pid = clone(caller_run, c->stack + sizeof(c->stack),
		       CLONE_VM | CLONE_FILES | SIGCHLD, c);
	MUST(c->pid > 0);
}

/* Has the call ended? *@how is -1 if its process was killed, else its result. */
static bool caller_ended(struct caller *c, int *how)
{
	int status;

	if (waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	*how = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return true;
}

static int call_stop(int dev)
{
	return set_run(dev, 0, 0);
}

static int call_table(int dev)
{
	struct vhost_memory *table = driver_table_with(GPA + MEM_LEN, PAGE, MEM);

	return ioctl(dev, VHOST_SET_MEM_TABLE, table);
}

/* Covers guest memory and what call_table() adds. */
static __u64 log_bits[8192];

static int set_log(int dev, bool on)
{
	struct vhost_doorbell_log log = {
		.user_addr = on ? (uintptr_t)log_bits : 0,
		.size = on ? sizeof(log_bits) : 0,
	};

	return ioctl(dev, VHOST_DOORBELL_SET_LOG, &log);
}

static int call_log(int dev)
{
	return set_log(dev, true);
}

static int call_log_end(int dev)
{
	return set_log(dev, false);
}

/* Reads the file into a string of @size bytes at most. Returns its length. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	MUST(fd >= 0);
	n = read(fd, text, size - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n;
}

static bool fdinfo_says(int dev, const char *line)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev);
	MUST(read_text(path, text, sizeof(text)) > 0);
	return strstr(text, line);
}

/*
 * A fatal signal ends a call that waits for the disk; the call must have
 * changed nothing.
 */
static void test_killable(const char *what, int (*call)(int dev), bool log)
{
	struct vhost_doorbell_mem_stats before, after;
	int dev = dev_new(RUNNING), how;
	struct caller *c = callers;

	MUST(driver_works(0) && driver_works(1));
	memset(log_bits, 0, sizeof(log_bits));
	MUST(!log || !set_log(dev, true));
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &before));
	dm("suspend");
	add_read(0);
	MUST(UNTIL(fdinfo_counter(dev, "in_flight") == 1));
	caller_start(c, dev, call);
	ok(UNTIL(fdinfo_says(dev, "\nstate:\tstopping\n")),
	   "%s: fdinfo says that it waits", what);
	ok(fdinfo_says(dev, "\nbackend:\tblk\n") &&
	   fdinfo_says(dev, "\ncapacity:\t") &&
	   fdinfo_counter(dev, "in_flight") == 1 &&
	   fdinfo_says(dev, "\nqueue1:\tstate=running "),
	   "%s: and for what", what);
	ok(!caller_ended(c, &how), "%s: which is not over", what);
	MUST(!kill(c->pid, SIGKILL));
	ok(UNTIL(caller_ended(c, &how)) && how == -1,
	   "%s: the caller can be killed", what);
	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &after));
	ok(get_stats(dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING &&
	   get_stats(dev, 0).in_flight == 1 && !driver_done(0) &&
	   after.regions == before.regions && after.bytes == before.bytes &&
	   !fdinfo_says(dev, "\nstate:"),
	   "%s: it has changed nothing", what);
	add_read(1);
	dm("resume");
	ok(driver_wait(0) == VIRTIO_BLK_S_OK && driver_wait(1) == VIRTIO_BLK_S_OK,
	   "%s: what was in flight completes, and what came later", what);
	MUST(driver_works(0) && driver_works(1) &&
	     !ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &after));
	ok(log ? after.logged > before.logged : !after.logged,
	   "%s: %llu pages are logged", what,
	   (unsigned long long)after.logged);
	ok(!call(dev), "%s: and once more", what);
	MUST(call != call_stop || !set_run(dev, 0, 1));
	ok(driver_works(0) && driver_works(1), "%s: the queues serve", what);
	close(dev);
}

/*
 * Where RLIMIT_MEMLOCK has no room for a log it takes the place of data pages, which a
 * request in flight keeps. So SET_LOG waits for the disk: QEMU before 10.1 aborts if the
 * log cannot start.
 */
static int log_at_limit(int dev)
{
	struct rlimit limit = { MEM_LEN, MEM_LEN };

	MUST(!syscall(SYS_prlimit64, 0, RLIMIT_MEMLOCK, &limit, NULL));
	MUST(!syscall(SYS_setuid, 65534));
	return set_log(dev, true);
}

static void read_all(unsigned long from, unsigned long to)
{
	for (unsigned long n; from < to; from += n) {
		n = to - from < DISK_LEN ? to - from : DISK_LEN;
		driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, from, n);
		eventfd_write(FD_KICK, 1);
		MUST(driver_wait(0) == VIRTIO_BLK_S_OK);
	}
}

static void test_log_waits(void)
{
	int dev = dev_new_pinned(), how, q;

	/* Every page but those of the rings is pinned. */
	for (q = 0; q < QUEUES; q++)
		read_all(DATA(q), RING(q + 1));
	read_all(RING(QUEUES), MEM_LEN);
	dm("suspend");
	add_read(0);
	MUST(UNTIL(fdinfo_counter(dev, "in_flight") == 1));
	caller_start(&callers[0], dev, log_at_limit);
	ok(UNTIL(fdinfo_says(dev, "\nstate:\tstopping\n")) &&
	   !caller_ended(&callers[0], &how),
	   "a log for which the limit has no room waits for the disk");
	dm("resume");
	ok(UNTIL(caller_ended(&callers[0], &how)) && !how,
	   "and begins when the disk answers");
	ok(driver_works(0) && driver_works(1), "which is served");
	close(dev);
}

/*
 * Two processes wait: one for the disk, the other for the device's lock, which the first
 * holds.
 */
static void test_second(void)
{
	int dev = dev_new_pinned(), how;

	dm("suspend");
	add_read(0);
	MUST(UNTIL(fdinfo_counter(dev, "in_flight") == 1));
	caller_start(&callers[0], dev, call_stop);
	MUST(UNTIL(fdinfo_says(dev, "\nstate:\tstopping\n")));
	caller_start(&callers[1], dev, call_table);
	MUST(!kill(callers[1].pid, SIGKILL));
	ok(UNTIL(caller_ended(&callers[1], &how)) && how == -1,
	   "a second caller can be killed, too");
	dm("resume");
	ok(UNTIL(caller_ended(&callers[0], &how)) && !how,
	   "the first one's stop ends with the request");
	ok(driver_done(0) && get_stats(dev, 0).state == 0 && driver_works(1),
	   "which is done");
	close(dev);
}

/* --- owners that are killed --- */

/* Starts a process that owns a device, with requests in flight or completed. */
static pid_t owner_start(int (*prepare)(void), unsigned int in_flight)
{
	int ready[2];
	pid_t pid;
	char c;

	MUST(!pipe(ready));
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		unsigned int requests;
		int dev, q;

		if (prepare)
			fd_at(FD_DISK, prepare());
		/* Of each queue; dev_new_pinned() has sent one. */
		requests = in_flight ? 2 : 1;
		dev = in_flight ? dev_new_pinned() : dev_new(RUNNING);
		for (q = 0; q < QUEUES; q++)
			add_read(q);
		for (q = 0; q < QUEUES; q++)
			MUST(UNTIL(get_stats(dev, q).requests == requests &&
				   get_stats(dev, q).in_flight == in_flight));
		MUST(write(ready[1], "", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	MUST(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	return pid;
}

static void test_killed_owner(void)
{
	struct caller c = { 0 };
	int dev, how;

	dm("suspend");
	c.pid = owner_start(NULL, 1);
	MUST(!kill(c.pid, SIGKILL));
	ok(UNTIL(caller_ended(&c, &how)) && how == -1,
	   "an owner ends when it is killed, though its disk does not answer");
	ok(unload() == EAGAIN && unload() == EAGAIN,
	   "the module does not go meanwhile");
	/*
	 * The new device has the memory of the killed owner's device, so it has
	 * the same ring.
	 */
	dev = dev_new(READY);
	ok(set_run(dev, 0, 1) && errno == EBUSY,
	   "a ring that it is to complete into is not served by another device");
	dm("resume");
	ok(UNTIL(!set_run(dev, 0, 1)), "but when the disk has answered");
	close(dev);
	test_goes("when the disk has answered");
}

static void test_close_exit(void)
{
	struct caller c = { 0 };
	int how;

	c.pid = owner_start(NULL, 0);
	MUST(!kill(c.pid, SIGKILL));
	MUST(UNTIL(caller_ended(&c, &how)));
	test_goes("after an owner whose disk answers");
}

static int call_close(int dev)
{
	return close(dev);
}

/*
 * Does the caller of close() wait in the module? To ask by fcntl() whether the descriptor
 * is closed would be wrong: with shared descriptors that takes a reference to the file. If
 * this is the last one, the process that asks releases the device, and waits instead.
 */
static bool caller_waits(const struct caller *c)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/stack", c->pid);
	/* Empty while it runs in user space. */
	read_text(path, text, sizeof(text));
	return strstr(text, "bell_device_release");
}

/*
 * A process that does not exit waits in close() for as long as the disk takes.
 */
static void test_close_wait(void)
{
	int dev = dev_new_pinned(), how;

	dm("suspend");
	add_read(0);
	MUST(UNTIL(fdinfo_counter(dev, "in_flight") == 1));
	caller_start(&callers[0], dev, call_close);
	ok(UNTIL(caller_waits(&callers[0])) && !caller_ended(&callers[0], &how),
	   "close waits for the disk");
	dm("resume");
	ok(UNTIL(caller_ended(&callers[0], &how)) && !how,
	   "it returns when the disk has answered");
	ok(driver_done(0), "all is completed then");
	dev = dev_new_pinned();
	dm("suspend");
	add_read(0);
	MUST(UNTIL(fdinfo_counter(dev, "in_flight") == 1));
	caller_start(&callers[0], dev, call_close);
	MUST(UNTIL(caller_waits(&callers[0])));
	MUST(!kill(callers[0].pid, SIGKILL));
	ok(UNTIL(caller_ended(&callers[0], &how)) && how == -1,
	   "a caller of close can be killed");
	ok(!driver_done(0) && unload() == EAGAIN, "the request is still in flight");
	dm("resume");
	ok(UNTIL(driver_done(0)), "it completes later");
	test_goes("after that");
}

/* --- number of RCU grace periods --- */

#define TRACING		"/sys/kernel/tracing/"

static bool trace_set(const char *file, const char *what)
{
	char path[128];
	bool done;
	FILE *f;

	snprintf(path, sizeof(path), TRACING "%s", file);
	f = fopen(path, "w");
	if (!f)
		return false;
	done = fputs(what, f) >= 0;
	return !fclose(f) && done;
}

/* Lines of the kernel's trace that belong to this process */
static unsigned int trace_lines(void)
{
	char line[512], pid[16];
	unsigned int n = 0;
	FILE *f;

	snprintf(pid, sizeof(pid), "-%d ", getpid());
	f = fopen(TRACING "trace", "r");
	MUST(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, pid) && strstr(line, "synchronize_rcu");
	fclose(f);
	return n;
}

/* Grace periods during the close of a device with @queues running queues */
static unsigned int grace_periods(int queues)
{
	int dev = dev_new(READY), q;
	unsigned int n;

	for (q = 0; q < queues; q++)
		MUST(!set_run(dev, q, 1) && driver_works(q));
	MUST(trace_set("current_tracer", "function"));
	trace_set("trace", "");
	close(dev);
	n = trace_lines();
	trace_set("current_tracer", "nop");
	return n;
}

/* The number of grace periods must not grow with the number of queues. */
static void test_grace_periods(void)
{
	unsigned int one, two;

	if (!trace_set("set_ftrace_filter", "synchronize_rcu")) {
		skip("one grace period for all queues", "no function tracer");
		return;
	}
	/* On kernel 6.1 each close takes one more, for any number of queues. */
	one = grace_periods(1);
	two = grace_periods(2);
	trace_set("set_ftrace_filter", "");
	ok(one && one == two, "one grace period for all queues: %u, %u", one,
	   two);
}

/* --- an owner that is the server of its own disk --- */

static int fuse_fd;

static void fuse_answer(__u64 unique, const void *data, size_t len)
{
	struct {
		struct fuse_out_header head;
		char data[256];
	} out = { .head = { .len = sizeof(out.head) + len, .unique = unique } };

	memcpy(out.data, data, len);
	MUST(write(fuse_fd, &out, out.head.len) == out.head.len);
}

/*
 * The root of this file system is a regular file. All requests except reads are
 * answered.
 */
static void *fuse_serve(void *arg)
{
	static char buf[1 << 20];
	struct fuse_in_header *in = (void *)buf;
	struct fuse_attr attr = {
		.ino = FUSE_ROOT_ID, .size = DISK_LEN, .blocks = DISK_LEN / 512,
		.mode = S_IFREG | 0600, .nlink = 1, .blksize = PAGE,
	};
	struct fuse_attr_out got = { .attr = attr };
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31,
		.max_readahead = PAGE, .max_write = PAGE,
	};
	struct fuse_open_out opened = { .fh = 1, .open_flags = FOPEN_DIRECT_IO };
	struct fuse_out_header no = { .len = sizeof(no), .error = -ENOSYS };

	(void)arg;
	while (read(fuse_fd, buf, sizeof(buf)) > 0) {
		switch (in->opcode) {
		case FUSE_INIT:
			fuse_answer(in->unique, &init, sizeof(init));
			break;
		case FUSE_GETATTR:
			fuse_answer(in->unique, &got, sizeof(got));
			break;
		case FUSE_OPEN:
			fuse_answer(in->unique, &opened, sizeof(opened));
			break;
		case FUSE_READ:
		case FUSE_FORGET:
			break;
		default:
			no.unique = in->unique;
			MUST(write(fuse_fd, &no, sizeof(no)) == sizeof(no));
		}
	}
	return NULL;
}

static int fuse_disk(void)
{
	char options[128];
	pthread_t thread;
	struct stat st;
	int fd;

	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	MUST(fuse_fd >= 0);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=0100600,user_id=0,group_id=0", fuse_fd);
	MUST(!mount("stops", mount_file, "fuse", 0, options));
	MUST(!pthread_create(&thread, NULL, fuse_serve, NULL));
	fd = open(mount_file, O_RDWR);
	/* FUSE asks the server for the root's size only on fstat(). */
	MUST(fd >= 0 && !fstat(fd, &st) && st.st_size == DISK_LEN);
	return fd;
}

static void test_fuse(void)
{
	struct caller c = { .pid = owner_start(fuse_disk, 1) };
	int how;

	MUST(!kill(c.pid, SIGKILL));
	ok(UNTIL(caller_ended(&c, &how)) && how == -1,
	   "an owner ends when it is killed, though it is to answer as the disk");
	test_goes("when such an owner has ended");
	umount2(mount_file, MNT_DETACH);
}

/* --- ringing threads that block or are killed --- */

/*
 * Rings and then blocks within one system call, so that the task work does not
 * run.
 */
static void ring_and_block(void)
{
	int zero = open("/dev/zero", O_RDONLY), empty[2];
	static char buf[16];
	struct iocb ring = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = zero,
		.aio_buf = (unsigned long)buf, .aio_nbytes = 1,
		.aio_flags = IOCB_FLAG_RESFD, .aio_resfd = FD_KICK,
	}, block = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_buf = (unsigned long)buf,
		.aio_nbytes = 1,
	}, *both[] = { &ring, &block };
	aio_context_t ctx = 0;

	MUST(zero >= 0 && !pipe(empty));
	block.aio_fildes = empty[0];
	MUST(!syscall(SYS_io_setup, 2, &ctx));
	syscall(SYS_io_submit, ctx, 2, both);
}

static void test_ringer(void)
{
	int dev = dev_new(READY), how;
	struct caller c = { 0 };
	__u64 kicks;

	MUST(!set_mode(dev, VHOST_DOORBELL_MODE_INLINE));
	dev_advance(dev, READY, RUNNING);
	MUST(driver_works(0));
	kicks = get_stats(dev, 0).kicks;
	c.pid = fork();
	MUST(c.pid >= 0);
	if (!c.pid) {
		/* Only the parent shall hold the device. */
		close(dev);
		ring_and_block();
		_exit(1);
	}
	MUST(UNTIL(get_stats(dev, 0).kicks == kicks + 1));
	close(dev);
	ok(unload() == EAGAIN && !caller_ended(&c, &how),
	   "the module says busy while a ringer has not left the kernel");
	MUST(!kill(c.pid, SIGKILL));
	MUST(UNTIL(caller_ended(&c, &how)));
	test_goes("when the ringer has left");
}

/* Two queues whose call eventfd is the kick eventfd of the other one */
static void test_crosswise(void)
{
	struct vhost_doorbell_stats a, b;
	int dev = dev_new(READY);

	MUST(!set_mode(dev, VHOST_DOORBELL_MODE_INLINE));
	MUST(!set_file(dev, VHOST_SET_VRING_CALL, 0, FD_KICK + 1));
	MUST(!set_file(dev, VHOST_SET_VRING_CALL, 1, FD_KICK));
	dev_advance(dev, READY, RUNNING);
	MUST(driver_works(0) && driver_works(1));
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	driver_add_at(1, VIRTIO_BLK_T_IN, 8, GPA, DATA(1), 512);
	a = get_stats(dev, 0);
	b = get_stats(dev, 1);
	eventfd_write(FD_KICK, 1);
	ok(driver_wait(0) == VIRTIO_BLK_S_OK && driver_wait(1) == VIRTIO_BLK_S_OK,
	   "crosswise: both queues serve");
	diag("inline passes: %llu, %llu",
	     get_stats(dev, 0).inline_passes - a.inline_passes,
	     get_stats(dev, 1).inline_passes - b.inline_passes);
	/*
	 * The pass of the first queue is still running when the other queue's
	 * worker rings, so it looks at the ring again.
	 */
	ok(get_stats(dev, 1).inline_passes == b.inline_passes,
	   "crosswise: only the first of them by the thread that rang");
	close(dev);
}

/*
 * KVM keeps only the context of an eventfd, not its file; so does an aio poll.
 */
static void test_closed_kick(void)
{
	int dev = dev_new(READY), kick = eventfd(0, EFD_NONBLOCK), p[2];
	struct iocb poll = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN,
		.aio_flags = IOCB_FLAG_RESFD, .aio_resfd = kick,
	}, *one = &poll;
	aio_context_t ctx = 0;

	MUST(kick >= 0 && !pipe(p));
	poll.aio_fildes = p[0];
	MUST(!set_file(dev, VHOST_SET_VRING_KICK, 0, kick));
	dev_advance(dev, READY, READY);
	MUST(!set_run(dev, 0, 1));
	MUST(!syscall(SYS_io_setup, 1, &ctx));
	MUST(syscall(SYS_io_submit, ctx, 1, &one) == 1);
	close(kick);
	driver_add_at(0, VIRTIO_BLK_T_IN, 0, GPA, DATA(0), 512);
	MUST(write(p[1], "", 1) == 1);
	ok(driver_wait(0) == VIRTIO_BLK_S_OK,
	   "an eventfd that has no descriptor any more still rings");
	ok(get_stats(dev, 0).state == VHOST_DOORBELL_QUEUE_RUNNING,
	   "its queue is not hung up");
	close(dev);
}

/* --- the module's kernel threads --- */

static unsigned int task_flags(__u64 pid)
{
	unsigned int flags;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%llu/stat", pid);
	f = fopen(path, "r");
	MUST(f);
	MUST(fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %u", &flags) == 1);
	fclose(f);
	return flags;
}

static void test_freezer(void)
{
	int dev = dev_new(RUNNING);

	/* PF_NOFREEZE: the worker clears it when it starts */
	ok(UNTIL(!(task_flags(get_stats(dev, 0).worker_pid) & 0x8000)),
	   "a worker can be frozen");
	close(dev);
}

static int make_bell(int dev)
{
	struct vhost_doorbell_bell bell = { .mode = VHOST_DOORBELL_BELL_WORKER };

	return ioctl(dev, VHOST_DOORBELL_CREATE_BELL, &bell);
}

/*
 * The test: start workers as a user whose RLIMIT_NPROC is 2. Returns the number of the
 * step that failed, or 0.
 */
static int limited(int dev, int running)
{
	struct rlimit two = { 2, 2 };
	int a, b, c;

	MUST(!setrlimit(RLIMIT_NPROC, &two) && !setgid(65534) &&
	     !setuid(65534));
	if (!set_mode(dev, VHOST_DOORBELL_MODE_POLL) || errno != EPERM ||
	    set_mode(dev, VHOST_DOORBELL_MODE_INLINE))
		return 1;
	a = make_bell(dev);
	b = make_bell(dev);
	c = make_bell(dev);
	if (a < 0 || b < 0 || c >= 0 || errno != EAGAIN)
		return 2;
	/* Workers of root do not count against this user's limit. */
	if (get_stats(running, 0).state != VHOST_DOORBELL_QUEUE_RUNNING)
		return 3;
	close(a);
	a = make_bell(dev);
	if (a < 0 || make_bell(dev) >= 0 || errno != EAGAIN)
		return 4;
	return 0;
}

static void test_limit(void)
{
	int dev = dev_new(OWNED), running = dev_new(RUNNING), status;
	pid_t pid = fork();

	MUST(pid >= 0);
	if (!pid)
		_exit(limited(dev, running));
	MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	ok(!status, "a user's workers are limited, and poll: %d",
	   WEXITSTATUS(status));
	close(dev);
	close(running);
}

int main(int argc, char **argv)
{
	MUST(argc == 4);
	name = argv[1];
	disk = argv[2];
	mount_file = argv[3];
	tap_begin(120);
	driver_init();
	fd_at(FD_DISK, open(disk, O_RDWR));
	test_killable("SET_RUN 0", call_stop, false);
	test_killable("SET_MEM_TABLE", call_table, false);
	test_killable("SET_LOG", call_log, false);
	test_killable("SET_RUN 0 with a log", call_stop, true);
	test_killable("SET_MEM_TABLE with a log", call_table, true);
	test_killable("another log", call_log, true);
	test_killable("end of the log", call_log_end, true);
	test_log_waits();
	test_second();
	test_closed_kick();
	test_crosswise();
	test_freezer();
	test_limit();
	test_grace_periods();
	test_close_exit();
	test_close_wait();
	test_killed_owner();
	test_ringer();
	test_fuse();
	return tap_end();
}
