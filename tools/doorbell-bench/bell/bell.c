// SPDX-License-Identifier: GPL-2.0
/*
 * bell - the subcommand bell: the table of rows, the rounds of the measurement,
 * and the files with the results
 */
#include "bell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/vhost_doorbell.h>
#include <sys/utsname.h>

#include "bell_rig.h"
#include "bench.h"
#include "optparse.h"

#define HOOK	0

#define CALIBRATE_TRIES	8

const struct bell_desc bell_descs[BELL_ROWS] = {
	{ "qemu-mmio", "mmio-no-eventfd", BELL_QEMU, false, false, HOOK },
	{ "qemu-pio", "portio-no-eventfd", BELL_QEMU, true, false, HOOK },
	{ "ioeventfd-mmio", "mmio-datamatch-eventfd",
	  BELL_IOEVENTFD, false, false, HOOK },
	{ "ioeventfd-pio", "portio-datamatch-eventfd",
	  BELL_IOEVENTFD, true, false, HOOK },
	/*
	 * kvm-unit-tests' vmexit calls this a wildcard in memory. Its eventfd
	 * is registered with length 0, so it takes writes of any length.
	 */
	{ "ioeventfd-mmio-any", "mmio-wildcard-eventfd",
	  BELL_IOEVENTFD, false, true, HOOK },
	{ "hypercall", "vmcall", BELL_HYPERCALL, false, false, HOOK },
	/*
	 * From here on a handler counts the rings. vmexit has no such test:
	 * NULL.
	 */
	{ "ioeventfd-epoll", NULL, BELL_HANDLER, false, false, BELL_EPOLL },
	{ "ioeventfd-worker", NULL, BELL_HANDLER, false, false,
	  VHOST_DOORBELL_BELL_WORKER },
	{ "ioeventfd-inline", NULL, BELL_HANDLER, false, false,
	  VHOST_DOORBELL_BELL_INLINE },
};

struct bell_options {
	uint64_t	rounds;
	uint64_t	count;
	uint64_t	time;
	const char	*rows;
	const char	*save;
	const char	*svg;
	bool		json;
	bool		check;
	bool		help;
};

#define OPTPARSE_TYPE	struct bell_options

static const struct optparse_row options[] = {
	OPT_SIZE("rounds", rounds, "N", 1, BELL_MAX_ROUNDS,
		 "rounds, of which the medians are shown (5)"),
	OPT_SIZE("time", time, "MS", 1, 60000,
		 "milliseconds of each row in each round, about (150)"),
	OPT_SIZE("count", count, "N", 1, VMM_MAX_SAMPLES,
		 "rings of each row in each round, whatever time they take"),
	OPT_STRING("rows", rows, "NAME,...", "only these rows"),
	OPT_FLAG("check", check,
		 "fail if ioeventfd or a handler is slower than it should"),
	OPT_FLAG("json", json, "print the rows as a JSON array, not a table"),
	OPT_STRING("save", save, "FILE", "write that array to a file too"),
	OPT_STRING("svg", svg, "FILE", "draw a chart"),
	OPT_FLAG("help", help, "print this", .letter = 'h'),
};

static int help(const struct optparse_table *table)
{
	printf("usage: doorbell-bench bell [OPTION]...\n\n");
	bench_options_help(table);
	printf("\nRows:\n");
	for (size_t i = 0; i < BELL_ROWS; i++)
		printf("    %s\n", bell_descs[i].name);
	printf("\nExit status: 0 done, 1 something failed, 2 usage.\n");
	return BENCH_OK;
}

/* --- selection of rows; description of the machine --- */

