// SPDX-License-Identifier: GPL-2.0
/*
 * zeroout DISK OFFSET BYTES [unmap]: have the kernel zero a part of a block device,
 * which may give its room away if so told
 */
#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	uint64_t range[2];
	int fd;

	if (argc < 4)
		errx(2, "usage: zeroout DISK OFFSET BYTES [unmap]");
	range[0] = strtoull(argv[2], NULL, 0);
	range[1] = strtoull(argv[3], NULL, 0);
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
