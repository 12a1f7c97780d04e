// SPDX-License-Identifier: GPL-2.0
/*
 * ivshmem - inside a guest: the registers of QEMU's ivshmem-doorbell device
 *
 *	ivshmem SLOT id			its own ID
 *	ivshmem SLOT ring VALUE N	write VALUE to the doorbell N times; prints
 *					the nanoseconds per write
 *
 * SLOT is the device's, in hexadecimal, on the first bus.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REG_ID		8
#define REG_DOORBELL	12

static void die(const char *what)
{
	fprintf(stderr, "ivshmem: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_in(const char *slot, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:00:%s.0/%s",
		 slot, name);
	fd = open(path, flags);
	if (fd < 0)
		die(path);
	return fd;
}

static void must_be(const char *slot, const char *name, const char *want)
{
	char text[16] = "";
	int fd = open_in(slot, name, O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) < 0 ||
	    strncmp(text, want, strlen(want))) {
		fprintf(stderr, "ivshmem: %s of %s is %s", name, slot, text);
		exit(1);
	}
	close(fd);
}

static volatile uint32_t *registers(const char *slot)
{
	void *bar;
	int fd;

	must_be(slot, "vendor", "0x1af4\n");
	must_be(slot, "device", "0x1110\n");
	fd = open_in(slot, "enable", O_WRONLY);
	if (write(fd, "1", 1) != 1)
		die("enable");
	close(fd);
	fd = open_in(slot, "resource0", O_RDWR | O_SYNC);
	bar = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		die("mmap");
	return bar;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	volatile uint32_t *bar;
	unsigned long n;
	uint32_t value;
	double start;

	if (argc == 3 && !strcmp(argv[2], "id")) {
		printf("%u\n", registers(argv[1])[REG_ID / 4]);
		return 0;
	}
	if (argc != 5 || strcmp(argv[2], "ring")) {
		fprintf(stderr, "usage: ivshmem SLOT {id | ring VALUE N}\n");
		return 2;
	}
	bar = registers(argv[1]);
	value = strtoul(argv[3], NULL, 0);
	n = strtoul(argv[4], NULL, 0);
	start = now_ns();
	for (unsigned long i = 0; i < n; i++)
		bar[REG_DOORBELL / 4] = value;
	printf("%.0f\n", (now_ns() - start) / n);
	return 0;
}
