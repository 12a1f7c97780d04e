// SPDX-License-Identifier: GPL-2.0
/*
 * records - numbered records on a file system, each of them stable
 *
 *	records write DIR COUNT		write records 1 to COUNT; print a number after its record
 *					is stable
 *	records check DIR COUNT		are records 1 to COUNT there?
 *
 * A record is a line of DIR/log; each third one has a file of its own, too, which is renamed
 * into place. DIR/block keeps the number of the last one, and is overwritten in place.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "number.h"

#define BLOCK	4096

static const char *dir;

static int dir_open(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags, 0600);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void write_all(int fd, const void *data, size_t len, off_t at)
{
	if (pwrite(fd, data, len, at) != (ssize_t)len)
		err(1, "write");
}

static void stable(int fd, int (*sync_it)(int))
{
	if (sync_it(fd))
		err(1, "sync");
}

static void name_of(uint64_t i, char *name, size_t size)
{
	snprintf(name, size, "record.%llu", (unsigned long long)i);
}

static size_t line_of(uint64_t i, char *line, size_t size)
{
	return snprintf(line, size, "record %08llu\n", (unsigned long long)i);
}

static void write_file(uint64_t i)
{
	char from[256], to[256], name[64], line[64];
	size_t len = line_of(i, line, sizeof(line));
	int fd = dir_open("new", O_RDWR | O_CREAT | O_TRUNC);

	write_all(fd, line, len, 0);
	stable(fd, fsync);
	close(fd);
	name_of(i, name, sizeof(name));
	snprintf(from, sizeof(from), "%s/new", dir);
	snprintf(to, sizeof(to), "%s/%s", dir, name);
	if (rename(from, to))
		err(1, "rename");
	fd = dir_open("", O_RDONLY | O_DIRECTORY);
	stable(fd, fsync);
	close(fd);
}

static void write_records(uint64_t count)
{
	int log = dir_open("log", O_RDWR | O_CREAT | O_TRUNC);
	int block = dir_open("block", O_RDWR | O_CREAT | O_TRUNC);
	static uint64_t content[BLOCK / 8];
	char line[64];
	uint64_t i;

	for (i = 1; i <= count; i++) {
		size_t len = line_of(i, line, sizeof(line));

		write_all(log, line, len, (i - 1) * len);
		stable(log, i % 2 ? fsync : fdatasync);
		if (i % 3 == 0)
			write_file(i);
		content[0] = i;
		content[BLOCK / 8 - 1] = i;
		write_all(block, content, BLOCK, 0);
		stable(block, fdatasync);
		printf("%llu\n", (unsigned long long)i);
		fflush(stdout);
		/* Let the reader see this number before the next flush. */
		usleep(50000);
	}
}

static void want(const char *name, off_t at, uint64_t i)
{
	char line[64], found[64];
	size_t len = line_of(i, line, sizeof(line));
	int fd = dir_open(name, O_RDONLY);

	if (pread(fd, found, len, at) != (ssize_t)len || memcmp(line, found, len))
		errx(1, "%s: record %llu is lost", name, (unsigned long long)i);
	close(fd);
}

static void check_records(uint64_t count)
{
	uint64_t i, content[BLOCK / 8];
	char name[64], line[64];
	int fd;

	for (i = 1; i <= count; i++) {
		want("log", (i - 1) * line_of(i, line, sizeof(line)), i);
		if (i % 3)
			continue;
		name_of(i, name, sizeof(name));
		want(name, 0, i);
	}
	fd = dir_open("block", O_RDONLY);
	if (pread(fd, content, BLOCK, 0) != BLOCK || content[0] < count)
		errx(1, "block: record %llu is lost", (unsigned long long)count);
}

int main(int argc, char **argv)
{
	uint64_t count;

	if (argc != 4 || number_decimal(argv[3], UINT32_MAX, &count)) {
		fprintf(stderr, "usage: records write|check DIR COUNT\n");
		return 2;
	}
	dir = argv[2];
	if (!strcmp(argv[1], "write"))
		write_records(count);
	else
		check_records(count);
	return 0;
}
