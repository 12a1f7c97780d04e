// SPDX-License-Identifier: GPL-2.0
/*
 * disk_below.c: the disks below a block device, from a made-up sysfs and
 * procfs.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "disk_below.h"
#include "test_vu.h"

static char top[] = "/tmp/test_vu_below.XXXXXX";

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *fmt, ...)
{
	char command[1024], tail[900];
	va_list args;

	va_start(args, fmt);
	vsnprintf(tail, sizeof(tail), fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), "cd %s && %s", top, tail);
	CHECK_EQ(system(command), 0);
}

/*
 * Makes a disk with device number @number, below the disk numbered @above or
 * below none
 */
static void add_disk(const char *name, const char *number, const char *above)
{
	run("mkdir -p dev/block block/%s/slaves && echo %s >block/%s/dev && "
	    "ln -s ../../block/%s dev/block/%s", name, number, name, name,
	    number);
	if (above)
		run("ln -s ../../%s block/%s/slaves/%s", name, above, name);
}

static bool good(unsigned int major, unsigned int minor)
{
	return disk_below_nowait_at(top, top, makedev(major, minor));
}

static void begin(void)
{
	memcpy(top + sizeof(top) - 7, "XXXXXX", 6);
	CHECK(mkdtemp(top));
	run("printf 'Character devices:\\n  8 odd\\n 43 sd\\n\\n"
	    "Block devices:\\n  8 sd\\n 43 nbd\\n253 device-mapper\\n"
	    "254 virtblk\\n259 blkext\\n' >devices");
}

static void end(void)
{
	run("rm -rf %s", top);
}

static void test_leaves(void)
{
	begin();
	add_disk("sda", "8:0", NULL);
	add_disk("nbd0", "43:0", NULL);
	add_disk("vda", "254:0", NULL);
	add_disk("odd", "77:0", NULL);
	CHECK(good(8, 0));
	CHECK(good(254, 0));
	CHECK(!good(43, 0));
	CHECK(!good(77, 0));
	CHECK(!good(8, 16));
	run("mkdir block/sda/sda1 && echo 1 >block/sda/sda1/partition && "
	    "echo 8:1 >block/sda/sda1/dev && "
	    "ln -s ../../block/sda/sda1 dev/block/8:1");
	CHECK(good(8, 1));
	end();
}

static void test_stacks(void)
{
	begin();
	add_disk("dm-1", "253:1", NULL);
	add_disk("dm-0", "253:0", "dm-1");
	/*
	 * A device-mapper table may have no device, such as one of error or
	 * zero.
	 */
	CHECK(!good(253, 1));
	add_disk("sda", "8:0", "dm-0");
	add_disk("vda", "254:0", "dm-0");
	CHECK(good(253, 0));
	CHECK(good(253, 1));
	/*
	 * One device that may sleep makes the whole stack one that may sleep.
	 */
	add_disk("nbd0", "43:0", "dm-0");
	CHECK(!good(253, 0));
	CHECK(!good(253, 1));
	end();
}

static void test_loop(void)
{
	begin();
	add_disk("dm-0", "253:0", NULL);
	run("ln -s ../../dm-0 block/dm-0/slaves/dm-0");
	CHECK(!good(253, 0));
	end();
}

static void test_nvme(void)
{
	begin();
	add_disk("nvme0n1", "259:0", NULL);
	CHECK(!good(259, 0));
	run("mkdir -p nvme0 && echo pcie >nvme0/transport && "
	    "ln -s ../../nvme0 block/nvme0n1/device");
	CHECK(good(259, 0));
	run("echo tcp >nvme0/transport");
	CHECK(!good(259, 0));
	/* An NVMe disk of a subsystem, reached by two controllers */
	run("rm block/nvme0n1/device && mkdir -p subsys/nvme0 subsys/nvme1 && "
	    "echo pcie >subsys/nvme0/transport && "
	    "echo pcie >subsys/nvme1/transport && "
	    "ln -s ../../subsys block/nvme0n1/device");
	CHECK(good(259, 0));
	run("echo tcp >subsys/nvme1/transport");
	CHECK(!good(259, 0));
	end();
}

static const struct test tests[] = {
	{ "below: disks and partitions", test_leaves },
	{ "below: devices made of others", test_stacks },
	{ "below: no end", test_loop },
	{ "below: NVMe", test_nvme },
};

TEST_MAIN(tests)
