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
 * One job runs the programs of the corpus and the first programs. Then several (--jobs) run
 * new ones at the same time: most of a program's time is spent in waiting for the kernel.
 *
 * DIR/current-N holds the programs that job N runs now, so that they are there after a
 * panic; run 'kfuzz --replay=DIR/current-N' for these only. If the kernel reports something
 * that taints it, the fuzzing ends, and the programs of all jobs are in DIR/finding. If a job
 * makes no progress for a minute (--patience), all ends with the stacks of all threads.
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

#include "kfuzz.h"
#include "number.h"
#include "optparse.h"

#define BATCH		64U

struct options {
	const char *corpus;
	const char *out;
	const char *replay;
	const char *filler;
	uint64_t    seconds;
	uint64_t    runs;
	uint64_t    seed;
	uint64_t    patience;
	uint64_t    jobs;
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
	OPT_NUMBER("jobs", jobs, "N", 1, JOBS, "run N programs at the same time (4)"),
	OPT_NUMBER("patience", patience, "S", 1, INT32_MAX,
		   "seconds without progress until it counts as hung (60)"),
	OPT_END("help", 'h', "print this"),
};

struct shared *shared;

static struct program batch[BATCH];
static int current = -1;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

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

/* --- jobs --- */

struct job {
	const struct options *o;
	char		    **disks;
	int			num_disks;
	unsigned int		index;
	bool			alone;
	uint64_t		sound;	/* the taint before */
};

static bool run_one(const struct job *job, const struct program *p)
{
	struct outcome outcome;

	coverage_begin(job->alone);
	outcome = ops_run(p);
	__atomic_fetch_add(&shared->beat[job->index], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->runs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->started, !!outcome.started, __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->requests, outcome.requests, __ATOMIC_RELAXED);
	return coverage_news(job->alone);
}

static bool is_sound(const struct job *job)
{
	if (taint() != job->sound)
		shared->tainted = shared->stop = true;
	return !shared->tainted;
}

/* Write the programs down, run them, and check whether the kernel is still sound. */
static bool run_batch(const struct job *job, unsigned int n, const char *keep)
{
	if (current >= 0 && (pwrite(current, batch, sizeof(batch[0]) * n, 0) < 0 ||
			     ftruncate(current, sizeof(batch[0]) * n)))
		err(1, "%s/current-%u", job->o->out, job->index);
	for (unsigned int i = 0; i < n && !shared->stop; i++) {
		if (run_one(job, &batch[i]))
			corpus_add(&batch[i], keep);
	}
	return is_sound(job);
}

static void make_batch(void)
{
	struct program other;

	for (unsigned int i = 0; i < BATCH; i++) {
		struct program *p = &batch[i];

		if (!(engine_random() % 16) || !corpus_pick(p) || !corpus_pick(&other)) {
			engine_generate(p);
			continue;
		}
		engine_mutate(p, &other);
	}
}

static int job_fuzz(const struct job *job)
{
	while (!shared->stop && shared->runs < job->o->runs) {
		make_batch();
		if (!run_batch(job, BATCH, job->o->corpus))
			return 1;
	}
	return 0;
}

/*
 * The programs of the corpus, for half of the time at most; those that reach nothing new are
 * left out of it.
 */
static bool run_corpus(const struct job *job, DIR *dir, unsigned int *num)
{
	double until = now() + job->o->seconds / 2.0;
	struct dirent *entry;
	unsigned int n = 0;
	char path[512];

	while (now() < until && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", job->o->corpus, entry->d_name);
		if (entry->d_name[0] == '.' || !corpus_load(path, &batch[n]))
			continue;
		++*num;
		if (++n < BATCH)
			continue;
		if (!run_batch(job, n, NULL))
			return false;
		n = 0;
	}
	return run_batch(job, n, NULL);
}

static int job_first(const struct job *job)
{
	DIR *dir = job->o->corpus ? opendir(job->o->corpus) : NULL;
	unsigned int num = 0, n = 0;
	bool sound = true;

	if (dir) {
		sound = run_corpus(job, dir, &num);
		closedir(dir);
	}
	if (!sound)
		return 1;
	printf("# corpus: %u programs read, %u kept, %u blocks\n", num, shared->corpus_used,
	       shared->blocks);
	while (n < BATCH && engine_seed_program(&batch[n], n))
		n++;
	return !run_batch(job, n, job->o->corpus);
}

static int job_replay(const struct job *job)
{
	int fd = open(job->o->replay, O_RDONLY | O_CLOEXEC);
	unsigned int i = 0;

	if (fd < 0)
		err(1, "%s", job->o->replay);
	for (; read(fd, batch, sizeof(batch[0])) == sizeof(batch[0]); i++) {
		printf("# program %u:", i);
		for (unsigned int k = 0; k < batch[0].n && k < RECORDS; k++)
			printf(" %s", ops_name(batch[0].rec[k].op));
		printf("\n");
		fflush(stdout);
		if (!run_batch(job, batch[0].n <= RECORDS, NULL))
			errx(1, "the kernel is tainted by program %u", i);
	}
	close(fd);
	return 0;
}

