/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell - the table: what a ring of the doorbell costs, by every way to ring
 *
 * A row is measured in rounds, and a round in slices, in which all rows take
 * turns: what else the machine does hits them alike. A round's time is the median
 * of its slices, the row's that of its rounds. Times are in nanoseconds here.
 */
#ifndef BELL_H
#define BELL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BELL_MAX_ROUNDS	100
#define BELL_SLICES	50	/* of a round */

enum bell_kind {
	BELL_QEMU,		/* exits to user space, which rings */
	BELL_IOEVENTFD,		/* nobody waits */
	BELL_HYPERCALL,
	BELL_HANDLER,		/* one ring at a time, each is handled */
};

/* Who handles; the others are modes of the module's bell. */
#define BELL_EPOLL	-1

struct bell_desc {
	const char	*name;
	const char	*vmexit;	/* what kvm-unit-tests calls it */
	enum bell_kind	kind;
	bool		pio;
	bool		any;		/* length 0 */
	int		mode;
};

struct bell_row {
	const struct bell_desc	*desc;
	bool			 wanted;
	bool			 failed;	/* not only impossible here */
	char			 reason[160];	/* empty: it was measured */

	uint64_t		 count;		/* rings of a slice */
	unsigned int		 slices;
	double			 slice_rtt[BELL_SLICES];
	double			 slice_rate[BELL_SLICES];
	/* Of all slices, for BELL_HANDLER: what its thread's context switches are of. */
	uint64_t		 rings;
	double			 switches;
	unsigned int		 rounds;
	double			 rtt[BELL_MAX_ROUNDS];
	double			 rate[BELL_MAX_ROUNDS];	/* per second */

	/* Of the rounds. */
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

/* The ratios of the ioeventfd patch's table (2009), qemu to ioeventfd. */
#define BELL_2009_MMIO	1.82
#define BELL_2009_PIO	2.40

/* The row of that name; NULL if it was not measured. */
const struct bell_row *bell_find(const struct bell_table *t, const char *name);
/* Of two medians, zero if one is missing. */
double bell_ratio(const struct bell_table *t, const char *a, const char *b);

/* The slices make a round, which counts; the rounds make the row. */
void bell_stat_round(struct bell_row *row);
void bell_stat(struct bell_row *row);

/*
 * Prints whether ioeventfd was faster in each round, and the handlers are in
 * order; false if something that was asked for is not so, or not known.
 */
bool bell_check(const struct bell_table *t, FILE *out);

/* Context switches of the handler's thread for each ring; NAN where none handles. */
double bell_switches(const struct bell_row *row);

void bell_print(const struct bell_table *t, FILE *out);
/* 0 or -errno. */
int bell_json(const struct bell_table *t, FILE *out);
int bell_svg(const struct bell_table *t, FILE *out);

#endif
