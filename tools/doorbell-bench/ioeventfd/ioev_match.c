// SPDX-License-Identifier: GPL-2.0
/* ioev_match - which writes an ioeventfd takes: by address, length and data */
#include <unistd.h>

#include "bench.h"
#include "ioev.h"

static const unsigned int lengths[] = { 1, 2, 4, 8 };

#define PATTERN	0x1122334455667788u

/* Number of write lengths: OUT has no form of 8 bytes. */
static size_t lengths_of(bool pio)
{
	return pio ? 3 : 4;
}

static const char *bus(bool pio)
{
	return pio ? "pio" : "mmio";
}

static struct ioev_write write_of(bool pio, unsigned int len, int64_t offset)
{
	return (struct ioev_write){
		.pio = pio,
		.addr = (pio ? VMM_PORT : VMM_MMIO) + (uint64_t)offset,
		.len = len,
		.data = PATTERN,
	};
}

/*
 * Writes of this length only may hit (0: of any length), and only at the exact
 * address.
 */
static bool try_writes(struct ioev *t, bool pio, unsigned int len, int fd)
{
	bool good = true;

	for (size_t i = 0; i < lengths_of(pio); i++) {
		unsigned int l = lengths[i];
		struct ioev_write w = write_of(pio, l, 0);
		int64_t offsets[] = { -(int64_t)l, -1, 1, l, len ? len : 8 };

		good &= len == l || !len ? ioev_hits(t, &w, fd) :
					   ioev_misses(t, &w, fd);
		for (size_t j = 0; j < ARRAY_SIZE(offsets); j++) {
			w = write_of(pio, l, offsets[j]);
			good &= ioev_misses(t, &w, fd);
		}
	}
	return good;
}

static void one_length(struct ioev *t, bool pio, unsigned int len)
{
	struct ioev_write w = write_of(pio, len ? len : 4, 0);
	int fd = ioev_eventfd();
	struct kvm_ioeventfd reg = ioev_reg(pio, len, fd);
	bool good = !ioev_assign(t, reg) && try_writes(t, pio, len, fd);

	if (len)
		ioev_ok(t, good, "%s, length %u: exact address and length, "
			"other writes exit with address, size and data",
			bus(pio), len);
	else
		ioev_ok(t, good, "%s, length 0: any length, exact address",
			bus(pio));
	good = !ioev_deassign(t, reg) && ioev_misses(t, &w, fd);
	ioev_ok(t, good, "%s, length %u: deassigned, it exits", bus(pio), len);
	close(fd);
}

/*
 * All lengths registered at one address: each write must signal only the
 * eventfd of its length.
 */
static void all_lengths(struct ioev *t, bool pio)
{
	size_t n = lengths_of(pio);
	bool good = true;
	int fds[4];

	for (size_t i = 0; i < n; i++) {
		fds[i] = ioev_eventfd();
		good &= !ioev_assign(t, ioev_reg(pio, lengths[i], fds[i]));
	}
	for (size_t i = 0; i < n; i++) {
		struct ioev_write w = write_of(pio, lengths[i], 0);

		good &= ioev_hits(t, &w, fds[i]);
		for (size_t j = 0; j < n; j++)
			good &= !ioev_take(fds[j]);
	}
	for (size_t i = 0; i < n; i++) {
		good &= !ioev_deassign(t, ioev_reg(pio, lengths[i], fds[i]));
		close(fds[i]);
	}
	ioev_ok(t, good, "%s: one ioeventfd per length at one address, each "
		"takes its own", bus(pio));
}

/* A port and an address in memory with the same number must not be confused. */
static void two_buses(struct ioev *t)
{
	int mem = ioev_eventfd(), port = ioev_eventfd();
	struct kvm_ioeventfd regs[] = {
		ioev_reg(false, 4, mem), ioev_reg(true, 4, port),
	};
	struct ioev_write w = write_of(true, 4, 0);
	bool good;

	/*
	 * Use the port's number for both: it is beyond the guest's memory, so
	 * as an address it is MMIO.
	 */
	regs[0].addr = regs[1].addr;
	good = !ioev_assign(t, regs[0]) && !ioev_assign(t, regs[1]) &&
	       ioev_hits(t, &w, port) && !ioev_take(mem) &&
	       !ioev_deassign(t, regs[1]) && ioev_misses(t, &w, mem) &&
	       !ioev_deassign(t, regs[0]);
	ioev_ok(t, good, "a port and an address of the same number are apart");
	close(mem);
	close(port);
}

