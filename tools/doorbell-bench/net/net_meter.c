// SPDX-License-Identifier: GPL-2.0
/* net_meter - time, instructions and CPU time that the whole machine used so far */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "net_meter.h"
#include "number.h"

/*
 * nopl 0x6c6c6562(%rax), the mark that tests/bench/insn.c looks for: see mark.h
 * there.
 */
#define MARK ".byte 0x0f, 0x1f, 0x80, 0x62, 0x65, 0x6c, 0x6c"

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return -1;
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

static double number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? number_in(at + strlen(name)) : -1;
}

static void read_stat(struct net_meter *m)
{
	unsigned long long user, nice, sys, idle, wait, irq, soft;
	static char text[1 << 16];

	m->ctxsw = m->irqs = m->cpu_us = -1;
	if (read_text("/proc/stat", text, sizeof(text)))
		return;
	m->irqs = number_after(text, "\nintr ");
	m->ctxsw = number_after(text, "\nctxt ");
	if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
		   &sys, &idle, &wait, &irq, &soft) == 7)
		m->cpu_us = (double)(user + nice + sys + irq + soft) * 1e6 /
			    (double)sysconf(_SC_CLK_TCK);
}

/*
 * Reads all instructions and, if the emulator counts them, those in the kernel.
 */
static void read_insn(struct net_meter *m, const char *count_file)
{
	const char *second;
	char text[64];

	m->insn = m->kernel_insn = -1;
	if (!count_file)
		return;
#ifdef __x86_64__
	/*
	 * At this instruction the emulator writes the file; elsewhere it is a
	 * nop.
	 */
	asm volatile(MARK : : : "memory");
#endif
	if (read_text(count_file, text, sizeof(text)))
		return;
	m->insn = number_in(text);
	second = text + strspn(text, " ");
	second += strcspn(second, " ");
	if (*second)
		m->kernel_insn = number_in(second);
}

void net_meter_read(struct net_meter *m, const char *count_file)
{
	read_stat(m);
	m->ns = bench_now_ns();
	read_insn(m, count_file);
}
