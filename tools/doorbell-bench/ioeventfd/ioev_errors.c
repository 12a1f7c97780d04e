// SPDX-License-Identifier: GPL-2.0
/*
 * ioev_errors - what KVM_IOEVENTFD must refuse: bad arguments, collisions,
 * unknown deassigns
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "ioev.h"

static void refuses(struct ioev *t, struct kvm_ioeventfd reg, int err,
		    const char *what)
{
	int ret = ioev_assign(t, reg);

	if (ret != -err)
		ioev_note("%s: %s, not %s", what, ret ? strerror(-ret) :
			  "accepted", strerror(err));
	/* A registration accepted by mistake must not disturb the next test. */
	if (!ret && !(reg.flags & KVM_IOEVENTFD_FLAG_DEASSIGN))
		ioev_deassign(t, reg);
	ioev_ok(t, ret == -err, "%s: %s", what, strerrorname_np(err));
}

static void bad_lengths(struct ioev *t, int fd)
{
	static const unsigned int lengths[] = { 3, 5, 6, 7, 9, 16, 0x80000000 };
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (int pio = 0; pio < 2; pio++) {
			struct kvm_ioeventfd reg = ioev_reg(pio, lengths[i], fd);

			good &= ioev_assign(t, reg) == -EINVAL;
		}
	ioev_ok(t, good, "a length that is no power of two up to 8: EINVAL");
}

static void overflows(struct ioev *t, int fd)
{
	struct kvm_ioeventfd reg = ioev_reg(false, 4, fd);
	bool good = true;

	for (uint64_t back = 0; back < 4; back++) {
		reg.addr = UINT64_MAX - back;
		good &= ioev_assign(t, reg) == -EINVAL;
	}
	ioev_ok(t, good, "address and length overflow: EINVAL");
	reg.addr = UINT64_MAX - 4;
	ioev_ok(t, !ioev_assign(t, reg) && !ioev_deassign(t, reg),
		"the last address that does not overflow is taken");
}

static void bad_flags(struct ioev *t, int fd)
{
	bool good = true;

	for (unsigned int bit = kvm_ioeventfd_flag_nr_max; bit < 32; bit++) {
		struct kvm_ioeventfd reg = ioev_reg(false, 4, fd);

		reg.flags |= 1u << bit;
		good &= ioev_assign(t, reg) == -EINVAL;
	}
	ioev_ok(t, good, "an unknown flag: EINVAL");
}

static int closed_fd(void)
{
	int fd = ioev_eventfd();

	close(fd);
	return fd;
}

void ioev_test_errors(struct ioev *t)
{
	int fd = ioev_eventfd(), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct kvm_ioeventfd reg;

	if (!ioev_begin(t, "errors"))
		return;
	bad_lengths(t, fd);
	overflows(t, fd);
	bad_flags(t, fd);
	refuses(t, ioev_match(false, 0, fd, 1), EINVAL,
		"mmio, length 0 with datamatch");
	refuses(t, ioev_match(true, 0, fd, 1), EINVAL,
		"pio, length 0 with datamatch");
	refuses(t, ioev_reg(false, 4, -1), EBADF, "no descriptor");
	refuses(t, ioev_reg(false, 4, closed_fd()), EBADF,
		"a closed descriptor");
	refuses(t, ioev_reg(false, 4, null), EINVAL, "no eventfd");
	refuses(t, ioev_reg(false, 4, t->vmm.fd), EINVAL,
		"the machine's own descriptor");
	reg = ioev_reg(false, 4, -1);
	reg.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	refuses(t, reg, EBADF, "deassign of no descriptor");
	reg.fd = null;
	refuses(t, reg, EINVAL, "deassign of no eventfd");
	ioev_end(t);
	close(fd);
	close(null);
}

/* --- collisions --- */

struct collision {
	const char	*what;
	struct {
		unsigned int	len;
		int		match;	/* -1: wildcard */
	} first, second;
	int		err;
};