void ioev_test_match(struct ioev *t)
{
	if (!ioev_begin(t, "match"))
		return;
	for (int pio = 0; pio < 2; pio++) {
		for (size_t i = 0; i < lengths_of(pio); i++)
			one_length(t, pio, lengths[i]);
		all_lengths(t, pio);
	}
	two_buses(t);
	ioev_end(t);
}

void ioev_test_any(struct ioev *t)
{
	if (!ioev_begin(t, "length 0"))
		return;
	/* Two capabilities: the one with the newer name covers PIO, too. */
	for (int pio = 0; pio < 2; pio++) {
		if (vmm_cap(&t->vmm, pio ? KVM_CAP_IOEVENTFD_ANY_LENGTH :
					   KVM_CAP_IOEVENTFD_NO_LENGTH))
			one_length(t, pio, 0);
		else
			ioev_skip(t, "the kernel has no ioeventfd without one",
				  "%s, length 0", bus(pio));
	}
	ioev_end(t);
}

/* --- datamatch --- */

static uint64_t cut(uint64_t data, unsigned int len)
{
	return len < 8 ? data & ((1ull << (8 * len)) - 1) : data;
}

/*
 * A datamatch value: each of its bits must match, bits beyond the length do not
 * count.
 */
static void one_match(struct ioev *t, bool pio, unsigned int len)
{
	uint64_t value = cut(PATTERN, len);
	struct ioev_write w = write_of(pio, len, 0);
	int fd = ioev_eventfd();
	struct kvm_ioeventfd reg = ioev_match(pio, len, fd, value);
	bool good = !ioev_assign(t, reg);

	good &= ioev_hits(t, &w, fd);
	for (unsigned int bit = 0; bit < 8 * len; bit++) {
		w.data = PATTERN ^ 1ull << bit;
		good &= ioev_misses(t, &w, fd);
	}
	for (unsigned int bit = 8 * len; bit < 64; bit += 8) {
		w.data = PATTERN ^ 1ull << bit;
		good &= ioev_hits(t, &w, fd);
	}
	good &= !ioev_deassign(t, reg);
	ioev_ok(t, good, "%s, length %u: with datamatch only that value hits",
		bus(pio), len);
	close(fd);
}

#define VALUES	8

static void several_matches(struct ioev *t, bool pio)
{
	struct ioev_write w = write_of(pio, 2, 0);
	bool good = true;
	int fds[VALUES];

	for (unsigned int i = 0; i < VALUES; i++) {
		fds[i] = ioev_eventfd();
		good &= !ioev_assign(t, ioev_match(pio, 2, fds[i], i));
	}
	for (w.data = 0; w.data < VALUES + 2; w.data++) {
		good &= w.data < VALUES ? ioev_hits(t, &w, fds[w.data]) :
					  ioev_misses(t, &w, fds[0]);
		for (unsigned int i = 0; i < VALUES; i++)
			good &= !ioev_take(fds[i]);
	}
	/* Deassigning one leaves the others in place. */
	w.data = 3;
	good &= !ioev_deassign(t, ioev_match(pio, 2, fds[3], 3)) &&
		ioev_misses(t, &w, fds[3]);
	w.data = 4;
	good &= ioev_hits(t, &w, fds[4]);
	for (unsigned int i = 0; i < VALUES; i++) {
		if (i != 3)
			good &= !ioev_deassign(t, ioev_match(pio, 2, fds[i],
							     i));
		close(fds[i]);
	}
	ioev_ok(t, good, "%s: %u values at one address, each with its own "
		"ioeventfd; another value exits", bus(pio), VALUES);
}

/*
 * One address, several values, one eventfd: as with virtio, whose drivers write
 * the number of a queue.
 */
static void shared_eventfd(struct ioev *t)
{
	struct ioev_write w = write_of(false, 4, 0);
	int fd = ioev_eventfd();
	bool good = true;

	for (unsigned int i = 0; i < 2; i++)
		good &= !ioev_assign(t, ioev_match(false, 4, fd, i));
	for (w.data = 0; w.data < 2; w.data++)
		good &= ioev_hits(t, &w, fd);
	good &= ioev_misses(t, &w, fd);
	for (unsigned int i = 0; i < 2; i++)
		good &= !ioev_deassign(t, ioev_match(false, 4, fd, i));
	ioev_ok(t, good, "one eventfd for two values of one address");
	close(fd);
}

void ioev_test_datamatch(struct ioev *t)
{
	if (!ioev_begin(t, "datamatch"))
		return;
	for (int pio = 0; pio < 2; pio++) {
		for (size_t i = 0; i < lengths_of(pio); i++)
			one_match(t, pio, lengths[i]);
		several_matches(t, pio);
	}
	shared_eventfd(t);
	ioev_end(t);
}
