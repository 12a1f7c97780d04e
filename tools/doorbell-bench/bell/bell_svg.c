// SPDX-License-Identifier: GPL-2.0
/*
 * bell_svg - the table as a bar chart
 *
 * The colours follow the reader's light or dark scheme. Only the number of
 * characters of a text is known, not its width, so there is room behind it.
 */
#include <errno.h>
#include <math.h>

#include "bell.h"

#define WIDTH		760
#define LEFT		170	/* x where the bars begin */
#define RIGHT		130	/* room for the numbers */
#define ROW		30
#define BAR		18
#define TOP		64
#define GAP		34	/* before a group, for its heading */

static void text(FILE *out, const char *class, double x, double y,
		 const char *s)
{
	fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
	for (; *s; s++) {
		switch (*s) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		default:
			putc((unsigned char)*s < ' ' ? ' ' : *s, out);
		}
	}
	fprintf(out, "</text>\n");
}

static void style(FILE *out)
{
	fprintf(out,
		"<style>\n"
		"text { font: 13px system-ui, sans-serif; fill: #1f2328 }\n"
		".title { font-size: 17px; font-weight: 600 }\n"
		".head { font-weight: 600 }\n"
		".name { text-anchor: end }\n"
		".note { fill: #59636e; font-size: 12px }\n"
		".axis { stroke: #8c959f }\n"
		".range { stroke: #1f2328; stroke-width: 1.5 }\n"
		".qemu { fill: #bf5b00 }\n"
		".ioeventfd { fill: #0969da }\n"
		".hypercall { fill: #6e7781 }\n"
		".handler { fill: #1a7f37 }\n"
		"@media (prefers-color-scheme: dark) {\n"
		"text { fill: #e6edf3 }\n"
		".note { fill: #9198a1 }\n"
		".axis { stroke: #656c76 }\n"
		".range { stroke: #e6edf3 }\n"
		".qemu { fill: #f0883e }\n"
		".ioeventfd { fill: #4493f8 }\n"
		".hypercall { fill: #9198a1 }\n"
		".handler { fill: #3fb950 }\n"
		"}\n"
		"</style>\n");
}

static const char *class_of(const struct bell_desc *d)
{
	switch (d->kind) {
	case BELL_QEMU:
		return "qemu";
	case BELL_IOEVENTFD:
		return "ioeventfd";
	case BELL_HYPERCALL:
		return "hypercall";
	default:
		return "handler";
	}
}

/* The x coordinate of a time; a longer time ends at the edge. */
static double at(double rtt, double scale)
{
	return LEFT + fmin(rtt * scale, WIDTH - LEFT - RIGHT);
}

/* A bar, with a line in it from the fastest to the slowest round. */
static void bar(FILE *out, const struct bell_row *row, double y, double scale)
{
	double end = at(row->rtt_median, scale);
	double low = at(row->rtt_min, scale);
	double high = at(row->rtt_max, scale);
	char label[64];

	fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" "
		"height=\"%d\" rx=\"2\"/>\n", class_of(row->desc), LEFT, y,
		end - LEFT, BAR);
	fprintf(out, "<path class=\"range\" fill=\"none\" "
		"d=\"M%.1f %.1fv8m0-4H%.1fm0-4v8\"/>\n", low,
		y + BAR / 2.0 - 4, high);
	/* A bar that is cut off gets a mark. */
	snprintf(label, sizeof(label), "%s%.2f \xc2\xb5s",
		 row->rtt_median * scale > WIDTH - LEFT - RIGHT + 1 ?
		 "\xe2\x80\xa6 " : "", row->rtt_median / 1e3);
	text(out, "value", fmax(end, high) + 8, y + BAR - 4.5, label);
}

static void draw_row(FILE *out, const struct bell_row *row, double y,
		     double scale)
{
	char label[200];

	text(out, "name", LEFT - 8, y + BAR - 4.5, row->desc->name);
	if (row->rounds && !row->reason[0]) {
		bar(out, row, y, scale);
		return;
	}
	snprintf(label, sizeof(label), "not measured: %s", row->reason);
	text(out, "note", LEFT + 8, y + BAR - 4.5, label);
}

static double draw_rows(FILE *out, const struct bell_table *t, double scale)
{
	static const char *const heads[] = {
		"Rings one after the other: time of one",
		"One ring at a time: until its handler runs",
	};
	double y = TOP;
	int group = -1;

	for (size_t i = 0; i < BELL_ROWS; i++) {
		const struct bell_row *row = &t->rows[i];
		int g = row->desc->kind == BELL_HANDLER;

		if (!row->wanted)
			continue;
		if (g != group) {
			text(out, "head", 16, y + 18, heads[g]);
			y += GAP;
			group = g;
		}
		draw_row(out, row, y, scale);
		fprintf(out, "<path class=\"axis\" d=\"M%d %.1fv%d\"/>\n",
			LEFT, y - (ROW - BAR) / 2.0, ROW);
		y += ROW;
	}
	return y;
}

static void foot(FILE *out, const struct bell_table *t, double y)
{
	double mmio = bell_ratio(t, "qemu-mmio", "ioeventfd-mmio");
	double pio = bell_ratio(t, "qemu-pio", "ioeventfd-pio");
	char label[160];

	if (mmio <= 0 || pio <= 0)
		return;
	snprintf(label, sizeof(label), "qemu to ioeventfd: mmio %.2f "
		 "(2009: %.2f), pio %.2f (2009: %.2f)", mmio, BELL_2009_MMIO,
		 pio, BELL_2009_PIO);
	text(out, "note", 16, y + 14, label);
}

static unsigned int height(const struct bell_table *t)
{
	unsigned int rows = 0, groups = 0;
	int group = -1;

	for (size_t i = 0; i < BELL_ROWS; i++) {
		int g = t->rows[i].desc->kind == BELL_HANDLER;

		if (!t->rows[i].wanted)
			continue;
		rows++;
		groups += g != group;
		group = g;
	}
	return TOP + rows * ROW + groups * GAP + 32;
}

/*
 * The time that the longest bar shows: the longest median, unless that one
 * would make the others too short to see.
 */
static double longest(const struct bell_table *t)
{
	double first = 1, second = 1;

	for (size_t i = 0; i < BELL_ROWS; i++) {
		double rtt = t->rows[i].rtt_median;

		second = fmax(second, fmin(first, rtt));
		first = fmax(first, rtt);
	}
	return second > 1 ? fmin(first, 2 * second) : first;
}

int bell_svg(const struct bell_table *t, FILE *out)
{
	unsigned int h = height(t);
	char label[256];

	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %d %u\" width=\"%d\" height=\"%u\" "
		"role=\"img\">\n<title>What a ring of the doorbell costs"
		"</title>\n", WIDTH, h, WIDTH, h);
	style(out);
	text(out, "title", 16, 28, "What a ring of the doorbell costs");
	snprintf(label, sizeof(label), "Linux %s, %s; medians of %u rounds, "
		 "lines: fastest to slowest; shorter is better", t->kernel,
		 t->machine, t->rounds);
	text(out, "note", 16, 48, label);
	foot(out, t, draw_rows(out, t, (WIDTH - LEFT - RIGHT) / longest(t)));
	fprintf(out, "</svg>\n");
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