static const struct collision collisions[] = {
	{ "wildcard twice", { 4, -1 }, { 4, -1 }, EEXIST },
	{ "one datamatch twice", { 4, 7 }, { 4, 7 }, EEXIST },
	{ "datamatch after a wildcard", { 4, -1 }, { 4, 7 }, EEXIST },
	{ "wildcard after a datamatch", { 4, 7 }, { 4, -1 }, EEXIST },
	{ "length 0 twice", { 0, -1 }, { 0, -1 }, EEXIST },
	{ "length 0 after another", { 4, -1 }, { 0, -1 }, EEXIST },
	{ "length 0 after a datamatch", { 4, 7 }, { 0, -1 }, EEXIST },
	{ "another length after length 0", { 0, -1 }, { 2, -1 }, EEXIST },
	{ "datamatch after length 0", { 0, -1 }, { 2, 7 }, EEXIST },
	{ "another datamatch", { 4, 7 }, { 4, 8 }, 0 },
	{ "another length", { 4, -1 }, { 2, -1 }, 0 },
	{ "another length, same datamatch", { 4, 7 }, { 2, 7 }, 0 },
};

static struct kvm_ioeventfd reg_of(bool pio, unsigned int len, int match,
				   int fd)
{
	return match < 0 ? ioev_reg(pio, len, fd) :
			   ioev_match(pio, len, fd, (uint64_t)match);
}

/*
 * Registers a colliding address with the same eventfd and with another one. The
 * first registration must still take its write.
 */
static bool collide(struct ioev *t, const struct collision *c, bool pio)
{
	struct ioev_write w = {
		.pio = pio, .addr = pio ? VMM_PORT : VMM_MMIO,
		.len = c->first.len ? c->first.len : 4,
		.data = c->first.match < 0 ? 1 : (uint64_t)c->first.match,
	};
	int fds[] = { ioev_eventfd(), ioev_eventfd() };
	struct kvm_ioeventfd first = reg_of(pio, c->first.len, c->first.match,
					    fds[0]);
	bool good = !ioev_assign(t, first);

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct kvm_ioeventfd second = reg_of(pio, c->second.len,
						     c->second.match, fds[i]);
		int ret = ioev_assign(t, second);

		good &= ret == -c->err;
		good &= ioev_hits(t, &w, fds[0]) && !ioev_take(fds[1]);
		if (!ret)
			good &= !ioev_deassign(t, second);
	}
	good &= !ioev_deassign(t, first);
	/* The refused registration has left nothing behind. */
	good &= ioev_misses(t, &w, fds[0]);
	close(fds[0]);
	close(fds[1]);
	return good;
}

void ioev_test_collision(struct ioev *t)
{
	if (!ioev_begin(t, "collision"))
		return;
	for (int pio = 0; pio < 2; pio++)
		for (size_t i = 0; i < ARRAY_SIZE(collisions); i++) {
			const struct collision *c = &collisions[i];

			ioev_ok(t, collide(t, c, pio), "%s, %s: %s",
				pio ? "pio" : "mmio", c->what,
				c->err ? strerrorname_np(c->err) : "taken");
		}
	ioev_end(t);
}

/* --- deassign of a registration that does not exist --- */

void ioev_test_stranger(struct ioev *t)
{
	int fd = ioev_eventfd(), other = ioev_eventfd();
	struct kvm_ioeventfd mine = ioev_match(false, 4, fd, 7), r;
	const struct ioev_write w = { .addr = VMM_MMIO, .len = 4, .data = 7 };

	if (!ioev_begin(t, "stranger"))
		return;
	ioev_ok(t, ioev_deassign(t, mine) == -ENOENT,
		"deassign of what was never assigned: ENOENT");
	ioev_ok(t, !ioev_assign(t, mine), "assigned");
	r = mine, r.fd = other;
	ioev_ok(t, ioev_deassign(t, r) == -ENOENT, "another eventfd: ENOENT");
	r = mine, r.addr += 4;
	ioev_ok(t, ioev_deassign(t, r) == -ENOENT, "another address: ENOENT");
	r = mine, r.len = 2;
	ioev_ok(t, ioev_deassign(t, r) == -ENOENT, "another length: ENOENT");
	r = mine, r.datamatch++;
	ioev_ok(t, ioev_deassign(t, r) == -ENOENT, "another value: ENOENT");
	r = ioev_reg(false, 4, fd);
	ioev_ok(t, ioev_deassign(t, r) == -ENOENT,
		"a wildcard where there is a datamatch: ENOENT");
	r = mine, r.flags |= KVM_IOEVENTFD_FLAG_PIO;
	ioev_ok(t, ioev_deassign(t, r) == -ENOENT, "the other bus: ENOENT");
	ioev_ok(t, ioev_hits(t, &w, fd), "none of these took it away");
	ioev_ok(t, !ioev_deassign(t, mine), "deassigned");
	ioev_ok(t, ioev_deassign(t, mine) == -ENOENT,
		"deassigned again: ENOENT");
	ioev_end(t);
	close(fd);
	close(other);
}
