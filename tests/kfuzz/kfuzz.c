// SPDX-License-Identifier: GPL-2.0
/*
 * kfuzz - coverage-guided fuzzing of /dev/vhost-doorbell; runs in L1
 *
 *	kfuzz --corpus=DIR --out=DIR [OPTION]... DISK...
 *
 * Programs are made from those of the corpus. A program that reaches a basic block for the
 * first time, or a new order of magnitude of hits of one, joins the corpus. Coverage comes
 * from /dev/test-cover (cover/); without it nothing is learnt, but the programs run.
 *
 * DIR/current holds the programs that run now, so that it is there after a panic; run
 * 'kfuzz --replay=DIR/current' for these only. If the kernel reports something that taints
 * it, the fuzzing ends, and the programs are in DIR/finding. If nothing goes on for a
 * minute (--patience), it ends with the stacks of all threads.
 */
#include <err.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cover/test_cover.h"
#include "kfuzz.h"
#include "number.h"
#include "optparse.h"

#define BATCH		64U
#define CORPUS		8192U

struct options {
	const char *corpus;
	const char *out;
	const char *replay;
	const char *filler;
	uint64_t    seconds;
	uint64_t    runs;
	uint64_t    seed;
	uint64_t    patience;
};

#define OPTPARSE_TYPE	struct options

static const struct optparse_row rows[] = {
	OPT_STRING("corpus", corpus, "DIR", "programs to begin with; new ones are added"),
	OPT_STRING("out", out, "DIR", "for the programs that run, and for findings"),
	OPT_STRING("replay", replay, "FILE", "run the programs of this file only"),
	OPT_STRING("filler", filler, "FILE", "takes the room of a full file system"),
	OPT_NUMBER("seconds", seconds, "S", 0, INT32_MAX, "stop after S seconds (30)"),
	OPT_NUMBER("runs", runs, "N", 0, UINT64_MAX, "stop after N programs"),
	OPT_SIZE("seed", seed, "N", 0, UINT64_MAX, "of the programs (1)"),
	OPT_NUMBER("patience", patience, "S", 1, INT32_MAX,
		   "seconds without progress until it counts as hung (60)"),
	OPT_END("help", 'h', "print this"),
};

static struct program corpus[CORPUS];
static unsigned int corpus_used;
static struct program batch[BATCH];
static struct test_cover_area *cover;
static uint8_t seen[TEST_COVER_SIZE];	/* classes of hits, a bit each */
static int current = -1;

static struct {
	uint64_t	runs;
	uint64_t	started;	/* programs that started a queue */
	uint64_t	requests;
	unsigned int	blocks;
	unsigned int	found;		/* programs that were added to the corpus */
} stats;

/* Shared with the watcher */
static volatile uint64_t *progress;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- coverage --- */

static void cover_open(void)
{
	int fd = open("/dev/test-cover", O_RDWR | O_CLOEXEC);

	cover = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*cover), PROT_READ | PROT_WRITE,
					   MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED) {
		cover = NULL;
		printf("# no /dev/test-cover: without feedback\n");
	}
}

static void cover_clear(void)
{
	uint32_t n = cover ? __atomic_exchange_n(&cover->nr, 0, __ATOMIC_SEQ_CST) : 0;

	for (uint32_t i = 0; i < n && i < TEST_COVER_LIST; i++)
		cover->hits[cover->index[i] % TEST_COVER_SIZE] = 0;
}

/* Classes of hits: 1, 2, 3, up to 7, 15, 31, 127, more */
static uint8_t cover_class(uint8_t hits)
{
	static const uint8_t most[] = { 1, 2, 3, 7, 15, 31, 127 };
	unsigned int i;

	for (i = 0; i < sizeof(most) && hits > most[i]; i++)
		;
	return 1U << i;
}

/* Did the program reach something new? */
static bool cover_news(void)
{
	uint32_t n = cover ? __atomic_load_n(&cover->nr, __ATOMIC_SEQ_CST) : 0;
	bool news = false;

	for (uint32_t i = 0; i < n && i < TEST_COVER_LIST; i++) {
		uint32_t at = cover->index[i] % TEST_COVER_SIZE;
		uint8_t class = cover->hits[at] ? cover_class(cover->hits[at]) : 0;

		if (class & ~seen[at]) {
			stats.blocks += !seen[at];
			seen[at] |= class;
			news = true;
		}
	}
	return news;
}

