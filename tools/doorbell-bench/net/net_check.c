// SPDX-License-Identifier: GPL-2.0
/* net_check - check the numbers of a stream's frames as they arrive */
#include <stdbool.h>
#include <string.h>

#include "net_check.h"

void net_check_init(struct net_check *c)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
}

static uint64_t *word(struct net_check *c, uint64_t seq)
{
	return &c->window[seq % NET_CHECK_WINDOW / 64];
}

static uint64_t bit(uint64_t seq)
{
	return 1ull << seq % 64;
}

/* Is this the first frame with this number? */
static bool is_new(struct net_check *c, uint64_t seq)
{
	if (seq >= c->next) {
		for (uint64_t i = c->next; i < seq &&
		     i < c->next + NET_CHECK_WINDOW; i++)
			*word(c, i) &= ~bit(i);
		c->next = seq + 1;
	} else {
		/* A frame older than the window counts as a duplicate. */
		if (c->next - seq > NET_CHECK_WINDOW || *word(c, seq) & bit(seq))
			return false;
		c->reordered++;
	}
	*word(c, seq) |= bit(seq);
	return true;
}

void net_check_add(struct net_check *c, uint64_t seq, uint32_t len)
{
	pthread_mutex_lock(&c->lock);
	if (is_new(c, seq)) {
		c->bytes += len;
		__atomic_store_n(&c->seen, c->seen + 1, __ATOMIC_RELEASE);
	} else {
		c->duplicates++;
	}
	pthread_mutex_unlock(&c->lock);
}

uint64_t net_check_seen(const struct net_check *c)
{
	return __atomic_load_n(&c->seen, __ATOMIC_ACQUIRE);
}
