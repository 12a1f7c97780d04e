// SPDX-License-Identifier: GPL-2.0
/* bell_show - print the table for people and as JSON */
#include <math.h>
#include <string.h>

#include "bell.h"
#include "json.h"

static double spread(const struct bell_row *row)
{
	return (row->rtt_max - row->rtt_min) / row->rtt_median;
}

static void print_row(const struct bell_row *row, FILE *out)
{
	const char *vmexit = row->desc->vmexit ? row->desc->vmexit : "-";

	if (!row->rounds || row->reason[0])
		fprintf(out, "%-20s not measured: %s\n", row->desc->name,
			row->reason);
	else
		fprintf(out, "%-20s %9.0f %10.2f %6.0f %%  %s\n",
			row->desc->name, row->rate_median,
			row->rtt_median / 1e3, 100 * spread(row), vmexit);
}

static void print_ratio(const struct bell_table *t, const char *a,
			const char *b, double then, FILE *out)
{
	double now = bell_ratio(t, a, b);

	if (now > 0)
		fprintf(out, "%s / %s: %.2f (2009: %.2f)\n", a, b, now, then);
}

void bell_print(const struct bell_table *t, FILE *out)
{
	fprintf(out, "kernel %s, %s, medians of %u rounds\n", t->kernel,
		t->machine, t->rounds);
	if (t->cpus < 2)
		fprintf(out, "only one CPU: those who wait share it with the "
			"guest, which spins\n");
	fprintf(out, "\n%-20s %9s %10s %8s  %s\n", "", "iops", "rtt_us",
		"spread", "vmexit");
	for (size_t i = 0; i < BELL_ROWS; i++)
		if (t->rows[i].wanted)
			print_row(&t->rows[i], out);
	fprintf(out, "\n");
	print_ratio(t, "qemu-mmio", "ioeventfd-mmio", BELL_2009_MMIO, out);
	print_ratio(t, "qemu-pio", "ioeventfd-pio", BELL_2009_PIO, out);
}

int bell_json(const struct bell_table *t, FILE *out)
{
	struct json j;

	json_begin(&j, out);
	json_array(&j, NULL);
	for (size_t i = 0; i < BELL_ROWS; i++) {
		const struct bell_row *row = &t->rows[i];
		bool known = row->rounds && !row->reason[0];

		if (!row->wanted)
			continue;
		json_object(&j, NULL);
		json_str(&j, "kernel", t->kernel);
		json_str(&j, "name", row->desc->name);
		json_double(&j, "iops", known ? row->rate_median : NAN, 0);
		json_double(&j, "rtt_us", known ? row->rtt_median / 1e3 : NAN,
			    3);
		json_double(&j, "spread", known ? spread(row) : NAN, 3);
		json_double(&j, "switches", known ? bell_switches(row) : NAN,
			    3);
		json_str(&j, "vmexit", row->desc->vmexit);
		json_str(&j, "reason", known ? NULL : row->reason);
		json_object_end(&j);
	}
	json_array_end(&j);
	return json_end(&j);
}
