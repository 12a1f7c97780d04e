// SPDX-License-Identifier: GPL-2.0
/*
 * lose_log FILE - clear a dirty log again and again, so that pages are lost
 *
 * FILE is the bitmap that the VMM shares with its back ends. The program runs until it
 * is killed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	struct stat st;
	void *log;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: lose_log FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st)) {
		perror(argv[1]);
		return 1;
	}
	log = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (log == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (;;)
		memset(log, 0, st.st_size);
}
