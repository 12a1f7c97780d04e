// SPDX-License-Identifier: GPL-2.0
/*
 * exclusive - has a block device no exclusive owner?
 *
 *	exclusive DEVICE
 *
 * A mounted file system, swap, device-mapper, md, bcache, ZFS and SCSI targets own
 * their devices. Nothing is read or written. Exit: 0 no owner; 1 owned; 2 neither is
 * known.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: exclusive DEVICE\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EBUSY)
		return 1;
	fprintf(stderr, "exclusive: %s: %s\n", argv[1], strerror(errno));
	return 2;
}