/* --- the corpus --- */

/* FNV-1a, for a file's name */
static uint64_t hash(const void *data, size_t size)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
	return h;
}

static void save(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		err(1, "%s", path);
	close(fd);
}

static size_t program_size(const struct program *p)
{
	return p->n * sizeof(p->rec[0]);
}

static void corpus_add(const struct options *o, const struct program *p, bool store)
{
	char path[512];

	if (corpus_used < CORPUS)
		corpus[corpus_used++] = *p;
	else
		corpus[engine_random() % CORPUS] = *p;
	if (!store || !o->corpus)
		return;
	stats.found++;
	snprintf(path, sizeof(path), "%s/%016llx", o->corpus,
		 (unsigned long long)hash(p->rec, program_size(p)));
	save(path, p->rec, program_size(p));
}

static bool load(const char *path, struct program *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, p->rec, sizeof(p->rec));

	if (fd >= 0)
		close(fd);
	p->n = n < 0 ? 0 : n / sizeof(p->rec[0]);
	return p->n;
}

/* --- running --- */

static uint64_t taint(void)
{
	const char *at;
	char text[32];
	uint64_t value;
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		err(1, "/proc/sys/kernel/tainted");
	close(fd);
	text[n] = '\0';
	at = text;
	if (number_next(&at, UINT64_MAX, &value))
		errx(1, "/proc/sys/kernel/tainted: %s", text);
	return value;
}

static bool run_one(const struct program *p)
{
	struct outcome outcome;

	cover_clear();
	outcome = ops_run(p);
	++*progress;
	stats.runs++;
	stats.started += !!outcome.started;
	stats.requests += outcome.requests;
	return cover_news();
}

/* Write the programs down, run them, and look what the kernel says about it. */
static bool run_batch(const struct options *o, unsigned int n, uint64_t sound)
{
	char path[512];

	if (current >= 0 && pwrite(current, batch, sizeof(batch[0]) * n, 0) < 0)
		err(1, "%s/current", o->out);
	if (current >= 0 && ftruncate(current, sizeof(batch[0]) * n))
		err(1, "%s/current", o->out);
	for (unsigned int i = 0; i < n; i++) {
		if (run_one(&batch[i]))
			corpus_add(o, &batch[i], true);
	}
	if (taint() == sound)
		return true;
	if (o->out) {
		snprintf(path, sizeof(path), "%s/finding", o->out);
		save(path, batch, sizeof(batch[0]) * n);
	}
	printf("not ok - the kernel is tainted: %#llx\n", (unsigned long long)taint());
	return false;
}

static void report(double start)
{
	double took = now() - start;

	printf("# %.0f s: %llu programs (%.0f/s), %llu with a queue started (%.1f %%), %llu requests, %u blocks, corpus %u (%u new)\n",
	       took, (unsigned long long)stats.runs, stats.runs / (took ?: 1),
	       (unsigned long long)stats.started,
	       stats.runs ? 100.0 * stats.started / stats.runs : 0,
	       (unsigned long long)stats.requests, stats.blocks, corpus_used, stats.found);
	fflush(stdout);
}

static void make_batch(void)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		struct program *p = &batch[i];

		if (!corpus_used || !(engine_random() % 16)) {
			engine_generate(p);
			continue;
		}
		/* Half of them from the newest quarter */
		*p = corpus[engine_random() & 1 ? engine_random() % corpus_used :
			    corpus_used - 1 - engine_random() % (corpus_used / 4 + 1)];
		engine_mutate(p, &corpus[engine_random() % corpus_used]);
	}
}

