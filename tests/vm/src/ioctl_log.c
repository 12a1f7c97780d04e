// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_log - SET_LOG and SET_CLAIM: each rule that an argument can break, and what is
 * logged of requests that run
 */
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ioctl.h"

/* The bitmap: a bit for each page up to the end of guest memory */
#define LOG		0x33000000UL
#define LOG_ROOM	0x10000UL
#define LOG_SIZE	((GPA + MEM_LEN) / PAGE / 8)
/* Read-only memory */
#define FROZEN		0x34000000UL

enum {
	FD_CLAIM	= 240,
	FD_DIRECTORY,
	FD_CHAR,
	FD_PIPE,
	FD_PIPE_END,
	FD_SOCKET,
	FD_CLOSED,
};

#define SET_LOG(...)	.cmd = VHOST_DOORBELL_SET_LOG, .log = {		\
	.user_addr = LOG, .size = LOG_SIZE, __VA_ARGS__ }
#define SET_CLAIM(...)	.cmd = VHOST_DOORBELL_SET_CLAIM, .claim = {	\
	.fd = FD_CLAIM, __VA_ARGS__ }

static const struct row always[] = {
	{ "SET_LOG: bad pointer", SET_LOG(), .ptr = BAD, .err = EFAULT },
	{ "SET_LOG: reserved not zero", SET_LOG(.reserved = { 1 }),
	  .err = EINVAL },
	{ "SET_LOG: an address without a size", SET_LOG(.size = 0),
	  .err = EINVAL },
	{ "SET_CLAIM: bad pointer", SET_CLAIM(), .ptr = BAD, .err = EFAULT },
	{ "SET_CLAIM: pad not zero", SET_CLAIM(.pad = 1), .err = EINVAL },
	{ "SET_CLAIM: reserved not zero", SET_CLAIM(.reserved = { 1 }),
	  .err = EINVAL },
	{ "SET_CLAIM: fd is -2", SET_CLAIM(.fd = -2), .err = EINVAL },
};

static const struct row owners[] = {
	{ "SET_LOG", SET_LOG() },
	{ "SET_LOG: end", SET_LOG(.user_addr = 0, .size = 0) },
	{ "SET_CLAIM", SET_CLAIM() },
	{ "SET_CLAIM: none", SET_CLAIM(.fd = -1) },
};

static const struct row claims[] = {
	{ "SET_CLAIM: fd is not open", SET_CLAIM(.fd = FD_CLOSED), .err = EBADF },
	{ "SET_CLAIM: a directory", SET_CLAIM(.fd = FD_DIRECTORY), .err = EINVAL },
	{ "SET_CLAIM: a character device", SET_CLAIM(.fd = FD_CHAR), .err = EINVAL },
	{ "SET_CLAIM: a pipe", SET_CLAIM(.fd = FD_PIPE), .err = EINVAL },
	{ "SET_CLAIM: a socket", SET_CLAIM(.fd = FD_SOCKET), .err = EINVAL },
	{ "SET_CLAIM: none", SET_CLAIM(.fd = -1) },
	{ "SET_CLAIM: none again", SET_CLAIM(.fd = -1) },
};

static const struct row tableless[] = {
	{ "SET_LOG", SET_LOG(), .err = ENXIO },
	{ "SET_LOG: end of none", SET_LOG(.user_addr = 0, .size = 0) },
};

