// SPDX-License-Identifier: GPL-2.0
#include "limit.h"

bool vu_limit_ready(struct vu_limit *l, int64_t now_ms)
{
	int64_t back = (now_ms - l->since) / l->refill_ms;

	if (back >= l->used) {
		l->used = 0;
		l->since = now_ms;
	} else {
		l->used -= back;
		l->since += back * l->refill_ms;
	}
	return l->used < l->burst;
}

void vu_limit_take(struct vu_limit *l)
{
	l->used++;
}
