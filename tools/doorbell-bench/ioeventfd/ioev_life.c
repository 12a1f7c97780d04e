// SPDX-License-Identifier: GPL-2.0
/*
 * ioev_life - ioeventfds that are assigned and deassigned while the guest
 * writes, whose eventfd is closed, or that are too many for the bus
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "ioev.h"

static const struct ioev_write mov4 = { .addr = VMM_MMIO, .len = 4, .data = 1 };
static const struct ioev_write out2 = {
	.pio = true, .addr = VMM_PORT, .len = 2, .data = 1,
};

/* --- each hit signals once --- */

static void count_one(struct ioev *t, const struct ioev_write *w,
		      struct kvm_ioeventfd reg, const char *what)
{
	uint64_t signals;
	int ret;

	ioev_assign(t, reg);
	ret = ioev_run(t, w, t->count);
	signals = ioev_take(reg.fd);
	if (!ioev_ok(t, !ret && !t->vmm.exits && signals == t->count,
		     "%s: %llu writes are as many signals", what,
		     (unsigned long long)t->count))
		ioev_note("%llu signals, %llu exits",
			  (unsigned long long)signals,
			  (unsigned long long)t->vmm.exits);
	ioev_deassign(t, reg);
}

void ioev_test_count(struct ioev *t)
{
	int fd = ioev_eventfd();

	if (!ioev_begin(t, "count"))
		return;
	count_one(t, &mov4, ioev_reg(false, 4, fd), "mmio wildcard");
	count_one(t, &mov4, ioev_match(false, 4, fd, 1), "mmio datamatch");
	count_one(t, &mov4, ioev_reg(false, 0, fd), "mmio any length");
	count_one(t, &out2, ioev_reg(true, 2, fd), "pio wildcard");
	count_one(t, &out2, ioev_match(true, 2, fd, 1), "pio datamatch");
	ioev_end(t);
	close(fd);
}

/* --- deassign while the guest writes --- */

struct fire {
	struct ioev		*t;
	const struct ioev_write	*write;
	int			 ret;
	bool			 done;
};

