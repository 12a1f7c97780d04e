/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limit - how many lines of a kind a front end can put into the log
 *
 * A token bucket: each line takes a token, and each @refill_ms returns one. The caller
 * passes the time, which must not go backwards.
 */
#ifndef TOOLS_VHOST_USER_LIMIT_H
#define TOOLS_VHOST_USER_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct vu_limit {
	unsigned int burst;		/* lines at once */
	unsigned int refill_ms;
	unsigned int used;		/* tokens taken and not returned yet */
	unsigned int dropped;		/* since the last line that passed */
	int64_t	     since;		/* when the last token came back */
};

/*
 * Whether the caller may print one more line at @now_ms. If so, *@dropped is the number
 * of lines that were refused since the last one that was allowed.
 */
bool vu_limit_pass(struct vu_limit *l, int64_t now_ms, unsigned int *dropped);

#endif
