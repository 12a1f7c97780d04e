// SPDX-License-Identifier: GPL-2.0
/*
 * test_ctl_disk - opening, locking and examining a disk
 *
 * TAP on stdout, exit 0 or 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "disk_lock.h"
#include "fd.h"
#include "image_format.h"
#include "test_ctl.h"

static int open_claimed(struct disk *d, const char *path, bool read_only,
			enum disk_locking locking)
{
	int ret = disk_open(d, path, read_only, locking);

	if (ret)
		return ret;
	ret = disk_claim(d);
	if (ret)
		disk_close(d);
	return ret;
}

static char path[] = "/tmp/test_ctl_disk.XXXXXX";

/*
 * Opens the image and locks @len bytes at each offset of @bytes (0 ends the
 * list), as another program does.
 */
static int other(const off_t *bytes, short type, off_t len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	for (; fd >= 0 && *bytes; bytes++) {
		struct flock lock = {
			.l_type = type, .l_whence = SEEK_SET,
			.l_start = *bytes, .l_len = len,
		};

		if (fcntl(fd, F_OFD_SETLK, &lock))
			fd_close(&fd);
	}
	return fd;
}

/* Does our lock conflict with a lock of QEMU on this byte? */
static bool is_locked(off_t byte)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1,
	};

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static bool are_locked(off_t first, const char *map)
{
	for (; *map; map++, first++)
		if (is_locked(first) != (*map == '1'))
			return false;
	return true;
}

static void test_bytes(void)
{
	struct disk d;

	ok(!open_claimed(&d, path, false, DISK_LOCKING_AUTO), "a writer opens");
	ok(are_locked(98, "0011000") && are_locked(198, "0001000"),
	   "a writer's locks are those of QEMU's raw virtio-blk");
	ok(is_locked(1 << 20), "and exclude locks of the whole file");
	disk_close(&d);
	ok(!open_claimed(&d, path, true, DISK_LOCKING_ON), "a reader opens");
	ok(are_locked(98, "0010000") && are_locked(198, "0001000"),
	   "a reader's are, too");
	disk_close(&d);
	ok(are_locked(98, "0000000") && are_locked(198, "0000000") &&
	   !is_locked(1 << 20), "none is left");
	ok(!open_claimed(&d, path, false, DISK_LOCKING_OFF) &&
	   are_locked(98, "0000000") && are_locked(198, "0000000"),
	   "none is taken with locking off");
	disk_close(&d);
}

static void test_others(void)
{
	static const struct {
		const char *who;
		off_t bytes[4];
		short type;
		off_t len;
		int read_only, writable;
	} rows[] = {
		{ "QEMU, writing", { 100, 101, 201 }, F_RDLCK, 1, -EAGAIN, -EAGAIN },
		{ "QEMU, writing, shared", { 100, 101 }, F_RDLCK, 1, -EAGAIN,
		  -EAGAIN },
		{ "QEMU, reading", { 100, 201 }, F_RDLCK, 1, 0, -EAGAIN },
		{ "QEMU, reading, shared", { 100 }, F_RDLCK, 1, 0, 0 },
		{ "who shares no reads", { 200 }, F_RDLCK, 1, -EAGAIN, -EAGAIN },
		{ "who locks all for writing", { 1 }, F_WRLCK, 0, -EAGAIN, -EAGAIN },
		{ "who locks another byte", { 104 }, F_RDLCK, 1, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_fd_ int fd = other(rows[i].bytes, rows[i].type,
					    rows[i].len);
		struct disk d;

		ok(open_claimed(&d, path, true, DISK_LOCKING_AUTO) ==
		   rows[i].read_only, "%s: a reader %s", rows[i].who,
		   rows[i].read_only ? "is refused" : "is welcome");
		disk_close(&d);
		ok(open_claimed(&d, path, false, DISK_LOCKING_AUTO) ==
		   rows[i].writable, "%s: a writer %s", rows[i].who,
		   rows[i].writable ? "is refused" : "is welcome");
		disk_close(&d);
		ok(!open_claimed(&d, path, false, DISK_LOCKING_OFF),
		   "%s: no matter with locking off", rows[i].who);
		disk_close(&d);
	}
}

static void test_no_locks(void)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	ok(disk_lock_take(fd, true) == -EBADF, "why there is no lock");
}

