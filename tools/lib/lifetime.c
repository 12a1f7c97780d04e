// SPDX-License-Identifier: GPL-2.0
#include "lifetime.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Reads numbers from the beginning of a file, perhaps fewer than asked for. */
static int read_numbers(const char *dir, const char *name, uint16_t *v, int n)
{
	char path[PATH_MAX];
	int done = 0;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PATH_MAX)
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (done < n && fscanf(f, "%hx", &v[done]) == 1)
		done++;
	fclose(f);
	return done;
}

static int read_emmc(struct lifetime *l, const char *dir)
{
	uint16_t used[2];

	if (read_numbers(dir, "pre_eol_info", &l->pre_eol_info, 1) != 1 ||
	    read_numbers(dir, "life_time", used, 2) != 2)
		return -ENODATA;
	l->typ_a = used[0];
	l->typ_b = used[1];
	return 0;
}

static int read_ufs(struct lifetime *l, const char *dir)
{
	return read_numbers(dir, "health_descriptor/eol_info",
			    &l->pre_eol_info, 1) == 1 &&
	       read_numbers(dir, "health_descriptor/life_time_estimation_a",
			    &l->typ_a, 1) == 1 &&
	       read_numbers(dir, "health_descriptor/life_time_estimation_b",
			    &l->typ_b, 1) == 1 ? 0 : -ENODATA;
}

int lifetime_find(struct lifetime *l, const char *path)
{
	char *dir = realpath(path, NULL);
	int ret = -ENODATA;

	if (!dir)
		return -errno;
	while (*dir && ret) {
		*l = (struct lifetime){ 0 };
		ret = read_emmc(l, dir);
		if (ret)
			ret = read_ufs(l, dir);
		*strrchr(dir, '/') = '\0';
	}
	free(dir);
	/* Zero and reserved values mean: not reported. */
	if (l->pre_eol_info > 3)
		l->pre_eol_info = 0;
	if (l->typ_a > 11)
		l->typ_a = 0;
	if (l->typ_b > 11)
		l->typ_b = 0;
	if (!ret && !l->pre_eol_info && !l->typ_a && !l->typ_b)
		ret = -ENODATA;
	return ret;
}

int lifetime_read(struct lifetime *l, int fd)
{
	char path[64];
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENODATA;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_rdev),
		 minor(st.st_rdev));
	return lifetime_find(l, path);
}
