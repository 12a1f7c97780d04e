// SPDX-License-Identifier: GPL-2.0
/*
 * insn - a QEMU TCG plugin that counts the instructions of a machine
 *
 *	-plugin FILE,out=COUNT[,profile=PROFILE]
 *
 * Each virtual CPU has a counter of its own, with one inline addition per
 * translated block. A program in the machine asks for the total by executing a
 * no-op with a special operand (see mark.h). Before the next instruction the
 * plugin writes the total to COUNT in decimal, and after it the number of
 * instructions at kernel addresses. A nested guest runs on the same virtual
 * CPUs, so its instructions are included.
 *
 * With a profile the plugin also writes PROFILE.N at the Nth request, counting
 * from 0. It has a line for each address at which code was translated: the
 * virtual address and the number of instructions executed there. Addresses of a
 * nested guest cannot be distinguished from those of its host.
 *
 * If an exception ends a block early, the rest of the block is counted all the
 * same. So the total is slightly too high, for all back ends alike.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mark.h"
#include "qemu-plugin.h"

/* Size of the table of addresses; further addresses share the last entry. */
#define PLACES	(1u << 19)

static const uint8_t mark[] = { BENCH_MARK };
static struct qemu_plugin_u64 insns;
static struct qemu_plugin_u64 kernel_insns;
static int out = -1;

static const char *profile;
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static struct qemu_plugin_scoreboard *places_score;
/* Hash table of addresses, by open addressing */
static uint64_t *places;

int qemu_plugin_version = 4;

/* Finds the entry of an address, or makes one. */
static size_t place_of(uint64_t vaddr)
{
	size_t i = (vaddr * 0x9e3779b97f4a7c15u) >> 45, tries;

	for (tries = 0; tries < 64; tries++, i = (i + 1) % PLACES) {
		if (!places[i])
			places[i] = vaddr;
		if (places[i] == vaddr)
			return i;
	}
	return PLACES - 1;
}

static struct qemu_plugin_u64 place_count(size_t i)
{
	return (struct qemu_plugin_u64){ places_score, i * sizeof(uint64_t) };
}

static void report_profile(void)
{
	static unsigned int reports;
	char path[4096];
	uint64_t n;
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "%s.%u", profile, reports++);
	f = fopen(path, "we");

	for (i = 0; f && i < PLACES; i++) {
		n = places[i] ? qemu_plugin_u64_sum(place_count(i)) : 0;
		if (n)
			fprintf(f, "%016llx %llu\n",
				(unsigned long long)places[i],
				(unsigned long long)n);
	}
	if (f)
		fclose(f);
}

/*
 * Context: the thread of the virtual CPU that executed the mark; several
 * threads may call it at once.
 */
static void report(unsigned int vcpu, void *data)
{
	char line[64];
	int len;

	(void)vcpu;
	(void)data;
	len = snprintf(line, sizeof(line), "%20llu %20llu\n",
		       (unsigned long long)qemu_plugin_u64_sum(insns),
		       (unsigned long long)qemu_plugin_u64_sum(kernel_insns));
	/*
	 * If the write fails, the file keeps its old content, which the reader
	 * notices.
	 */
	if (pwrite(out, line, len, 0) != len)
		ftruncate(out, 0);
	if (profile)
		report_profile();
}

static bool is_mark(const struct qemu_plugin_insn *insn)
{
	uint8_t data[sizeof(mark)];

	return qemu_plugin_insn_size(insn) == sizeof(mark) &&
	       qemu_plugin_insn_data(insn, data, sizeof(data)) ==
	       sizeof(data) &&
	       !memcmp(data, mark, sizeof(mark));
}

/* Context: the translating thread; no CPU executes the block yet. */
static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb,
		QEMU_PLUGIN_INLINE_ADD_U64, insns, n);
	if (qemu_plugin_tb_vaddr(tb) >> 63)
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb,
			QEMU_PLUGIN_INLINE_ADD_U64, kernel_insns, n);
	if (profile) {
		pthread_mutex_lock(&places_lock);
		i = place_of(qemu_plugin_tb_vaddr(tb));
		pthread_mutex_unlock(&places_lock);
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb,
			QEMU_PLUGIN_INLINE_ADD_U64, place_count(i), n);
	}

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
	if (argc < 1 || argc > 2 || strncmp(argv[0], "out=", 4) ||
	    (argc == 2 && strncmp(argv[1], "profile=", 8))) {
		fprintf(stderr,
			"insn: usage: -plugin FILE,out=COUNT[,profile=PROFILE]\n");
		return -1;
	}

	out = open(argv[0] + 4, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0) {
		perror(argv[0] + 4);
		return -1;
	}

	if (argc == 2) {
		profile = strdup(argv[1] + 8);
		places = calloc(PLACES, sizeof(*places));
		if (!profile || !places)
			return -1;
		places_score = qemu_plugin_scoreboard_new(PLACES *
							  sizeof(uint64_t));
	}
	insns.score = qemu_plugin_scoreboard_new(2 * sizeof(uint64_t));
	kernel_insns.score = insns.score;
	kernel_insns.offset = sizeof(uint64_t);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
