// SPDX-License-Identifier: GPL-2.0
#include "limit.h"

#include <stddef.h>

bool vu_limit_pass(struct vu_limit *l, int64_t now_ms, unsigned int *dropped)
{
	int64_t back = (now_ms - l->since) / l->refill_ms;

	if (back >= l->used) {
		l->used = 0;
		l->since = now_ms;
	} else {
		l->used -= back;
		l->since += back * l->refill_ms;
	}
	if (l->used >= l->burst) {
		l->dropped++;
		return false;
	}
	l->used++;
	*dropped = l->dropped;
	l->dropped = 0;
	return true;
}
