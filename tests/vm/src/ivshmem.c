// SPDX-License-Identifier: GPL-2.0
/*
 * ivshmem - inside a guest: the registers of QEMU's ivshmem-doorbell device
 *
 *	ivshmem SLOT id			print the device's ID
 *	ivshmem SLOT ring VALUE N	write VALUE to the doorbell N times, or until
 *					SIGTERM if N is 0; print the number of writes
 *					and the nanoseconds for each
 *
 * SLOT is the device's, in hexadecimal, on the first bus.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "args.h"

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

/*
 * Leaves the guest to the hypervisor once. When KVM of kernel 7.3 emulates an
 * access it reads EXITINTINFO without checking its valid bit. The emulated
 * processor leaves there the last exception since the guest was entered. KVM
 * takes it for an exception that was being delivered, and stops the guest. So
 * there must be no page fault between the last exit and an access.
 */
static void leave_guest(void)
{
	unsigned int a, b, c, d;

	__cpuid(0, a, b, c, d);
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void ring(volatile uint32_t *bar, uint32_t value, unsigned long n)
{
	unsigned long i = 0;
	double start;

	signal(SIGTERM, stop);
	/*
	 * Touch the code and stack of the loop below before it runs: it must
	 * cause no page fault, see leave_guest(). The sleep also lets the shell
	 * that started this program become idle.
	 */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	now_ns();
	usleep(300000);
	start = now_ns();
	leave_guest();
	for (; (!n || i < n) && !stopped; i++)
		bar[REG_DOORBELL / 4] = value;
	printf("%lu %.0f\n", i, i ? (now_ns() - start) / i : 0);
}

int main(int argc, char **argv)
{
	volatile uint32_t *bar;
	uint32_t id;

	if (argc == 3 && !strcmp(argv[2], "id")) {
		bar = registers(argv[1]);
		leave_guest();
		id = bar[REG_ID / 4];
		printf("%u\n", id);
		return 0;
	}
	if (argc != 5 || strcmp(argv[2], "ring")) {
		fprintf(stderr, "usage: ivshmem SLOT {id | ring VALUE N}\n");
		return 2;
	}
	ring(registers(argv[1]), arg_number("VALUE", argv[3], UINT32_MAX),
	     arg_number("N", argv[4], UINT32_MAX));
	return 0;
}
