/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The declarations that insn.c needs of QEMU's plugin interface, version 4
 * (QEMU 10). Debian ships no header for it. It is described in QEMU's
 * docs/devel/tcg-plugins.rst.
 */
#ifndef BENCH_QEMU_PLUGIN_H
#define BENCH_QEMU_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_EXPORT __attribute__((visibility("default")))

enum {
	QEMU_PLUGIN_INLINE_ADD_U64 = 0,
	QEMU_PLUGIN_CB_NO_REGS = 0,
};

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

/* A 64-bit member of each virtual CPU's entry in a scoreboard */
struct qemu_plugin_u64 {
	struct qemu_plugin_scoreboard	*score;
	size_t				 offset;
};

/*
 * Defined by the plugin. QEMU reads the version first, then calls the function.
 */
extern PLUGIN_EXPORT int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc,
				      char **argv);

/* Defined by QEMU */
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
uint64_t qemu_plugin_u64_sum(struct qemu_plugin_u64 entry);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
	void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
	struct qemu_plugin_tb *tb, int op, struct qemu_plugin_u64 entry,
	uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*cb)(unsigned int vcpu, void *data), int flags, void *data);

uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t len);

#endif