static void test_gone(void)
{
	char moved[sizeof(path) + 4];
	struct disk d;

	snprintf(moved, sizeof(moved), "%s.old", path);
	if (open_claimed(&d, path, false, DISK_LOCKING_AUTO))
		return;
	ok(!disk_is_gone(&d), "an open file is not gone");
	rename(path, moved);
	ok(!disk_is_gone(&d), "nor when it has another name");
	ok(disk_reopen(&d) == -ENOENT && d.fd < 0 && disk_is_gone(&d),
	   "it cannot be opened again under the former");
	mkdir(path, 0700);
	ok(disk_reopen(&d) == -EINVAL && d.fd < 0, "a directory is no disk");
	rmdir(path);
	rename(moved, path);
	ok(!disk_reopen(&d) && !disk_is_gone(&d), "once it is back, it can");
	ok(is_locked(101), "and is locked again");
	d.is_block = true;
	ok(disk_reopen(&d) == -ENOTBLK && d.fd < 0 && d.is_block,
	   "a file where a block device was is not taken");
	ok(disk_reopen(&d) == -ENOTBLK, "nor the next time");
}

/* What disk_inherit() says of the open file @fd with these arguments; closes @fd. */
static bool says_other(int fd, const char *name, bool read_only, bool was_read_only)
{
	struct disk d;

	if (disk_inherit(&d, name, read_only, DISK_LOCKING_OFF, fd, -1))
		return false;
	ok(d.read_only == was_read_only, "it is %s as before",
	   was_read_only ? "read-only" : "writable");
	disk_close(&d);
	return d.is_other;
}

static int open_again(bool read_only)
{
	return open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
}

/* The settings may have changed since the last process opened the disk. */
static void test_inherit(void)
{
	char moved[sizeof(path) + 4], link[sizeof(path) + 5];
	int fd;

	snprintf(moved, sizeof(moved), "%s.old", path);
	snprintf(link, sizeof(link), "%s.link", path);
	ok(!says_other(open_again(false), path, false, false), "the same disk");
	ok(!says_other(open_again(true), path, true, true), "the same, read-only");
	ok(says_other(open_again(false), path, true, false), "it shall be read-only now");
	ok(says_other(open_again(true), path, false, true), "it shall be writable now");
	ok(!symlink(path, link) && !says_other(open_again(false), link, false, false),
	   "the same by another name");
	unlink(link);
	fd = open_again(false);
	rename(path, moved);
	ok(!says_other(fcntl(fd, F_DUPFD_CLOEXEC, 0), path, false, false),
	   "a name that is gone is no other disk");
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ok(says_other(fd, path, false, false), "another file has the name");
	rename(moved, path);
	ok(says_other(open_again(false), "/dev/null", false, false), "no disk at all");
}

static void test_formats(void)
{
	static const struct { const char *format, *head; size_t len; } rows[] = {
		{ "qcow2", "QFI\xfb\0\0\0\3", 8 },
		{ "qcow2", "QFI\xfb\0\0\0\2", 8 },
		{ "qcow", "QFI\xfb\0\0\0\1", 8 },
		{ "vmdk", "KDMV", 4 },
		{ "vmdk", "# Disk DescriptorFile\n", 22 },
		{ "vhdx", "vhdxfile", 8 },
		{ "vpc", "conectix", 8 },
		{ NULL, "QFI\xfb\0\0\0\11", 8 },
		{ NULL, "QFI\xfb", 4 },
		{ NULL, "LUKS\xba\xbe", 6 },
		{ NULL, "", 0 },
	};
	char head[512] = "";
	const char *format;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		format = image_format_find(rows[i].head, rows[i].len);
		ok(rows[i].format ? format && !strcmp(format, rows[i].format) :
		   !format, "format %zu: %s", i,
		   rows[i].format ? rows[i].format : "raw");
	}
	memcpy(head + 64, "\x7f\x10\xda\xbe", 4);
	format = image_format_find(head, sizeof(head));
	ok(format && !strcmp(format, "vdi"), "vdi");
	ok(!image_format_find(head, 67), "vdi, cut off");
}

static void test_format_of_file(void)
{
	struct disk d;

	if (open_claimed(&d, path, false, DISK_LOCKING_AUTO))
		return;
	ok(!image_format_read(d.fd), "a file of zeroes is raw");
	disk_close(&d);
	d.fd = open(path, O_WRONLY | O_CLOEXEC);
	ok(pwrite(d.fd, "vhdxfile", 8, 0) == 8, "written");
	ok(!image_format_read(d.fd), "what cannot be read is raw");
	disk_close(&d);
	if (open_claimed(&d, path, true, DISK_LOCKING_AUTO))
		return;
	ok(image_format_read(d.fd), "a file of another format, by direct I/O");
	disk_close(&d);
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, 65536))
		return 1;
	close(fd);
	test_bytes();
	test_others();
	test_no_locks();
	test_gone();
	test_inherit();
	test_formats();
	test_format_of_file();
	unlink(path);
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
