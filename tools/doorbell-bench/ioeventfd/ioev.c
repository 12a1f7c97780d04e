// SPDX-License-Identifier: GPL-2.0
/*
 * ioev - the tests' machine, its ioeventfds and their results
 */
#include "ioev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

bool ioev_ok(struct ioev *t, bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok - ", good ? "" : "not ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	t->results++;
	t->failed += !good;
	return good;
}

void ioev_skip(struct ioev *t, const char *why, const char *fmt, ...)
{
	va_list args;

	printf("ok - ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" # SKIP %s\n", why);
	t->results++;
}

void ioev_note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static int keep_exit(void *arg, const struct vmm_exit *e)
{
	struct ioev *t = arg;

	t->last = *e;
	return 0;
}

bool ioev_begin(struct ioev *t, const char *group)
{
	const char *what;
	int ret = vmm_create(&t->vmm, &what);

	if (ret)
		return ioev_ok(t, false, "%s: %s: %s", group, what,
			       strerror(-ret));
	t->vmm.on_exit = keep_exit;
	t->vmm.arg = t;
	return true;
}

void ioev_end(struct ioev *t)
{
	vmm_destroy(&t->vmm);
}

int ioev_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

uint64_t ioev_take(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

struct kvm_ioeventfd ioev_reg(bool pio, unsigned int len, int fd)
{
	return (struct kvm_ioeventfd){
		.addr = pio ? VMM_PORT : VMM_MMIO,
		.len = len,
		.fd = fd,
		.flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};
}

struct kvm_ioeventfd ioev_match(bool pio, unsigned int len, int fd,
				uint64_t data)
{
	struct kvm_ioeventfd reg = ioev_reg(pio, len, fd);

	reg.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	reg.datamatch = data;
	return reg;
}

int ioev_assign(const struct ioev *t, struct kvm_ioeventfd reg)
{
	return ioctl(t->vmm.fd, KVM_IOEVENTFD, &reg) ? -errno : 0;
}

int ioev_deassign(const struct ioev *t, struct kvm_ioeventfd reg)
{
	reg.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	return ioev_assign(t, reg);
}

int ioev_run(struct ioev *t, const struct ioev_write *w, uint64_t count)
{
	const struct vmm_job job = {
		.op = guest_write_op(w->pio, w->len),
		.count = count,
		.addr = w->addr,
		.data = w->data,
	};

	t->last = (struct vmm_exit){ 0 };
	return vmm_run(&t->vmm, &job);
}

static void describe(const char *want, const struct ioev_write *w, int ret,
		     const struct ioev *t, uint64_t signals)
{
	const struct vmm_exit *e = &t->last;

	ioev_note("%s of %u bytes, %#" PRIx64 " at %#" PRIx64 ": %s wanted; got "
		  "%s, %" PRIu64 " signals, %" PRIu64 " exits",
		  w->pio ? "OUT" : "MOV", w->len, w->data, w->addr, want,
		  ret ? strerror(-ret) : "to its end", signals, t->vmm.exits);
	if (t->vmm.exits)
		ioev_note("the last exit: %s of %u bytes, %#" PRIx64
			  " at %#" PRIx64, e->pio ? "port" : "memory", e->len,
			  e->data, e->addr);
}

bool ioev_hits(struct ioev *t, const struct ioev_write *w, int fd)
{
	int ret = ioev_run(t, w, 1);
	uint64_t signals = ioev_take(fd);
	bool good = !ret && !t->vmm.exits && signals == 1;

	if (!good)
		describe("a hit", w, ret, t, signals);
	return good;
}

bool ioev_misses(struct ioev *t, const struct ioev_write *w, int fd)
{
	uint64_t mask = w->len < 8 ? (1ull << (8 * w->len)) - 1 : UINT64_MAX;
	int ret = ioev_run(t, w, 1);
	uint64_t signals = ioev_take(fd);
	const struct vmm_exit *e = &t->last;
	bool good = !ret && t->vmm.exits == 1 && !signals &&
		    e->pio == w->pio && e->addr == w->addr &&
		    e->len == w->len && e->data == (w->data & mask);

	if (!good)
		describe("a miss", w, ret, t, signals);
	return good;
}
