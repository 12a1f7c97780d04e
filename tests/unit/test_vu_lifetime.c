// SPDX-License-Identifier: GPL-2.0
/* A disk's wear from sysfs: tools/lib/lifetime.c */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lifetime.h"
#include "test_vu.h"

static char top[] = "/tmp/lifetime.XXXXXX";

static void put_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	CHECK_EQ(mkdir(path, 0700), 0);
}

static void put_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
	CHECK(f);
}

static int find(struct lifetime *l, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return lifetime_find(l, path);
}

/*
 * mmc0:0001/block/mmcblk0 is the disk; its partition is in a directory below
 * it.
 */
static void test_emmc(void)
{
	struct lifetime l;

	put_dir("mmc0:0001");
	put_dir("mmc0:0001/block");
	put_dir("mmc0:0001/block/mmcblk0");
	put_dir("mmc0:0001/block/mmcblk0/mmcblk0p1");
	CHECK_EQ(find(&l, "mmc0:0001/block/mmcblk0"), -ENODATA);
	put_file("mmc0:0001/pre_eol_info", "0x02\n");
	CHECK_EQ(find(&l, "mmc0:0001/block/mmcblk0"), -ENODATA);
	put_file("mmc0:0001/life_time", "0x03\n");
	CHECK_EQ(find(&l, "mmc0:0001/block/mmcblk0"), -ENODATA);
	put_file("mmc0:0001/life_time", "0x03 0x0b\n");
	CHECK_EQ(find(&l, "mmc0:0001/block/mmcblk0/mmcblk0p1"), 0);
	CHECK_EQ(l.pre_eol_info, 2);
	CHECK_EQ(l.typ_a, 3);
	CHECK_EQ(l.typ_b, 11);
	/* Reserved values are replaced by 0. */
	put_file("mmc0:0001/pre_eol_info", "0x04\n");
	put_file("mmc0:0001/life_time", "0x0c 0x01\n");
	CHECK_EQ(find(&l, "mmc0:0001/block/mmcblk0"), 0);
	CHECK_EQ(l.pre_eol_info, 0);
	CHECK_EQ(l.typ_a, 0);
	CHECK_EQ(l.typ_b, 1);
	/* The device is too old to report its wear. */
	put_file("mmc0:0001/pre_eol_info", "0x00\n");
	put_file("mmc0:0001/life_time", "0x00 0x00\n");
	CHECK_EQ(find(&l, "mmc0:0001/block/mmcblk0"), -ENODATA);
}

static void test_ufs(void)
{
	struct lifetime l;

	put_dir("ufs");
	put_dir("ufs/host0");
	put_dir("ufs/health_descriptor");
	put_file("ufs/health_descriptor/eol_info", "0x01\n");
	CHECK_EQ(find(&l, "ufs/host0"), -ENODATA);
	put_file("ufs/health_descriptor/life_time_estimation_a", "0x02\n");
	put_file("ufs/health_descriptor/life_time_estimation_b", "garbage\n");
	CHECK_EQ(find(&l, "ufs/host0"), -ENODATA);
	put_file("ufs/health_descriptor/life_time_estimation_b", "0x04\n");
	CHECK_EQ(find(&l, "ufs/host0"), 0);
	CHECK_EQ(l.pre_eol_info, 1);
	CHECK_EQ(l.typ_a, 2);
	CHECK_EQ(l.typ_b, 4);
}

static void test_none(void)
{
	int null = open("/dev/null", O_RDONLY);
	struct lifetime l;

	CHECK_EQ(find(&l, "nowhere"), -ENOENT);
	CHECK_EQ(lifetime_read(&l, null), -ENODATA);
	CHECK_EQ(lifetime_read(&l, -1), -EBADF);
	close(null);
}

static int drop(const char *path, const struct stat *st, int type,
		struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int main(void)
{
	static const struct test tests[] = {
		{ "lifetime: eMMC", test_emmc },
		{ "lifetime: UFS", test_ufs },
		{ "lifetime: none", test_none },
	};
	int ret;

	if (!mkdtemp(top)) {
		perror(top);
		return 1;
	}
	ret = test_main(tests, sizeof(tests) / sizeof(*tests));
	nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
	return ret;
}
