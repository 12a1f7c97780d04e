// SPDX-License-Identifier: GPL-2.0
/*
 * sample - measure time, instructions and VM exits of the machine in a span of time
 *
 *	sample DISK WARM TIME COUNT
 *
 * Waits until the disk (such as nullb0) is being read, then WARM milliseconds
 * more. Prints the consumption of the next TIME milliseconds: a name and a number
 * per line. With '-' as DISK it does not wait. COUNT is the file that insn.c
 * writes. Without it the instructions are those counted by the processors, if
 * they can. Numbers that are not known here are 'null'.
 *
 * The program sleeps meanwhile. A shell that forks for each number would add to
 * the figures.
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
#include "number.h"

#define START_REQUESTS	10
#define START_SECONDS	60
#define MAX_CPUS	1024

struct snapshot {
	double	us;
	double	requests;
	double	ctxsw;
	double	irqs;
	double	idle_us;	/* sum over all CPUs */
	double	exits;		/* below zero: not known */
	double	insn;
	double	late;		/* requests that ended while this snapshot was taken */
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

/* The number that @text begins with, perhaps after spaces; -1: none. */
static double number_in(const char *text)
{
	uint64_t value;

	text += strspn(text, " ");
	return number_next(&text, UINT64_MAX, &value) ? -1 : (double)value;
}

static double read_number(const char *path)
{
	char text[64];

	return read_text(path, text, sizeof(text)) ? -1 : number_in(text);
}

static double read_requests(void)
{
	unsigned long long reads = 0, writes = 0;
	char path[64], text[256];

	if (!strcmp(disk, "-"))
		return 0;
	snprintf(path, sizeof(path), "/sys/class/block/%s/stat", disk);
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
		s->irqs = number_in(intr + strlen("\nintr "));
	ctxt = strstr(text, "\nctxt ");
	if (ctxt)
		s->ctxsw = number_in(ctxt + strlen("\nctxt "));
}

/*
 * A counter on each CPU, for everything that runs there. If one fails, none is
 * used.
 */
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

		/* ENODEV: this CPU is offline. */
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

	/*
	 * At this instruction the emulator writes the file; elsewhere it is a
	 * nop.
	 */
	asm volatile(".byte " BENCH_MARK_TEXT : : : "memory");
	n = read_number(count);
	return n < 0 ? read_counters() : n;
}

static void take(struct snapshot *s)
{
	read_stat(s);
	s->exits = read_number("/sys/kernel/debug/kvm/exits");
	s->us = now_us();
	s->requests = read_requests();
	s->insn = read_insn();
	s->late = read_requests() - s->requests;
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
	uint64_t warm, span;

	if (argc != 5 || number_decimal(argv[2], UINT32_MAX, &warm) ||
	    number_decimal(argv[3], UINT32_MAX, &span)) {
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
	sleep_ms((long)warm);

	take(&a);
	sleep_ms((long)span);
	take(&b);

	print("us", a.us, b.us);
	print("requests", a.requests, b.requests);
	print("ctxsw", a.ctxsw, b.ctxsw);
	print("irqs", a.irqs, b.irqs);
	print("busy_us", a.us * sysconf(_SC_NPROCESSORS_ONLN) - a.idle_us,
	      b.us * sysconf(_SC_NPROCESSORS_ONLN) - b.idle_us);
	print("exits", a.exits, b.exits);
	print("insn", a.insn, b.insn);
	printf("late %.0f\n", a.late > b.late ? a.late : b.late);
	return 0;
}
