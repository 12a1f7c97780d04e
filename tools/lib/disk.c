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

#include "fd.h"

static int disk_do_open(struct disk *d, const char *path, int flags)
{
	d->direct = true;
	d->fd = open(path, flags | O_DIRECT);
	if (d->fd < 0 && errno == EINVAL) {
		/* A file system without direct I/O. */
		d->direct = false;
		d->fd = open(path, flags);
	}
	return d->fd < 0 ? -errno : 0;
}

static int disk_lock(struct disk *d, bool read_only)
{
	struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	d->locked = !fcntl(d->fd, F_OFD_SETLK, &lock);
	if (d->locked)
		return 0;
	if (errno == EACCES || errno == EAGAIN)
		return -EAGAIN;
	/* Some network file systems have no locks at all. */
	return 0;
}

static int disk_setup(struct disk *d, bool read_only, const struct stat *st)
{
	if (!d->is_block) {
		d->size = st->st_size;
		return disk_lock(d, read_only);
	}
	d->locked = !read_only;
	return ioctl(d->fd, BLKGETSIZE64, &d->size) ? -errno : 0;
}

int disk_open(struct disk *d, const char *path, bool read_only)
{
	int flags = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	struct stat st, opened;
	int ret;

	*d = (struct disk){ .fd = -1 };
	/* Look first: opening a FIFO or a tape is not without effect. */
	if (stat(path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -EINVAL;
	d->is_block = S_ISBLK(st.st_mode);
	if (d->is_block && !read_only)
		flags |= O_EXCL;
	ret = disk_do_open(d, path, flags);
	if (ret)
		return ret;
	if (fstat(d->fd, &opened))
		ret = -errno;
	else if ((opened.st_mode & S_IFMT) != (st.st_mode & S_IFMT))
		ret = -EINVAL;
	else
		ret = disk_setup(d, read_only, &opened);
	if (ret)
		disk_close(d);
	return ret;
}

/* A partition has the queue of its disk. */
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
	fd_close(&d->fd);
}
