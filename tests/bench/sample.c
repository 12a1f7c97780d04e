// SPDX-License-Identifier: GPL-2.0
/*
 * sample - what the machine spends in a span of time
 *
 *	sample DISK WARM TIME COUNT
 *
 * Waits until the disk (nullb0) is being read, WARM milliseconds more, and
 * prints what the next TIME milliseconds cost, a name and a number per line.
 * DISK may be '-': wait for nothing. COUNT is the file insn.c writes; without it
 * instructions are those that the processors count, if they do. What this machine
 * does not count is 'null'.
 *
 * It sleeps meanwhile: a shell that forks for every number would show up in
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"

#define START_REQUESTS	10
#define START_SECONDS	60
#define MAX_CPUS	1024

struct snapshot {
	double	us;
	double	requests;
	double	ctxsw;
	double	irqs;
	double	idle_us;	/* of all CPUs together */
	double	exits;		/* below zero: not known */
	double	insn;
};

static const char *disk;
static const char *count;
static int counters[MAX_CPUS];
static int ncounters;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int read_text(const char *path, char *text, size_t size)
{
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = 0;
	return 0;
}

static double read_number(const char *path)
{
	char text[64];

	return read_text(path, text, sizeof(text)) ? -1 : strtod(text, NULL);
}

static double read_requests(void)
{
	unsigned long long reads = 0, writes = 0;
	char path[64], text[256];

	if (!strcmp(disk, "-"))
		return 0;
	snprintf(path, sizeof(path), "/sys/block/%s/stat", disk);
	if (read_text(path, text, sizeof(text)) ||
	    sscanf(text, "%llu %*u %*u %*u %llu", &reads, &writes) != 2)
		return -1;
	return reads + writes;
}

static void read_stat(struct snapshot *s)
{
	unsigned long long idle, iowait;
	char text[16384];
	const char *ctxt, *intr;

	s->ctxsw = -1;
	s->irqs = -1;
	s->idle_us = -1;
	if (read_text("/proc/stat", text, sizeof(text)))
		return;
	if (sscanf(text, "cpu %*u %*u %*u %llu %llu", &idle, &iowait) == 2)
		s->idle_us = (idle + iowait) * 1e6 / sysconf(_SC_CLK_TCK);
	intr = strstr(text, "\nintr ");
	if (intr)
		s->irqs = strtod(intr + strlen("\nintr "), NULL);
	ctxt = strstr(text, "\nctxt ");
	if (ctxt)
		s->ctxsw = strtod(ctxt + strlen("\nctxt "), NULL);
}

/* A counter of each processor, for all that runs there; all or none. */
static void open_counters(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.pinned = 1,
	};
	long cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;

	for (cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++) {
		int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
				 PERF_FLAG_FD_CLOEXEC);

		/* ENODEV: this one is off line. */
		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0)
			break;
		counters[ncounters++] = fd;
	}
	if (cpu == cpus)
		return;
	while (ncounters)
		close(counters[--ncounters]);
}

static double read_counters(void)
{
	unsigned long long n;
	double sum = 0;
	int i;

	for (i = 0; i < ncounters; i++) {
		if (read(counters[i], &n, sizeof(n)) != sizeof(n))
			return -1;
		sum += n;
	}
	return ncounters ? sum : -1;
}

static double read_insn(void)
{
	double n;

	/* An emulator writes the file as it comes here; others take it for a nop. */
	asm volatile(".byte " BENCH_MARK_TEXT : : : "memory");
	n = read_number(count);
	return n < 0 ? read_counters() : n;
}

static void take(struct snapshot *s)
{
	s->requests = read_requests();
	read_stat(s);
	s->exits = read_number("/sys/kernel/debug/kvm/exits");
	s->us = now_us();
	s->insn = read_insn();
}

static void print(const char *name, double from, double to)
{
	if (from < 0 || to < 0)
		printf("%s null\n", name);
	else
		printf("%s %.0f\n", name, to - from);
}

static bool wait_start(void)
{
	double end = now_us() + START_SECONDS * 1e6;
	double start = read_requests();

	if (!strcmp(disk, "-"))
		return true;
	while (read_requests() < start + START_REQUESTS) {
		if (now_us() > end)
			return false;
		sleep_ms(50);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct snapshot a, b;

	if (argc != 5) {
		fprintf(stderr, "usage: sample DISK WARM TIME COUNT\n");
		return 2;
	}
	disk = argv[1];
	count = argv[4];
	open_counters();
	if (!wait_start()) {
		fprintf(stderr, "sample: %s: nobody reads it\n", disk);
		return 1;
	}
	sleep_ms(atol(argv[2]));

	take(&a);
	sleep_ms(atol(argv[3]));
	take(&b);

	print("us", a.us, b.us);
	print("requests", a.requests, b.requests);
	print("ctxsw", a.ctxsw, b.ctxsw);
	print("irqs", a.irqs, b.irqs);
	print("busy_us", a.us * sysconf(_SC_NPROCESSORS_ONLN) - a.idle_us,
	      b.us * sysconf(_SC_NPROCESSORS_ONLN) - b.idle_us);
	print("exits", a.exits, b.exits);
	print("insn", a.insn, b.insn);
	return 0;
}
