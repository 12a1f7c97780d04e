/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limit - limit the number of lines that a front end can cause in the log
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
	/* Time when the last token was returned */
	int64_t	     since;
};

/* Is there a token at @now_ms? */
bool vu_limit_ready(struct vu_limit *l, int64_t now_ms);
/* Takes a token. vu_limit_ready() must have returned true. */
void vu_limit_take(struct vu_limit *l);

#endif
