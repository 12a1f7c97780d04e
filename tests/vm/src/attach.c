// SPDX-License-Identifier: GPL-2.0
/*
 * attach - what it takes to attach and detach a device: grace periods, and the time with
 * much guest memory
 */
#include "driver.h"

#define TRACING		"/sys/kernel/tracing/"
#define BOUND_GRACE	2

#define GIB		(1ULL << 30)
#define LARGE		0x600000000000UL
#define LARGE_GPA	0x100000000ULL
#define ROUNDS		25

/* --- grace periods --- */

static bool trace_write(const char *file, const char *text)
{
	char path[128];
	bool good;
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_APPEND | (*text ? 0 : O_TRUNC));
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

/* Probes at the functions that wait for a grace period. Returns false if there are none. */
static bool trace_start(void)
{
	static const char * const waits[] = {
		"synchronize_rcu", "synchronize_rcu_expedited",
		"synchronize_srcu", "synchronize_srcu_expedited",
	};
	char text[128];

	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		snprintf(text, sizeof(text), "p:vhdgrace/%s %s", waits[i], waits[i]);
		if (!trace_write("kprobe_events", text))
			return false;
	}
	return trace_write("events/vhdgrace/enable", "1");
}

/* Waits of this process, and of threads that it waits for, since the last call */
static int trace_count(void)
{
	char line[512], self[32];
	FILE *f = fopen(TRACING "trace", "r");
	int n = 0;

	MUST(f);
	snprintf(self, sizeof(self), "-%d ", getpid());
	while (fgets(line, sizeof(line), f)) {
		if (*line == '#' || !strstr(line, "synchronize_"))
			continue;
		if (strstr(line, self) || strstr(line, "vhd-")) {
			n++;
			line[strcspn(line, "\n")] = 0;
			diag("%s", line);
		}
	}
	fclose(f);
	MUST(trace_write("trace", ""));
	return n;
}

static void test_grace(void)
{
	int dev, attach, detach;

	if (!trace_start()) {
		skip("grace periods of attach and detach", "this kernel has no kprobes");
		return;
	}
	trace_count();
	dev = dev_new(RUNNING);
	attach = trace_count();
	MUST(driver_works(0) && driver_works(1));
	trace_count();
	close(dev);
	detach = trace_count();
	trace_write("events/vhdgrace/enable", "0");
	ok(attach <= BOUND_GRACE, "attach: %d grace periods, at most %d", attach,
	   BOUND_GRACE);
	ok(detach > 0 && detach <= BOUND_GRACE, "detach: %d grace periods, at most %d",
	   detach, BOUND_GRACE);
}

/* --- much guest memory --- */

/* Attaches and detaches with a second region of @size bytes. */
static void attach_large(__u64 size, double *attach, double *detach)
{
	double from, mid, to;
	int dev, q;

	driver_reset();
	from = now();
	dev = dev_new(BACKED);
	MUST(!set_features(dev, 1ULL << VIRTIO_F_VERSION_1));
	MUST(!ioctl(dev, VHOST_SET_MEM_TABLE,
		    driver_table_with(LARGE_GPA, size, LARGE)));
	for (q = 0; q < QUEUES; q++)
		dev_set_queue(dev, q);
	dev_advance(dev, READY, RUNNING);
	mid = now();
	MUST(driver_works(0));
	to = now();
	close(dev);
	*detach = now() - to;
	*attach = mid - from;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The shortest time, in ms: that of the round which other load disturbed least */
static double shortest(double *seconds)
{
	qsort(seconds, ROUNDS, sizeof(*seconds), by_size);
	diag("shortest %.1f ms, median %.1f ms", seconds[0] * 1e3,
	     seconds[ROUNDS / 2] * 1e3);
	return seconds[0] * 1e3;
}

static void test_large(void)
{
	int fd = memfd_create("large", 0);
	static double attach[2][ROUNDS], detach[2][ROUNDS];
	double small, large;

	MUST(fd >= 0 && !ftruncate(fd, 64 * GIB));
	MUST(mmap((void *)LARGE, 64 * GIB, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, fd, 0) ==
	     (void *)LARGE);
	for (int i = 0; i < ROUNDS; i++) {
		for (int is = 0; is < 2; is++) {
			/*
			 * After a while without an attach, the kernel waits for a grace
			 * period again when threads join a cgroup.
			 */
			usleep(100000);
			attach_large(is ? 64 * GIB : GIB, &attach[is][i],
				     &detach[is][i]);
		}
	}
	small = shortest(attach[0]);
	large = shortest(attach[1]);
	ok(large <= 1.1 * small, "attach with 64 GiB: %.1f ms, with 1 GiB: %.1f ms",
	   large, small);
	small = shortest(detach[0]);
	large = shortest(detach[1]);
	ok(large <= 1.1 * small, "detach with 64 GiB: %.1f ms, with 1 GiB: %.1f ms",
	   large, small);
}

int main(void)
{
	tap_begin(120);
	driver_init();
	test_grace();
	test_large();
	return tap_end();
}
