/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioev - what the tests of KVM_IOEVENTFD share
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
	struct vmm_exit		last;	/* the latest exit */

	uint64_t		count;	/* rings, where many are wanted */
	unsigned int		results;
	unsigned int		failed;
};

/* A write of the guest's. */
struct ioev_write {
	bool			pio;
	uint64_t		addr;
	unsigned int		len;
	uint64_t		data;
};

/* ok(): a result; gives @good. skip(): one that cannot be had. note(): a word. */
__attribute__((format(printf, 3, 4)))
bool ioev_ok(struct ioev *t, bool good, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void ioev_skip(struct ioev *t, const char *why, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void ioev_note(const char *fmt, ...);

/* false, and a result that says so, if there is no machine. */
bool ioev_begin(struct ioev *t, const char *group);
void ioev_end(struct ioev *t);

/* An eventfd, empty, that never blocks; -errno. */
int ioev_eventfd(void);
/* What it was signalled since the last call. */
uint64_t ioev_take(int fd);

/* A wildcard at the usual address: VMM_PORT or VMM_MMIO. */
struct kvm_ioeventfd ioev_reg(bool pio, unsigned int len, int fd);
/* The same with datamatch. */
struct kvm_ioeventfd ioev_match(bool pio, unsigned int len, int fd,
				uint64_t data);
/* 0 or -errno. */
int ioev_assign(const struct ioev *t, struct kvm_ioeventfd reg);
int ioev_deassign(const struct ioev *t, struct kvm_ioeventfd reg);

/* -errno if the guest does not run to its end. */
int ioev_run(struct ioev *t, const struct ioev_write *w, uint64_t count);
/* One write: it signals @fd once and stays in the kernel. */
bool ioev_hits(struct ioev *t, const struct ioev_write *w, int fd);
/* One write: it comes out as it was written, and @fd hears nothing. */
bool ioev_misses(struct ioev *t, const struct ioev_write *w, int fd);

/* The groups. */
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
