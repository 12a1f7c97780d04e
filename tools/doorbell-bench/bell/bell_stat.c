// SPDX-License-Identifier: GPL-2.0
/* bell_stat - medians of the rounds, and whether they are as expected */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "bench.h"

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(const double *values, unsigned int n)
{
	double sorted[BELL_MAX_ROUNDS];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), compare);
	return n % 2 ? sorted[n / 2] :
		       (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

void bell_stat_round(struct bell_row *row)
{
	if (!row->slices || row->reason[0])
		return;
	row->rtt[row->rounds] = median(row->slice_rtt, row->slices);
	row->rate[row->rounds++] = median(row->slice_rate, row->slices);
	row->slices = 0;
}

void bell_stat(struct bell_row *row)
{
	if (!row->rounds || row->reason[0])
		return;
	row->rtt_median = median(row->rtt, row->rounds);
	row->rate_median = median(row->rate, row->rounds);
	row->rtt_min = row->rtt_max = row->rtt[0];
	for (unsigned int i = 1; i < row->rounds; i++) {
		if (row->rtt[i] < row->rtt_min)
			row->rtt_min = row->rtt[i];
		if (row->rtt[i] > row->rtt_max)
			row->rtt_max = row->rtt[i];
	}
	/*
	 * Without a handler, rings follow each other, so the rate is the
	 * inverse of the time.
	 */
	if (row->desc->kind != BELL_HANDLER)
		row->rate_median = 1e9 / row->rtt_median;
}

static const struct bell_row *row_of(const struct bell_table *t,
				     const char *name)
{
	for (size_t i = 0; i < BELL_ROWS; i++)
		if (!strcmp(t->rows[i].desc->name, name))
			return &t->rows[i];
	return NULL;
}

const struct bell_row *bell_find(const struct bell_table *t, const char *name)
{
	const struct bell_row *row = row_of(t, name);

	return row && row->wanted && row->rounds && !row->reason[0] ? row :
								      NULL;
}

double bell_ratio(const struct bell_table *t, const char *a, const char *b)
{
	const struct bell_row *x = bell_find(t, a), *y = bell_find(t, b);

	return x && y ? x->rtt_median / y->rtt_median : 0;
}

double bell_switches(const struct bell_row *row)
{
	return row->desc->kind == BELL_HANDLER && row->rings ?
	       row->switches / (double)row->rings : NAN;
}

/* --- checks --- */

/*
 * Called if a row for @claim is missing. Prints that and returns false, unless
 * --rows left the row out.
 */
static bool unknown(const struct bell_table *t, const char *const *names,
		    size_t n, const char *claim, FILE *out)
{
	bool wanted = true;

	for (size_t i = 0; i < n; i++)
		wanted &= row_of(t, names[i])->wanted;
	if (wanted)
		fprintf(out, "%s: not known, a row is missing\n", claim);
	return !wanted;
}

static bool beats(const struct bell_table *t, const char *const names[2],
		  FILE *out)
{
	const struct bell_row *fast = bell_find(t, names[0]);
	const struct bell_row *slow = bell_find(t, names[1]);
	unsigned int won = 0;
	char claim[64];

	snprintf(claim, sizeof(claim), "%s is faster than %s", names[0],
		 names[1]);
	if (!fast || !slow)
		return unknown(t, names, 2, claim, out);
	for (unsigned int i = 0; i < t->rounds; i++)
		won += fast->rtt[i] < slow->rtt[i];
	fprintf(out, "%s: in %u of %u rounds\n", claim, won, t->rounds);
	return won == t->rounds;
}

static bool in_order(const struct bell_table *t, FILE *out)
{
	static const char *const names[] = {
		"ioeventfd-inline", "ioeventfd-worker", "ioeventfd-epoll",
	};
	static const char claim[] =
		"inline reaches its handler before worker, that before epoll";
	const struct bell_row *r[3];
	bool good;

	for (size_t i = 0; i < 3; i++) {
		r[i] = bell_find(t, names[i]);
		if (!r[i])
			return unknown(t, names, 3, claim, out);
	}
	good = r[0]->rtt_median < r[1]->rtt_median &&
	       r[1]->rtt_median < r[2]->rtt_median;
	fprintf(out, "%s: %s\n", claim, good ? "yes" : "no");
	return good;
}

bool bell_check(const struct bell_table *t, FILE *out)
{
	static const char *const mmio[] = { "ioeventfd-mmio", "qemu-mmio" };
	static const char *const pio[] = { "ioeventfd-pio", "qemu-pio" };

	return beats(t, mmio, out) & beats(t, pio, out) & in_order(t, out);
}