/* Each job has its own guest memory, network namespace, and thread that races. */
static pid_t job_start(const struct job *job, int (*run)(const struct job *job))
{
	const struct options *o = job->o;
	pid_t pid = fork();
	char path[512];
	int status;

	if (pid < 0)
		err(1, "job");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET))
		warn("no network namespace of our own");
	engine_seed(o->seed + job->index);
	world_init(job->disks, job->num_disks, o->filler, job->index & 1);
	world.long_waits = job->alone ? 8 : 0;
	if (o->out) {
		snprintf(path, sizeof(path), "%s/current-%u", o->out, job->index);
		current = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (current < 0)
			err(1, "%s", path);
	}
	status = run(job);
	fflush(stdout);
	_exit(status);
}

/* --- the parent --- */

/* Percent of the CPUs' time that was idle since the last call */
static double idle_share(void)
{
	static double old_idle, old_all;
	double t[8] = {}, all = 0, idle, share;
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return 0;
	if (fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2], &t[3], &t[4],
		   &t[5], &t[6], &t[7]) < 4)
		t[3] = 0;
	fclose(f);
	for (unsigned int i = 0; i < 8; i++)
		all += t[i];
	idle = t[3] + t[4];
	share = all > old_all ? 100 * (idle - old_idle) / (all - old_all) : 0;
	old_idle = idle;
	old_all = all;
	return share;
}

static void report(double start)
{
	double took = now() - start;

	printf("# %.0f s: %llu programs (%.0f/s), %llu with a queue started (%.1f %%), %llu requests, %u blocks, corpus %u (%u new), CPUs %.0f %% idle\n",
	       took, (unsigned long long)shared->runs, shared->runs / (took ?: 1),
	       (unsigned long long)shared->started,
	       shared->runs ? 100.0 * shared->started / shared->runs : 0,
	       (unsigned long long)shared->requests, shared->blocks, shared->corpus_used,
	       shared->found, idle_share());
	fflush(stdout);
}

/* SIGKILL does not end a thread that hangs in the kernel. */
static void give_up(const struct options *o, unsigned int index, const pid_t *pids,
		    unsigned int n)
{
	printf("not ok - job %u: no progress in %llu s\n", index,
	       (unsigned long long)o->patience);
	fflush(stdout);
	if (system("\"$VM_DIR/stacks\""))
		printf("# no stacks\n");
	for (unsigned int i = 0; i < n; i++) {
		if (pids[i])
			kill(pids[i], SIGKILL);
	}
	fflush(stdout);
	_exit(1);
}

/* Wait for the jobs. Returns false if one failed. */
static bool attend(const struct options *o, pid_t *pids, unsigned int n, double start)
{
	double last[JOBS], next = now() + 10, until = start + o->seconds;
	uint64_t beat[JOBS] = {};
	unsigned int left = n;
	bool good = true;

	for (unsigned int i = 0; i < n; i++)
		last[i] = now();
	while (left) {
		usleep(100000);
		for (unsigned int i = 0; i < n; i++) {
			int status = 0;

			if (pids[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				good = good && !status;
				pids[i] = 0;
				left--;
			}
			if (!pids[i] || beat[i] != shared->beat[i])
				last[i] = now();
			beat[i] = shared->beat[i];
			if (now() - last[i] > o->patience)
				give_up(o, i, pids, n);
		}
		if (now() >= until && !o->replay)
			shared->stop = true;
		if (now() >= next) {
			report(start);
			next = now() + 10;
		}
	}
	return good;
}

/* Put the programs of all jobs into one file. */
static void write_finding(const struct options *o)
{
	char path[512];
	ssize_t n;
	int out;

	printf("not ok - the kernel is tainted: %#llx\n", (unsigned long long)taint());
	snprintf(path, sizeof(path), "%s/finding", o->out ?: ".");
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	for (unsigned int i = 0; i < o->jobs; i++) {
		int in;

		snprintf(path, sizeof(path), "%s/current-%u", o->out ?: ".", i);
		in = open(path, O_RDONLY | O_CLOEXEC);
		n = in < 0 ? 0 : read(in, batch, sizeof(batch));
		if (n > 0 && write(out, batch, n) != n)
			warn("finding");
		close(in);
	}
	close(out);
}

static bool run_jobs(const struct job *common, unsigned int n,
		     int (*run)(const struct job *job), double start)
{
	struct job job = *common;
	pid_t pids[JOBS];

	job.alone = n == 1;
	fflush(stdout);
	for (job.index = 0; job.index < n; job.index++)
		pids[job.index] = job_start(&job, run);
	return attend(job.o, pids, n, start);
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 30, .runs = UINT64_MAX, .seed = 1, .patience = 60,
			     .jobs = 4 };
	const struct optparse_table table = { rows, sizeof(rows) / sizeof(*rows), &o };
	struct optparse p = { .program = argv[0], .table = &table, .num_tables = 1 };
	struct job job = { .o = &o };
	double start = now();
	bool good;
	int first;

	if (optparse_ending(&p, argc, argv)) {
		optparse_help(&p, stdout, 0);
		return 0;
	}
	if (optparse_run(&p, argc, argv, &first))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "memory");
	ops_init();
	if (!coverage_open())
		printf("# no /dev/test-cover: without feedback\n");
	job.disks = argv + first;
	job.num_disks = argc - first;
	job.sound = taint();
	idle_share();
	if (o.replay)
		good = run_jobs(&job, 1, job_replay, start);
	else
		good = run_jobs(&job, 1, job_first, start) &&
		       run_jobs(&job, o.jobs, job_fuzz, start);
	if (!o.replay)
		report(start);
	if (shared->tainted)
		write_finding(&o);
	ops_report();
	printf("%sok - %llu programs\n", good ? "" : "not ", (unsigned long long)shared->runs);
	return !good;
}
