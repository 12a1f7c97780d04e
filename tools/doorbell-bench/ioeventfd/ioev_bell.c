// SPDX-License-Identifier: GPL-2.0
/* ioev_bell - an eventfd that KVM signals is wired to a bell of the module */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "ioev.h"
#include "vhd.h"

/* Long enough for a slow machine: a bell that has lost rings times out. */
#define PATIENCE_MS	5000

/* Returns the counter once it has reached @want, or after the timeout. */
static uint64_t await(int bell, uint64_t want)
{
	struct pollfd p = { .fd = bell, .events = POLLIN };
	struct vhost_doorbell_bell_stats st;

	if (vhd_bell_set_mark(bell, want - 1))
		return 0;
	poll(&p, 1, PATIENCE_MS);
	return vhd_bell_get_stats(bell, &st) ? 0 : st.count;
}

static void ring_bell(struct ioev *t, int bell, uint64_t *total, bool pio,
		      struct kvm_ioeventfd reg, const char *what)
{
	const struct ioev_write w = {
		.pio = pio, .addr = reg.addr, .len = 4, .data = 1,
	};
	uint64_t count = 0;
	int ret = ioev_assign(t, reg);

	if (!ret)
		ret = ioev_run(t, &w, t->count);
	*total += t->count;
	if (!ret)
		count = await(bell, *total);
	if (!ioev_ok(t, !ret && !t->vmm.exits && count == *total,
		     "bell, %s: %llu rings are counted exactly", what,
		     (unsigned long long)t->count))
		ioev_note("%llu of %llu so far, %llu exits",
			  (unsigned long long)count,
			  (unsigned long long)*total,
			  (unsigned long long)t->vmm.exits);
	ioev_deassign(t, reg);
}

static void one_mode(struct ioev *t, int dev, uint32_t mode)
{
	const char *name = vhd_bell_mode_name(mode);
	_cleanup_fd_ int fd = ioev_eventfd();
	_cleanup_fd_ int bell = vhd_create_bell(dev, mode);
	char what[64];
	uint64_t total = 0;
	int ret = bell < 0 ? bell : vhd_bell_wire(bell, fd);

	if (ret) {
		ioev_ok(t, false, "bell in %s mode: %s", name, strerror(-ret));
		return;
	}
	for (int pio = 0; pio < 2; pio++) {
		snprintf(what, sizeof(what), "%s mode, %s", name,
			 pio ? "pio" : "mmio");
		ring_bell(t, bell, &total, pio, ioev_reg(pio, 4, fd), what);
	}
	snprintf(what, sizeof(what), "%s mode, mmio any length", name);
	ring_bell(t, bell, &total, false, ioev_reg(false, 0, fd), what);
	ioev_ok(t, !ioev_take(fd), "bell, %s mode: nothing is left in the "
		"eventfd", name);
}

void ioev_test_bell(struct ioev *t)
{
	_cleanup_fd_ int dev = vhd_dev_open(NULL);

	if (dev == -ENOENT) {
		for (uint32_t m = 0; m <= VHOST_DOORBELL_BELL_INLINE; m++)
			ioev_skip(t, "no " VHD_DEV_PATH, "bell in %s mode",
				  vhd_bell_mode_name(m));
		return;
	}
	if (dev < 0) {
		ioev_ok(t, false, VHD_DEV_PATH ": %s", strerror(-dev));
		return;
	}
	if (!ioev_begin(t, "bell"))
		return;
	for (uint32_t m = 0; m <= VHOST_DOORBELL_BELL_INLINE; m++)
		one_mode(t, dev, m);
	ioev_end(t);
}
