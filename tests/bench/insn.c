// SPDX-License-Identifier: GPL-2.0
/*
 * insn - a QEMU TCG plugin that counts the instructions of a machine
 *
 *	-plugin FILE,out=COUNT
 *
 * Each virtual CPU counts for itself, with one inline addition per translated
 * block. A program in the machine asks for the total with a no-op that nobody
 * else uses (see mark.h); before the next instruction runs, COUNT holds it in
 * decimal. Instructions of a nested guest run on the same virtual CPUs and
 * count like any others.
 *
 * An exception in the middle of a block leaves its rest uncounted for: the
 * total is a little too high, for everybody alike.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mark.h"
#include "qemu-plugin.h"

static const uint8_t mark[] = { BENCH_MARK };
static struct qemu_plugin_u64 insns;
static int out = -1;

int qemu_plugin_version = 4;

/* Context: a virtual CPU's thread, at the mark; several may come at once. */
static void report(unsigned int vcpu, void *data)
{
	char line[32];
	int len;

	(void)vcpu;
	(void)data;
	len = snprintf(line, sizeof(line), "%20llu\n",
		       (unsigned long long)qemu_plugin_u64_sum(insns));
	/* A count that cannot be written stays what it was, which shows. */
	if (pwrite(out, line, len, 0) != len)
		ftruncate(out, 0);
}

static bool is_mark(const struct qemu_plugin_insn *insn)
{
	uint8_t data[sizeof(mark)];

	return qemu_plugin_insn_size(insn) == sizeof(mark) &&
	       qemu_plugin_insn_data(insn, data, sizeof(data)) ==
	       sizeof(data) &&
	       !memcmp(data, mark, sizeof(mark));
}

/* Context: the thread that translates; the block is not yet run by anyone. */
static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb,
		QEMU_PLUGIN_INLINE_ADD_U64, insns, n);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is_mark(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, report,
				QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "insn: usage: -plugin FILE,out=COUNT\n");
		return -1;
	}

	out = open(argv[0] + 4, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0) {
		perror(argv[0] + 4);
		return -1;
	}

	insns.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
