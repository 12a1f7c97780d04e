// SPDX-License-Identifier: GPL-2.0
#include "disk_below.h"

#include <dirent.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/*
 * Most layers to look through; a volume on a mirror on a multipath device has
 * three.
 */
#define MAX_LAYERS	16

struct below {
	const char *sys;
	const char *proc;
};

static bool read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	bool got;

	if (!f)
		return false;
	got = fgets(line, size, f);
	fclose(f);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

__attribute__((format(printf, 3, 4)))
static bool read_at(char *line, int size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	return n < (int)sizeof(path) && read_line(path, line, size);
}

/* The name that a block driver has in /proc/devices */
static bool driver_name(const struct below *b, unsigned int want, char *name)
{
	char path[PATH_MAX], line[128];
	bool block = false, found = false;
	unsigned int number;
	FILE *f;

	snprintf(path, sizeof(path), "%s/devices", b->proc);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Block devices:", 14))
			block = true;
		else if (block)
			found = sscanf(line, "%u %31s", &number, name) == 2 &&
				number == want;
	}
	fclose(f);
	return found;
}

static bool transport_nowait(const char *transport)
{
	return !strcmp(transport, "pcie") || !strcmp(transport, "rdma") ||
	       !strcmp(transport, "fc");
}

/*
 * Does this NVMe disk never sleep in submission? It may be a disk of one
 * controller, or of all controllers of a subsystem (multipath).
 */
static bool nvme_nowait(const char *disk)
{
	char path[PATH_MAX], transport[32];
	struct dirent *entry;
	bool any = false, good = true;
	DIR *dir;

	if (read_at(transport, sizeof(transport), "%s/device/transport", disk))
		return transport_nowait(transport);
	if (snprintf(path, sizeof(path), "%s/device", disk) >= (int)sizeof(path))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (good && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "nvme", 4) ||
		    !read_at(transport, sizeof(transport), "%s/%s/transport",
			     path, entry->d_name))
			continue;
		any = true;
		good = transport_nowait(transport);
	}
	closedir(dir);
	return any && good;
}

static bool leaf_nowait(const struct below *b, const char *disk, dev_t dev)
{
	static const char * const known[] = {
		"sd", "virtblk", "xvd", "nullb", "ramdisk", "dasd",
	};
	char name[32];

	if (!driver_name(b, major(dev), name))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(name, known[i]))
			return true;
	}
	/* Several drivers share this number; only NVMe has a transport. */
	return !strcmp(name, "blkext") && nvme_nowait(disk);
}

static bool below_nowait(const struct below *b, dev_t dev, int layers)
{
	char disk[PATH_MAX], path[PATH_MAX], text[32];
	unsigned int maj, min;
	struct dirent *entry;
	bool any = false, good = true;
	DIR *dir;

	if (!layers)
		return false;
	snprintf(disk, sizeof(disk), "%s/dev/block/%u:%u", b->sys, major(dev),
		 minor(dev));
	/* For a partition look at its disk. */
	if (read_at(text, sizeof(text), "%s/partition", disk)) {
		if (!read_at(text, sizeof(text), "%s/../dev", disk) ||
		    sscanf(text, "%u:%u", &maj, &min) != 2)
			return false;
		return below_nowait(b, makedev(maj, min), layers - 1);
	}
	if (snprintf(path, sizeof(path), "%s/slaves", disk) >= (int)sizeof(path))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (good && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		any = true;
		good = read_at(text, sizeof(text), "%s/%s/dev", path,
			       entry->d_name) &&
		       sscanf(text, "%u:%u", &maj, &min) == 2 &&
		       below_nowait(b, makedev(maj, min), layers - 1);
	}
	closedir(dir);
	return any ? good : leaf_nowait(b, disk, dev);
}

bool disk_below_nowait_at(const char *sys, const char *proc, dev_t dev)
{
	const struct below b = { .sys = sys, .proc = proc };

	return below_nowait(&b, dev, MAX_LAYERS);
}

bool disk_below_nowait(int fd)
{
	struct stat st;

	return !fstat(fd, &st) &&
	       disk_below_nowait_at("/sys", "/proc",
				    S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev);
}

bool disk_below_read_only(int fd)
{
	int read_only = 0;

	return !ioctl(fd, BLKROGET, &read_only) && read_only;
}