static void *fire_thread(void *arg)
{
	struct fire *f = arg;

	f->ret = ioev_run(f->t, f->write, f->t->count);
	__atomic_store_n(&f->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * Each write must either signal or exit, never both and never neither, whatever
 * the other thread does. If only one of the two ever happened, the race did not
 * occur, and the test is repeated.
 */
static bool fire_once(struct ioev *t, const struct ioev_write *w,
		      struct kvm_ioeventfd reg, uint64_t *signals)
{
	struct fire f = { .t = t, .write = w };
	uint64_t turns = 0;
	pthread_t thread;
	bool good = true;

	if (pthread_create(&thread, NULL, fire_thread, &f))
		return false;
	while (!__atomic_load_n(&f.done, __ATOMIC_ACQUIRE)) {
		good &= !ioev_assign(t, reg);
		/*
		 * Vary how long the ioeventfd stays assigned and how long it is
		 * deassigned.
		 */
		usleep(turns++ % 3 * 50);
		good &= !ioev_deassign(t, reg);
		usleep(turns % 3 * 50);
	}
	pthread_join(thread, NULL);
	*signals = ioev_take(reg.fd);
	return good && !f.ret && *signals + t->vmm.exits == t->count;
}

#define FIRE_TRIES	5

static void fire(struct ioev *t, const struct ioev_write *w,
		 struct kvm_ioeventfd reg, const char *what)
{
	uint64_t signals = 0;
	bool good = true;

	for (int i = 0; i < FIRE_TRIES && good; i++) {
		good = fire_once(t, w, reg, &signals);
		if (signals && t->vmm.exits)
			break;
	}
	ioev_note("%s under fire: %llu signals and %llu exits of %llu writes",
		  what, (unsigned long long)signals,
		  (unsigned long long)t->vmm.exits,
		  (unsigned long long)t->count);
	ioev_ok(t, good, "%s: deassigned under fire, each write signals or "
		"exits", what);
	ioev_ok(t, signals && t->vmm.exits, "%s: both happened", what);
}

void ioev_test_fire(struct ioev *t)
{
	int fd = ioev_eventfd();

	if (!ioev_begin(t, "fire"))
		return;
	fire(t, &mov4, ioev_reg(false, 4, fd), "mmio wildcard");
	fire(t, &mov4, ioev_match(false, 4, fd, 1), "mmio datamatch");
	fire(t, &mov4, ioev_reg(false, 0, fd), "mmio any length");
	fire(t, &out2, ioev_reg(true, 2, fd), "pio wildcard");
	ioev_end(t);
	close(fd);
}

/* --- closed while assigned --- */

void ioev_test_close(struct ioev *t)
{
	int fd = ioev_eventfd(), copy = dup(fd), next;
	bool good;

	if (!ioev_begin(t, "close"))
		return;
	good = !ioev_assign(t, ioev_reg(false, 4, fd));
	close(fd);
	ioev_ok(t, good && ioev_hits(t, &mov4, copy),
		"a descriptor closed: a duplicate hears of writes");
	ioev_ok(t, !ioev_deassign(t, ioev_reg(false, 4, copy)) &&
		ioev_misses(t, &mov4, copy), "deassigned by the duplicate");

	good = !ioev_assign(t, ioev_reg(false, 4, copy));
	close(copy);
	good &= !ioev_run(t, &mov4, 100) && !t->vmm.exits;
	ioev_ok(t, good, "all descriptors closed: writes stay in the kernel");
	next = ioev_eventfd();
	ioev_ok(t, ioev_deassign(t, ioev_reg(false, 4, copy)) ==
		(next == copy ? -ENOENT : -EBADF),
		"nobody can deassign it then");
	ioev_ok(t, ioev_assign(t, ioev_reg(false, 4, next)) == -EEXIST &&
		!ioev_take(next), "and its place stays taken");
	close(next);
	ioev_end(t);

	/*
	 * The machine was destroyed and has released its reference to the
	 * eventfd.
	 */
	next = ioev_eventfd();
	if (!ioev_begin(t, "close"))
		return;
	ioev_ok(t, !ioev_assign(t, ioev_reg(false, 4, next)) &&
		ioev_hits(t, &mov4, next), "a new machine knows nothing of it");
	ioev_end(t);
	ioev_ok(t, !ioev_take(next) && !eventfd_write(next, 5) &&
		ioev_take(next) == 5,
		"machine closed while assigned: the eventfd still works");
	close(next);
}

/* --- as many ioeventfds as the bus has room for --- */

/* Limit of devices on a KVM bus. The kernel does not count ioeventfds. */
#define NR_IOBUS_DEVS	1000
#define MANY		1010

static struct kvm_ioeventfd nth(int fd, uint64_t i)
{
	struct kvm_ioeventfd reg = ioev_reg(false, 4, fd);

	reg.addr += 8 * i;
	return reg;
}

static bool nth_hits(struct ioev *t, int fd, uint64_t i)
{
	struct ioev_write w = mov4;

	w.addr += 8 * i;
	return ioev_hits(t, &w, fd);
}

/* Assigns MANY ioeventfds; returns how many succeeded. */
static uint64_t assign_many(struct ioev *t, int fd)
{
	uint64_t n;

	for (n = 0; n < MANY; n++)
		if (ioev_assign(t, nth(fd, n)))
			break;
	return n;
}

static bool deassign_many(struct ioev *t, int fd)
{
	bool good = true;

	for (uint64_t n = 0; n < MANY; n++)
		good &= !ioev_deassign(t, nth(fd, n));
	return good;
}

static int zone(struct ioev *t, unsigned long cmd, unsigned int i)
{
	struct kvm_coalesced_mmio_zone z = {
		.addr = VMM_MMIO + 0x100000 + 4096 * i,
		.size = 4,
	};

	return ioctl(t->vmm.fd, cmd, &z) ? -errno : 0;
}

/*
 * Fills the bus with devices that count. User space can make one kind of them.
 */
static void fill_bus(struct ioev *t, int fd)
{
	struct kvm_ioeventfd reg = nth(fd, MANY);
	unsigned int n = 0;
	int ret;

	do
		ret = zone(t, KVM_REGISTER_COALESCED_MMIO, n++);
	while (!ret && n <= NR_IOBUS_DEVS);
	ioev_ok(t, ret == -ENOSPC && n == NR_IOBUS_DEVS + 1,
		"the bus takes %u devices besides ioeventfds, then ENOSPC",
		NR_IOBUS_DEVS);
	ioev_ok(t, ioev_assign(t, reg) == -ENOSPC,
		"then an ioeventfd too: ENOSPC");
	ioev_ok(t, nth_hits(t, fd, 0) && nth_hits(t, fd, MANY - 1),
		"those assigned before still signal");
	zone(t, KVM_UNREGISTER_COALESCED_MMIO, 0);
	ioev_ok(t, !ioev_assign(t, reg) && nth_hits(t, fd, MANY) &&
		!ioev_deassign(t, reg), "with one device less it is taken");
}

void ioev_test_limit(struct ioev *t)
{
	int fd = ioev_eventfd();

	if (!ioev_begin(t, "limit"))
		return;
	ioev_ok(t, assign_many(t, fd) == MANY,
		"%u ioeventfds on one bus, beyond its %u devices", MANY,
		NR_IOBUS_DEVS);
	ioev_ok(t, nth_hits(t, fd, 0) && nth_hits(t, fd, MANY / 2) &&
		nth_hits(t, fd, MANY - 1), "first, middle and last signal");
	ioev_ok(t, deassign_many(t, fd), "all released");
	ioev_ok(t, assign_many(t, fd) == MANY && nth_hits(t, fd, MANY - 1),
		"and all assigned again");
	/*
	 * Each deassign waits for an RCU grace period, so the ioeventfds are
	 * not deassigned here; they go away with the virtual machine.
	 */
	if (vmm_cap(&t->vmm, KVM_CAP_COALESCED_MMIO))
		fill_bus(t, fd);
	else
		ioev_skip(t, "no KVM_CAP_COALESCED_MMIO", "the bus's limit");
	ioev_end(t);
	close(fd);
}