static const struct row logs[] = {
	{ "SET_LOG: address not aligned", SET_LOG(.user_addr = LOG + 4),
	  .err = EINVAL },
	{ "SET_LOG: size not aligned", SET_LOG(.size = LOG_SIZE + 4),
	  .err = EINVAL },
	{ "SET_LOG: a word too short", SET_LOG(.size = LOG_SIZE - 8),
	  .err = EINVAL },
	{ "SET_LOG: too long", SET_LOG(.size = VHOST_DOORBELL_MAX_LOG + 8),
	  .err = EINVAL },
	{ "SET_LOG: 2^64 - 8 bytes", SET_LOG(.size = -8ULL), .err = EINVAL },
	{ "SET_LOG: not mapped", SET_LOG(.user_addr = NOWHERE), .err = EFAULT },
	{ "SET_LOG: not mapped to its end",
	  SET_LOG(.user_addr = LOG + LOG_ROOM - PAGE), .err = EFAULT },
	{ "SET_LOG: not writable", SET_LOG(.user_addr = FROZEN), .err = EFAULT },
	{ "SET_LOG: end of none", SET_LOG(.user_addr = 0, .size = 0) },
};

static const struct row running[] = {
	{ "SET_CLAIM: while a queue runs", SET_CLAIM(), .err = EBUSY },
	{ "SET_CLAIM: none while a queue runs", SET_CLAIM(.fd = -1),
	  .err = EBUSY },
};

static void in_child(int dev)
{
	int status, wrong = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++)
			wrong += call_row(dev, &owners[i]) != EPERM;
		_exit(wrong);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	ok(!status, "another process may change neither log nor claim");
}

static bool logged(__u64 gpa)
{
	return ((__u8 *)LOG)[gpa / PAGE / 8] & 1 << gpa / PAGE % 8;
}

static unsigned int log_bits(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < LOG_ROOM; i++)
		n += __builtin_popcount(((__u8 *)LOG)[i]);
	return n;
}

static int set_log(int dev, __u64 addr, __u64 size)
{
	struct vhost_doorbell_log log = { .user_addr = addr, .size = size };

	return ioctl(dev, VHOST_DOORBELL_SET_LOG, &log);
}

static int set_claim(int dev, int fd)
{
	struct vhost_doorbell_claim claim = { .fd = fd };

	return ioctl(dev, VHOST_DOORBELL_SET_CLAIM, &claim);
}

static __u64 pages_logged(int dev)
{
	struct vhost_doorbell_mem_stats st;

	MUST(!ioctl(dev, VHOST_DOORBELL_GET_MEM_STATS, &st));
	return st.logged;
}

