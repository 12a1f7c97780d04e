/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioev - machine, registrations and results, for all tests of KVM_IOEVENTFD
 *
 * Results go to stdout as TAP. A group of tests is a function that makes its
 * own machine with ioev_begin() and ends it with ioev_end().
 */
#ifndef IOEV_H
#define IOEV_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kvm.h>

#include "vmm.h"

struct ioev {
	struct vmm		vmm;
	struct vmm_exit		last;	/* the latest exit to user space */

	uint64_t		count;	/* number of rings in tests that need many */
	unsigned int		results;
	unsigned int		failed;
};

/* A write of the guest. */
struct ioev_write {
	bool			pio;
	uint64_t		addr;
	unsigned int		len;
	uint64_t		data;
};

/*
 * Results: ok() reports and returns @good, skip() reports a test that cannot
 * run here, note() prints a comment.
 */
__attribute__((format(printf, 3, 4)))
bool ioev_ok(struct ioev *t, bool good, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void ioev_skip(struct ioev *t, const char *why, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void ioev_note(const char *fmt, ...);

/*
 * Makes a machine. If there is none, reports that as a result and returns
 * false.
 */
bool ioev_begin(struct ioev *t, const char *group);
void ioev_end(struct ioev *t);

/* A new, empty, non-blocking eventfd, or -errno. */
int ioev_eventfd(void);
/* Reads and clears the eventfd's count. */
uint64_t ioev_take(int fd);

/*
 * A registration without datamatch at the usual address, VMM_PORT or VMM_MMIO.
 */
struct kvm_ioeventfd ioev_reg(bool pio, unsigned int len, int fd);
/* The same with datamatch. */
struct kvm_ioeventfd ioev_match(bool pio, unsigned int len, int fd,
				uint64_t data);
/* 0 or -errno. */
int ioev_assign(const struct ioev *t, struct kvm_ioeventfd reg);
int ioev_deassign(const struct ioev *t, struct kvm_ioeventfd reg);

/*
 * Has the guest write @count times. -errno if the guest does not run to its
 * end.
 */
int ioev_run(struct ioev *t, const struct ioev_write *w, uint64_t count);
/* Checks that one write signals @fd once and does not exit to user space. */
bool ioev_hits(struct ioev *t, const struct ioev_write *w, int fd);
/*
 * Checks that one write exits to user space unchanged and does not signal @fd.
 */
bool ioev_misses(struct ioev *t, const struct ioev_write *w, int fd);

/* The groups of tests. */
void ioev_test_match(struct ioev *t);
void ioev_test_datamatch(struct ioev *t);
void ioev_test_any(struct ioev *t);
void ioev_test_errors(struct ioev *t);
void ioev_test_collision(struct ioev *t);
void ioev_test_stranger(struct ioev *t);
void ioev_test_count(struct ioev *t);
void ioev_test_fire(struct ioev *t);
void ioev_test_close(struct ioev *t);
void ioev_test_limit(struct ioev *t);
void ioev_test_bell(struct ioev *t);

#endif