static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	if (!list)
		return true;
	for (;;) {
		size_t n = strcspn(list, ",");

		if (n == len && !strncmp(list, name, n))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

/* Each name in the list must be the name of a row. */
static int check_list(const char *list)
{
	size_t names = 1, known = 0;

	if (!list)
		return 0;
	for (const char *p = list; *p; p++)
		names += *p == ',';
	for (size_t i = 0; i < BELL_ROWS; i++)
		known += listed(list, bell_descs[i].name);
	return names == known ? 0 :
	       bench_complain("--rows", "not a list of rows");
}

/* The processor's model name in /proc/cpuinfo. */
static void read_machine(char *name, size_t size)
{
	static const char key[] = "model name";
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown processor");
	while (f && fgets(line, sizeof(line), f)) {
		char *value = strstr(line, ": ");

		if (strncmp(line, key, sizeof(key) - 1) || !value)
			continue;
		value[strcspn(value, "\n")] = 0;
		snprintf(name, size, "%s", value + 2);
		break;
	}
	if (f)
		fclose(f);
}

static void init_table(struct bell_table *t, const struct bell_options *o)
{
	struct utsname u;

	if (!uname(&u))
		snprintf(t->kernel, sizeof(t->kernel), "%s", u.release);
	read_machine(t->machine, sizeof(t->machine));
	t->rounds = (unsigned int)o->rounds;
	for (size_t i = 0; i < BELL_ROWS; i++) {
		t->rows[i].desc = &bell_descs[i];
		t->rows[i].wanted = listed(o->rows, bell_descs[i].name);
		t->rows[i].count = (o->count + BELL_SLICES - 1) / BELL_SLICES;
	}
}

/* --- rounds of the measurement --- */

/*
 * Finds how many rings fill a slice of @seconds; this also warms up the row.
 * Takes the fastest of several tries: with too few rings a try is slow, as each
 * one begins with cold caches.
 */
static int calibrate(struct bell_rig *r, struct bell_row *row, double seconds)
{
	uint64_t max = bell_rig_max(row->desc), n = 8;
	struct bell_sample s;
	double want, rate, best = 0;

	do {
		n *= 2;
		if (bell_rig_measure(r, row, n, &s))
			return -1;
	} while (s.seconds < seconds && 2 * n <= max);
	for (int i = 0; i < CALIBRATE_TRIES; i++) {
		if (bell_rig_measure(r, row, n, &s))
			return -1;
		/*
		 * Use s.seconds, which includes the quiet time, and not s.rate,
		 * which does not.
		 */
		rate = (double)n / s.seconds;
		best = rate > best ? rate : best;
	}
	want = best * seconds;
	row->count = want < 4 ? 4 : want > (double)max ? max : (uint64_t)want;
	return 0;
}

static void measure(struct bell_rig *r, struct bell_row *row)
{
	struct bell_sample s;

	if (bell_rig_measure(r, row, row->count, &s))
		return;
	row->rings += row->count;
	row->switches += s.switches;
	row->slice_rtt[row->slices] = s.rtt;
	row->slice_rate[row->slices++] = s.rate;
}

static void shuffle(unsigned int *order, uint64_t *seed)
{
	for (unsigned int i = BELL_ROWS - 1; i > 0; i--) {
		unsigned int j = (unsigned int)(bench_random(seed) % (i + 1));
		unsigned int was = order[i];

		order[i] = order[j];
		order[j] = was;
	}
}

/*
 * Runs the rows in random order. With a fixed order, a scheduler that takes the
 * CPU away every few milliseconds could fall into step and always hit the same
 * row.
 */
static void run_round(struct bell_table *t, struct bell_rig *rigs,
		      uint64_t *seed)
{
	unsigned int order[BELL_ROWS];

	for (unsigned int i = 0; i < BELL_ROWS; i++)
		order[i] = i;
	for (unsigned int slice = 0; slice < BELL_SLICES; slice++) {
		shuffle(order, seed);
		for (unsigned int k = 0; k < BELL_ROWS; k++) {
			struct bell_row *row = &t->rows[order[k]];

			if (row->wanted && !row->reason[0])
				measure(&rigs[order[k]], row);
		}
	}
	for (unsigned int i = 0; i < BELL_ROWS; i++)
		bell_stat_round(&t->rows[i]);
}

/*
 * Each round makes a new machine, so that the result does not depend on one
 * machine.
 */
static int enter(struct bell_table *t, struct bell_rig *rigs, struct vmm *vmm)
{
	const char *what;
	int ret = vmm_create(vmm, &what);

	if (ret) {
		fprintf(stderr, "doorbell-bench: %s: %s\n", what,
			strerror(-ret));
		return ret;
	}
	for (size_t i = 0; i < BELL_ROWS; i++)
		if (t->rows[i].wanted && !t->rows[i].reason[0])
			bell_rig_enter(&rigs[i], vmm, &t->rows[i]);
	return 0;
}

static int run_rounds(struct bell_table *t, struct bell_rig *rigs,
		      const struct bell_options *o)
{
	double slice = (double)o->time / 1e3 / BELL_SLICES;
	uint64_t seed = bench_now_ns();
	struct vmm vmm;
	int ret = enter(t, rigs, &vmm);

	if (ret)
		return ret;
	for (size_t i = 0; i < BELL_ROWS; i++) {
		struct bell_row *row = &t->rows[i];

		if (row->wanted && !row->reason[0] && !o->count)
			calibrate(&rigs[i], row, slice);
	}
	vmm_destroy(&vmm);
	for (unsigned int round = 0; round < t->rounds; round++) {
		ret = enter(t, rigs, &vmm);
		if (ret)
			return ret;
		run_round(t, rigs, &seed);
		vmm_destroy(&vmm);
	}
	return 0;
}

static int run(struct bell_table *t, const struct bell_options *o)
{
	struct bell_rig rigs[BELL_ROWS] = { 0 };
	struct bell_place place;
	int ret;

	t->cpus = bell_place_init(&place);
	for (size_t i = 0; i < BELL_ROWS; i++)
		if (t->rows[i].wanted)
			bell_rig_open(&rigs[i], &place, &t->rows[i]);
	ret = run_rounds(t, rigs, o);
	for (size_t i = 0; i < BELL_ROWS; i++) {
		if (rigs[i].desc)
			bell_rig_close(&rigs[i]);
		bell_stat(&t->rows[i]);
	}
	bell_place_exit(&place);
	return ret;
}

/* --- output of the results --- */

static bool save(const struct bell_table *t, const char *path,
		 int (*write)(const struct bell_table *t, FILE *out))
{
	FILE *f = path ? fopen(path, "we") : NULL;
	int ret;

	if (!path)
		return true;
	ret = f ? write(t, f) : -errno;
	if (f && fclose(f) && !ret)
		ret = -errno;
	if (ret)
		fprintf(stderr, "doorbell-bench: %s: %s\n", path,
			strerror(-ret));
	return !ret;
}

static int give(const struct bell_table *t, const struct bell_options *o)
{
	bool good = true, held;

	if (o->json)
		good = !bell_json(t, stdout);
	else
		bell_print(t, stdout);
	held = bell_check(t, o->json ? stderr : stdout);
	good &= save(t, o->save, bell_json) & save(t, o->svg, bell_svg);
	for (size_t i = 0; i < BELL_ROWS; i++) {
		if (!t->rows[i].failed)
			continue;
		fprintf(stderr, "doorbell-bench: %s: %s\n",
			t->rows[i].desc->name, t->rows[i].reason);
		good = false;
	}
	return good && (held || !o->check) ? BENCH_OK : BENCH_FAILED;
}

int cmd_bell(int argc, char **argv)
{
	struct bell_options o = { .rounds = 5, .time = 150 };
	const struct optparse_table table = { options, ARRAY_SIZE(options), &o };
	struct bell_table *t;
	int ret;

	if (bench_options(&table, argc, argv))
		return BENCH_USAGE;
	if (o.help)
		return help(&table);
	if (check_list(o.rows))
		return BENCH_USAGE;
	t = calloc(1, sizeof(*t));
	if (!t)
		return BENCH_FAILED;
	init_table(t, &o);
	ret = run(t, &o) ? BENCH_FAILED : give(t, &o);
	free(t);
	return ret;
}
