/* SPDX-License-Identifier: GPL-2.0 */
/* check - the checks of the subcommand doctor, one question about this machine each */
#ifndef DOORBELLCTL_CHECK_H
#define DOORBELLCTL_CHECK_H

#include "ctl.h"

enum check_verdict {
	CHECK_OK,
	CHECK_NOTE,	/* worth knowing, but no obstacle */
	CHECK_NO,	/* the machine lacks something */
};

struct check {
	enum check_verdict	verdict;
	char			detail[200];
	char			advice[200];	/* may be empty */
};

__attribute__((format(printf, 2, 3)))
void check_ok(struct check *c, const char *detail, ...);
__attribute__((format(printf, 3, 4)))
void check_note(struct check *c, const char *advice, const char *detail, ...);
__attribute__((format(printf, 3, 4)))
void check_no(struct check *c, const char *advice, const char *detail, ...);

void check_kernel_config(const struct ctl_options *o, struct check *c);
void check_kernel_module(const struct ctl_options *o, struct check *c);
void check_device_node(const struct ctl_options *o, struct check *c);
void check_device_abi(const struct ctl_options *o, struct check *c);
void check_kvm_open(const struct ctl_options *o, struct check *c);
void check_kvm_ioeventfd(const struct ctl_options *o, struct check *c);
void check_kvm_irqfd(const struct ctl_options *o, struct check *c);
void check_kvm_any_length(const struct ctl_options *o, struct check *c);
void check_memory_lock(const struct ctl_options *o, struct check *c);
void check_memory_huge(const struct ctl_options *o, struct check *c);
void check_vmm_qemu(const struct ctl_options *o, struct check *c);
void check_net_ports(const struct ctl_options *o, struct check *c);

#endif