static void test_logged(int dev)
{
	struct vhost_memory *table;
	unsigned int bits;

	memset((void *)LOG, 0, LOG_ROOM);
	ok(!set_log(dev, LOG, LOG_SIZE), "SET_LOG while queues run");
	ok(driver_send(0, VIRTIO_BLK_T_IN, 0, PAGE) == VIRTIO_BLK_S_OK &&
	   logged(GPA + DATA(0)) && logged(GPA + RING(0) + 0x2000) &&
	   logged(GPA + STATUS(0)) && !logged(GPA) && !logged(GPA + DATA(1)),
	   "a read logs its data, its status and the used ring");
	bits = log_bits();
	ok(UNTIL(pages_logged(dev) == (bits = log_bits())),
	   "each bit is counted: %u", bits);
	memset((void *)LOG, 0, LOG_ROOM);
	ok(driver_send(1, VIRTIO_BLK_T_OUT, 0, PAGE) == VIRTIO_BLK_S_OK &&
	   !logged(GPA + DATA(1)) && logged(GPA + RING(1) + 0x2000) &&
	   logged(GPA + STATUS(1)), "a write does not log its data");
	table = driver_table_with(1ULL << 40, PAGE, MEM);
	ok(ioctl(dev, VHOST_SET_MEM_TABLE, table) && errno == EINVAL,
	   "SET_MEM_TABLE: memory beyond the log");
	/* The rings tell the driver about kicks again, which is logged, too. */
	ok(!ioctl(dev, VHOST_SET_MEM_TABLE, driver_table()) &&
	   UNTIL(pages_logged(dev) == bits + log_bits()),
	   "SET_MEM_TABLE: the log goes along, and its count");
	memset((void *)LOG, 0, LOG_ROOM);
	ok(driver_send(0, VIRTIO_BLK_T_IN, 0, PAGE) == VIRTIO_BLK_S_OK &&
	   logged(GPA + DATA(0)), "and is used");
	/* What is pinned stays, whatever becomes of the mapping. */
	MUST(!munmap((void *)LOG, LOG_ROOM));
	ok(driver_works(0) && driver_works(1), "the bitmap is unmapped: the queues serve");
	MUST(mmap((void *)LOG, LOG_ROOM, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	     (void *)LOG);
	ok(!set_log(dev, LOG, LOG_SIZE) && driver_works(0) && log_bits(),
	   "another bitmap takes its place");
	bits = pages_logged(dev);
	ok(!set_log(dev, 0, 0) && pages_logged(dev) == bits, "SET_LOG: end");
	memset((void *)LOG, 0, LOG_ROOM);
	ok(driver_works(0) && driver_works(1) && !log_bits(),
	   "nothing is logged any more");
}

/* A lock lasts while the device has the file, and no longer. */
static void test_claim(void)
{
	int dev = dev_new(READY), other, third;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", FD_CLAIM);
	other = open(path, O_RDWR);
	third = open(path, O_RDWR);
	MUST(other >= 0 && third >= 0 && !flock(FD_CLAIM, LOCK_EX | LOCK_NB));
	ok(!set_claim(dev, FD_CLAIM), "SET_CLAIM: a file");
	close(FD_CLAIM);
	ok(flock(other, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK,
	   "its lock lasts when the caller has closed it");
	dev_advance(dev, READY, RUNNING);
	ok(driver_works(0) && driver_works(1), "the queues serve");
	MUST(!set_run(dev, 0, 0) && !set_run(dev, 1, 0));
	ok(!set_claim(dev, -1), "SET_CLAIM: none");
	ok(!flock(other, LOCK_EX | LOCK_NB), "then the lock is gone");
	ok(!set_claim(dev, other), "SET_CLAIM: another");
	close(other);
	ok(flock(third, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK,
	   "it has the lock now");
	close(dev);
	ok(UNTIL(!flock(third, LOCK_EX | LOCK_NB)), "a closed device has none");
	close(third);
}

static void open_files(void)
{
	int fds[2];

	MUST(mmap((void *)LOG, LOG_ROOM, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	     (void *)LOG);
	MUST(mmap((void *)FROZEN, LOG_ROOM, PROT_READ,
		  MAP_SHARED | MAP_FIXED_NOREPLACE, FD_MEM, 0) != MAP_FAILED);
	fd_at(FD_CLAIM, memfd_create("claim", 0));
	fd_at(FD_DIRECTORY, open("/tmp", O_RDONLY));
	fd_at(FD_CHAR, open("/dev/null", O_RDWR));
	MUST(!pipe(fds));
	fd_at(FD_PIPE, fds[0]);
	fd_at(FD_PIPE_END, fds[1]);
	fd_at(FD_SOCKET, socket(AF_UNIX, SOCK_STREAM, 0));
}

int main(void)
{
	int dev;

	tap_begin(60);
	driver_init();
	open_files();

	dev = dev_new(OPEN);
	EXPECT(dev, "no owner", always);
	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++)
		expect(dev, "no owner", &owners[i], EPERM);
	dev_advance(dev, OPEN, OWNED);
	EXPECT(dev, "no memory", always);
	EXPECT(dev, "no memory", tableless);
	EXPECT(dev, "no memory", claims);
	dev_advance(dev, OWNED, READY);
	EXPECT(dev, "stopped", always);
	EXPECT(dev, "stopped", logs);
	EXPECT(dev, "stopped", claims);
	dev_advance(dev, READY, RUNNING);
	EXPECT(dev, "running", always);
	EXPECT(dev, "running", logs);
	EXPECT(dev, "running", running);
	in_child(dev);
	ok(driver_works(0) && driver_works(1),
	   "running: what failed has changed nothing");
	test_logged(dev);
	close(dev);
	test_claim();
	return tap_end();
}
