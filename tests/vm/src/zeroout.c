// SPDX-License-Identifier: GPL-2.0
/*
 * zeroout DISK OFFSET BYTES [unmap]: have the kernel zero a part of a block
 * device; with unmap it may deallocate that part
 */
#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "args.h"

int main(int argc, char **argv)
{
	uint64_t range[2];
	int fd;

	if (argc < 4)
		errx(2, "usage: zeroout DISK OFFSET BYTES [unmap]");
	range[0] = arg_number("OFFSET", argv[2], UINT64_MAX);
	range[1] = arg_number("BYTES", argv[3], UINT64_MAX);
	fd = open(argv[1], O_RDWR);
	if (fd < 0)
		err(1, "%s", argv[1]);
	if (argc > 4) {
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      range[0], range[1]))
			err(1, "FALLOC_FL_PUNCH_HOLE");
		return 0;
	}
	if (ioctl(fd, BLKZEROOUT, range))
		err(1, "BLKZEROOUT");
	return 0;
}
