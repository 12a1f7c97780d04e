/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell - the table of what one ring of the doorbell costs, for each way to ring
 *
 * A row is measured in rounds and a round in slices, in which all rows take
 * turns, so that other load on the machine hits all of them alike. The time of
 * a round is the median of its slices; the time of a row is the median of its
 * rounds. Times are in nanoseconds here.
 */
#ifndef BELL_H
#define BELL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BELL_MAX_ROUNDS	100
#define BELL_SLICES	50	/* slices of a round */

enum bell_kind {
	/* The guest's write exits to user space, which signals the eventfd */
	BELL_QEMU,
	/* KVM signals an eventfd that no thread waits for */
	BELL_IOEVENTFD,
	/* A hypercall: enters and leaves KVM, signals nothing */
	BELL_HYPERCALL,
	BELL_HANDLER,		/* one ring at a time; a handler counts it */
};

/*
 * Mode of a row whose handler is in user space; the other modes are those of
 * the module's bell.
 */
#define BELL_EPOLL	-1

struct bell_desc {
	const char	*name;
	/* Name of the same test in kvm-unit-tests; NULL: none */
	const char	*vmexit;
	enum bell_kind	kind;
	/* The guest rings by OUT to a port, otherwise by MOV to memory */
	bool		pio;
	/* The ioeventfd has length 0: writes of any length match */
	bool		any;
	int		mode;
};

struct bell_row {
	const struct bell_desc	*desc;
	bool			 wanted;
	/*
	 * Why the row was not measured: true: an error; false: impossible on
	 * this machine
	 */
	bool			 failed;
	char			 reason[160];	/* empty: the row was measured */

	uint64_t		 count;		/* rings of one slice */
	unsigned int		 slices;
	double			 slice_rtt[BELL_SLICES];
	double			 slice_rate[BELL_SLICES];
	/*
	 * Rings of all slices, and the handler's context switches in them; for
	 * BELL_HANDLER.
	 */
	uint64_t		 rings;
	double			 switches;
	unsigned int		 rounds;
	double			 rtt[BELL_MAX_ROUNDS];
	double			 rate[BELL_MAX_ROUNDS];	/* per second */

	/* Over all rounds: */
	double			 rtt_median;
	double			 rate_median;
	double			 rtt_min;
	double			 rtt_max;
};

#define BELL_ROWS	9

struct bell_table {
	char			 kernel[80];
	char			 machine[80];
	unsigned int		 cpus;
	unsigned int		 rounds;
	struct bell_row		 rows[BELL_ROWS];
};

/* In the order of the rows. */
extern const struct bell_desc bell_descs[BELL_ROWS];

/* Ratios qemu to ioeventfd in the table of the ioeventfd patch (2009). */
#define BELL_2009_MMIO	1.82
#define BELL_2009_PIO	2.40

/* The row with this name; NULL if it was not measured. */
const struct bell_row *bell_find(const struct bell_table *t, const char *name);
/* The ratio of two medians; zero if one is missing. */
double bell_ratio(const struct bell_table *t, const char *a, const char *b);

/*
 * bell_stat_round() makes a round of the slices, bell_stat() the medians of the
 * rounds.
 */
void bell_stat_round(struct bell_row *row);
void bell_stat(struct bell_row *row);

/*
 * Prints whether ioeventfd was faster in each round, and whether the handlers
 * are in the expected order. Returns false if one of the requested rows is
 * missing or not as expected.
 */
bool bell_check(const struct bell_table *t, FILE *out);

/* Context switches of the handler's thread per ring; NAN without a handler. */
double bell_switches(const struct bell_row *row);

void bell_print(const struct bell_table *t, FILE *out);
/* 0 or -errno. */
int bell_json(const struct bell_table *t, FILE *out);
int bell_svg(const struct bell_table *t, FILE *out);

#endif
