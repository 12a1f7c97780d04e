// SPDX-License-Identifier: GPL-2.0
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "disk_lock.h"
#include "fd.h"

static int disk_do_open(struct disk *d, const char *path, int flags)
{
	d->direct = true;
	d->fd = open(path, flags | O_DIRECT);
	if (d->fd < 0 && errno == EINVAL) {
		/* The file system has no direct I/O. */
		d->direct = false;
		d->fd = open(path, flags);
	}
	return d->fd < 0 ? -errno : 0;
}

/*
 * Locks the disk as @d->locking says. Some network file systems have no locks.
 */
static int disk_do_lock(struct disk *d)
{
	int ret;

	if (d->locking == DISK_LOCKING_OFF)
		return 0;
	ret = disk_lock_take(d->claim, d->read_only);
	if (ret == -EAGAIN)
		return ret;
	d->lock_error = ret;
	return d->locking == DISK_LOCKING_ON && ret ? -ENOLCK : 0;
}

static int disk_setup(struct disk *d, const struct stat *st)
{
	if (!d->is_block)
		d->size = st->st_size;
	else if (ioctl(d->fd, BLKGETSIZE64, &d->size))
		return -errno;
	else if (!d->size)
		return -ENOMEDIUM;
	return 0;
}

/* Opens the disk with the arguments of disk_open(), which are stored in @d. */
static int disk_open_path(struct disk *d)
{
	int flags = (d->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	struct stat st, opened;
	int ret;

	/* stat() first: to open a FIFO or a tape has side effects. */
	if (stat(d->path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -EINVAL;
	d->is_block = S_ISBLK(st.st_mode);
	ret = disk_do_open(d, d->path, flags);
	if (ret)
		return ret;
	if (fstat(d->fd, &opened))
		ret = -errno;
	else if ((opened.st_mode & S_IFMT) != (st.st_mode & S_IFMT))
		ret = -EINVAL;
	else
		ret = disk_setup(d, &opened);
	if (ret)
		disk_close(d);
	return ret;
}

int disk_open(struct disk *d, const char *path, bool read_only,
	      enum disk_locking locking)
{
	*d = (struct disk){
		.fd = -1,
		.claim = -1,
		.path = path,
		.read_only = read_only,
		.locking = locking,
	};
	return disk_open_path(d);
}

/* Whether @path names the open file that @st is of. Of a path that is gone: yes. */
static bool disk_is_same(const char *path, const struct stat *st)
{
	struct stat named;

	if (stat(path, &named))
		return true;
	if (S_ISBLK(st->st_mode))
		return S_ISBLK(named.st_mode) && named.st_rdev == st->st_rdev;
	return named.st_dev == st->st_dev && named.st_ino == st->st_ino;
}

int disk_inherit(struct disk *d, const char *path, bool read_only,
		 enum disk_locking locking, int fd, int claim)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL), ret = 0;

	*d = (struct disk){
		.fd = fd,
		.claim = claim,
		.claimed = claim >= 0,
		.direct = flags >= 0 && flags & O_DIRECT,
		.path = path,
		.read_only = (flags & O_ACCMODE) == O_RDONLY,
		.locking = locking,
	};
	if (flags < 0 || fstat(fd, &st))
		ret = -errno;
	if (!ret) {
		d->is_block = S_ISBLK(st.st_mode);
		d->is_other = d->read_only != read_only || !disk_is_same(path, &st);
		ret = disk_setup(d, &st);
	}
	/* It was removed: requests fail until it is opened again. */
	if (ret == -ENOMEDIUM)
		ret = 0;
	if (ret)
		disk_close(d);
	return ret;
}

int disk_claim(struct disk *d)
{
	int flags = (d->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	char path[40];
	int ret;

	if (d->claim >= 0)
		return 0;
	if (d->is_block && !d->read_only)
		flags |= O_EXCL;
	/* The same disk, whatever has its name now */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->fd);
	d->claim = open(path, flags);
	if (d->claim < 0)
		return -errno;
	ret = disk_do_lock(d);
	if (ret)
		fd_close(&d->claim);
	else
		d->claimed = true;
	return ret;
}

void disk_unclaim(struct disk *d)
{
	d->claimed = false;
	fd_close(&d->claim);
}

bool disk_is_gone(const struct disk *d)
{
	struct stat st;
	uint64_t size;

	if (d->fd < 0)
		return true;
	if (d->is_block)
		return ioctl(d->fd, BLKGETSIZE64, &size) || !size;
	return fstat(d->fd, &st);
}

int disk_reopen(struct disk *d)
{
	bool was_block = d->is_block;
	int ret;

	/* Close first: our own claim would make open() fail. */
	disk_close(d);
	ret = disk_open_path(d);
	if (!ret && d->is_block != was_block) {
		disk_close(d);
		ret = -ENOTBLK;
	}
	d->is_block = was_block;
	if (!ret && d->claimed)
		ret = disk_claim(d);
	if (ret)
		disk_close(d);
	return ret;
}

/* A partition has no queue directory: its disk has it. */
static FILE *open_write_cache(dev_t dev)
{
	static const char * const places[] = {
		"queue/write_cache", "../queue/write_cache",
	};
	char path[64];
	FILE *f = NULL;

	for (int i = 0; i < 2 && !f; i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s",
			 major(dev), minor(dev), places[i]);
		f = fopen(path, "re");
	}
	return f;
}

bool disk_has_cache(const struct disk *d)
{
	char text[32] = "";
	struct stat st;
	FILE *f;

	if (!d->is_block || fstat(d->fd, &st))
		return true;
	f = open_write_cache(st.st_rdev);
	if (!f)
		return true;
	if (!fgets(text, sizeof(text), f))
		*text = '\0';
	fclose(f);
	return strcmp(text, "write through\n");
}

void disk_close(struct disk *d)
{
	fd_close(&d->claim);
	fd_close(&d->fd);
}
