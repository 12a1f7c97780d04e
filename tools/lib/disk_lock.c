// SPDX-License-Identifier: GPL-2.0
#include "disk_lock.h"

#include <errno.h>
#include <fcntl.h>

/* QEMU's permissions: offsets of lock bytes from each base */
#define PERM_READ	0
#define PERM_WRITE	1

#define BASE_USED	100
#define BASE_UNSHARED	200
/* From here to the end of the file: beyond all bytes that QEMU locks */
#define BASE_OTHERS	300

static int lock_range(int fd, int command, struct flock *lock, short type,
		      off_t start, off_t len)
{
	*lock = (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len,
	};
	if (!fcntl(fd, command, lock))
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static int lock_byte(int fd, off_t byte)
{
	struct flock lock;

	return lock_range(fd, F_OFD_SETLK, &lock, F_RDLCK, byte, 1);
}

/* -EAGAIN if another open file has a lock of either kind on @byte */
static int test_byte(int fd, off_t byte)
{
	struct flock lock;
	int ret = lock_range(fd, F_OFD_GETLK, &lock, F_WRLCK, byte, 1);

	if (ret)
		return ret;
	return lock.l_type == F_UNLCK ? 0 : -EAGAIN;
}

static int lock_others(int fd, bool read_only)
{
	struct flock lock;

	return lock_range(fd, F_OFD_SETLK, &lock, read_only ? F_RDLCK : F_WRLCK,
			  BASE_OTHERS, 0);
}

int disk_lock_take(int fd, bool read_only)
{
	int ret = lock_byte(fd, BASE_USED + PERM_READ);

	if (!ret && !read_only)
		ret = lock_byte(fd, BASE_USED + PERM_WRITE);
	if (!ret)
		ret = lock_byte(fd, BASE_UNSHARED + PERM_WRITE);
	if (!ret)
		ret = test_byte(fd, BASE_UNSHARED + PERM_READ);
	if (!ret && !read_only)
		ret = test_byte(fd, BASE_UNSHARED + PERM_WRITE);
	if (!ret)
		ret = test_byte(fd, BASE_USED + PERM_WRITE);
	if (!ret)
		ret = lock_others(fd, read_only);
	return ret;
}
