/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limit - how many lines of a kind a front end can put into the log
 *
 * A bucket of tokens: each line takes one, and one comes back after each
 * @refill_ms. The caller gives the time, which must not go backwards.
 */
#ifndef TOOLS_VHOST_USER_LIMIT_H
#define TOOLS_VHOST_USER_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct vu_limit {
	unsigned int burst;		/* lines at once */
	unsigned int refill_ms;
	unsigned int used;		/* tokens taken and not back yet */
	unsigned int dropped;		/* since the last line that passed */
	int64_t	     since;		/* when the last token came back */
};

/*
 * Whether one more line may be printed at @now_ms. If so, *@dropped is how many
 * were not since the last one that was.
 */
bool vu_limit_pass(struct vu_limit *l, int64_t now_ms, unsigned int *dropped);

#endif
