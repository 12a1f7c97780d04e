/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kfuzz - coverage-guided fuzzing of /dev/vhost-doorbell
 *
 * An input is a program: records of a fixed size, an operation with its arguments each.
 * Every value of every byte means something, so any bytes are a program.
 */
#ifndef KFUZZ_H
#define KFUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS		48U
#define CORPUS		8192U
#define JOBS		16U

/* One call. @arg: what each means is up to the operation. */
struct record {
	uint8_t	op;
	uint8_t	arg[15];
};

struct program {
	uint32_t	n;
	struct record	rec[RECORDS];
};

/* What a program reached, for the report */
struct outcome {
	uint32_t	started;	/* queues that were started */
	uint32_t	requests;	/* chains that were made available */
};

/* What all jobs share */
struct shared {
	uint64_t	runs;
	uint64_t	started;	/* programs that started a queue */
	uint64_t	requests;
	uint32_t	blocks;
	uint32_t	found;		/* programs that were added to the corpus */
	uint32_t	corpus_used;
	bool		stop;
	bool		tainted;
	uint64_t	beat[JOBS];	/* programs of each job */
	struct program	corpus[CORPUS];
};

extern struct shared *shared;

/* corpus.c */
/* Add a program; with @dir keep it there, too. */
void corpus_add(const struct program *p, const char *dir);
/* Take any program; prefer new ones. Returns false if there is none. */
bool corpus_pick(struct program *p);
/* Read a file with one program. */
bool corpus_load(const char *path, struct program *p);
void corpus_save(const char *path, const void *data, size_t size);

/* coverage.c; @alone: no other job runs programs */
bool coverage_open(void);
void coverage_begin(bool alone);
bool coverage_news(bool alone);

/* ops.c */
void ops_init(void);
const char *ops_name(uint8_t op);
/* Print how often each operation ran, and how long that took. */
void ops_report(void);
/* Which operations a generated program consists of: more of those that move data */
uint8_t ops_pick(uint64_t random);
uint8_t ops_find(const char *name);
struct outcome ops_run(const struct program *p);

/* world.c */
struct world {
	int	memfd;
	char   *mem;		/* our own mapping, which always works */
	int	num_disks;
	int	disk[16];
	bool	is_zoned[16];
	int	tap;		/* -1: none */
	int	tap_index;
	int	packet;		/* to send frames into a network device; -1: none */
	unsigned int long_waits;	/* op_wait() may wait so often for a second */
	int	not_open;	/* number of a descriptor that is not open */
	int	odd[6];		/* descriptors of other kinds */
	int	filler;		/* takes the room of a full file system; -1: none */
	int	tight;		/* the disk in that file system; -1: none */
};

extern struct world world;

/* @huge: guest memory of huge pages; the last disk is a file next to @filler. */
void world_init(char **disks, int n, const char *filler, bool huge);
/* Take all room of the file system of @filler, or give it back. */
void world_fill(void);
void world_empty(void);
/* Map guest memory again, after a program tore holes into it */
void world_remap(void);
/* Have another thread do something many times, while the program goes on */
void world_race(int fd, size_t offset, uint8_t value, unsigned int times);
void world_race_end(void);
/* Send a frame of @len bytes to a network device */
void world_inject(int index, unsigned int kind, size_t len);

/* engine.c */
uint64_t engine_random(void);
void engine_seed(uint64_t seed);
void engine_generate(struct program *p);
/* The first programs, for parts that chance finds late; returns false after the last */
bool engine_seed_program(struct program *p, unsigned int i);
void engine_mutate(struct program *p, const struct program *other);

/* Guest memory, as the device sees it */
#define MEM		0x20000000UL
#define MEM_LEN		(16UL << 20)
#define GPA		0x40000000UL
#define DEVS		3
#define QUEUES		4
#define MAX_NUM		256U
#define RING(d, q)	(((d) * QUEUES + (q)) * 0x10000UL)
#define AT_AVAIL	0x1000UL
#define AT_USED		0x2000UL
#define AT_HDR		0x3000UL
#define AT_STATUS	0x3c00UL
#define AT_TABLE	0x4000UL
#define TABLE_NUM	128U
#define AT_INFLIGHT	0x5000UL
#define INFLIGHT_LEN	0x3000UL
#define AT_DATA		0x100000UL
#define DATA_LEN	0xc00000UL
#define AT_LOG		0xe00000UL
#define LOG_LEN		((GPA + MEM_LEN) >> 15)

#endif
