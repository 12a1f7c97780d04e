// SPDX-License-Identifier: GPL-2.0
/* optparse_help - print --help of a table, in 80 columns */
#include <string.h>

#include "optparse.h"

#define WIDTH	80
#define COLUMN	26	/* column where the explanations begin */

/* Prints @text from column @at on; more lines begin at column @margin. */
static void wrap(FILE *to, const char *text, int at, int margin)
{
	while (*text) {
		int n = (int)strcspn(text, " ");

		if (at > margin && at + n + 1 > WIDTH) {
			fputc('\n', to);
			at = 0;
		}
		if (at < margin)
			at += fprintf(to, "%*s", margin - at, "");
		else if (at > margin)
			at += fprintf(to, " ");
		at += fprintf(to, "%.*s", n, text);
		text += n + strspn(text + n, " ");
	}
	fputc('\n', to);
}

static void help_row(const struct optparse_row *r, FILE *to)
{
	int at = fprintf(to, "  ");

	if (!r->name) {
		wrap(to, r->help, at, at);
		return;
	}
	at += r->letter ? fprintf(to, "-%c, ", r->letter) : fprintf(to, "    ");
	at += fprintf(to, "--%s%s%s", r->name, r->arg ? "=" : "", r->arg ? r->arg : "");
	if (at > COLUMN - 2) {
		fputc('\n', to);
		at = 0;
	}
	wrap(to, r->help, at, COLUMN);
}

void optparse_help(const struct optparse *p, FILE *to, unsigned int groups)
{
	for (size_t t = 0; t < p->num_tables; t++) {
		for (size_t i = 0; i < p->table[t].num; i++) {
			const struct optparse_row *r = &p->table[t].row[i];

			if (!r->group || r->group & groups)
				help_row(r, to);
		}
	}
}