static bool fuzz(const struct options *o, uint64_t sound)
{
	double start = now(), next = start + 10;
	unsigned int n = 0;

	while (n < BATCH && engine_seed_program(&batch[n], n))
		n++;
	if (!run_batch(o, n, sound))
		return false;
	while (stats.runs < o->runs && now() - start < o->seconds) {
		make_batch();
		if (!run_batch(o, BATCH, sound))
			return false;
		if (now() >= next) {
			report(start);
			next = now() + 10;
		}
	}
	report(start);
	return true;
}

/* Run all programs of the corpus; those that reach nothing new are left out of it. */
static bool replay_corpus(const struct options *o, uint64_t sound)
{
	DIR *dir = o->corpus ? opendir(o->corpus) : NULL;
	unsigned int n = 0, kept = corpus_used;
	struct dirent *entry;
	double start = now();
	char path[512];

	if (!dir)
		return true;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", o->corpus, entry->d_name);
		if (entry->d_name[0] == '.' || !load(path, &batch[0]))
			continue;
		n++;
		if (current >= 0 && pwrite(current, batch, sizeof(batch[0]), 0) < 0)
			err(1, "%s/current", o->out);
		if (run_one(&batch[0]) || !cover)
			corpus_add(o, &batch[0], false);
		if (now() - start > o->seconds / 2.0)
			break;
	}
	closedir(dir);
	printf("# corpus: %u programs read, %u kept, %u blocks\n", n, corpus_used - kept,
	       stats.blocks);
	if (taint() == sound)
		return true;
	printf("not ok - the kernel is tainted by a program of the corpus\n");
	return false;
}

static bool replay_file(const struct options *o, uint64_t sound)
{
	int fd = open(o->replay, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, batch, sizeof(batch));

	if (size < 0)
		err(1, "%s", o->replay);
	close(fd);
	for (unsigned int i = 0; i < size / sizeof(batch[0]); i++) {
		printf("# program %u:", i);
		for (unsigned int k = 0; k < batch[i].n && k < RECORDS; k++)
			printf(" %s", ops_name(batch[i].rec[k].op));
		printf("\n");
		fflush(stdout);
		run_one(&batch[i]);
		if (taint() == sound)
			continue;
		printf("not ok - the kernel is tainted by program %u\n", i);
		return false;
	}
	return true;
}

/* A child ends us if there is no progress; SIGKILL does not end a thread in the kernel. */
static void watch(uint64_t patience)
{
	pid_t program = getpid(), watcher;
	uint64_t last = 0;

	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		err(1, "progress");
	watcher = fork();
	if (watcher < 0)
		err(1, "watcher");
	if (watcher)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		last = *progress;
		sleep(patience);
	} while (last != *progress && getppid() == program);
	if (getppid() != program)
		_exit(0);
	printf("not ok - no progress in %llu s\n", (unsigned long long)patience);
	fflush(stdout);
	if (system("\"$VM_DIR/stacks\""))
		printf("# no stacks\n");
	kill(program, SIGKILL);
	_exit(1);
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 30, .runs = UINT64_MAX, .seed = 1, .patience = 60 };
	const struct optparse_table table = { rows, sizeof(rows) / sizeof(*rows), &o };
	struct optparse p = { .program = argv[0], .table = &table, .num_tables = 1 };
	char path[512];
	uint64_t sound;
	bool good;
	int first;

	if (optparse_ending(&p, argc, argv)) {
		optparse_help(&p, stdout, 0);
		return 0;
	}
	if (optparse_run(&p, argc, argv, &first))
		return 2;
	watch(o.patience);
	/* Interfaces that programs make are not those of the host. */
	if (unshare(CLONE_NEWNET))
		warn("no network namespace of our own");
	signal(SIGPIPE, SIG_IGN);
	engine_seed(o.seed);
	world_init(argv + first, argc - first, o.filler);
	cover_open();
	if (o.out) {
		snprintf(path, sizeof(path), "%s/current", o.out);
		current = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (current < 0)
			err(1, "%s", path);
	}
	sound = taint();
	if (o.replay)
		good = replay_file(&o, sound);
	else
		good = replay_corpus(&o, sound) && fuzz(&o, sound);
	ops_report();
	printf("%sok - %llu programs\n", good ? "" : "not ", (unsigned long long)stats.runs);
	return !good;
}
