/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_hostile - break the rules of ring, header and frame, one at a time
 *
 * Each case sends one violation on one queue of a card that is fine otherwise, and
 * looks at what comes of it; then that the other queues still serve, and that the
 * queue serves again after a restart.
 */
#ifndef NET_HOSTILE_H
#define NET_HOSTILE_H

#include <stddef.h>

#include "net_options.h"

struct net_victim;

/* What may come of a case: any of these. */
#define NET_SENT	(1u << 0)	/* used, and the frame arrived */
#define NET_DROPPED	(1u << 1)	/* used, and no frame arrived */
#define NET_BROKEN	(1u << 2)	/* error eventfd, and nothing more */
#define NET_IDLE	(1u << 3)	/* nothing is used */
/* With NET_SENT or NET_DROPPED the queue goes on. */
#define NET_USED	(NET_SENT | NET_DROPPED)

/* What a case can't do without; else it is skipped. */
#define NET_INDIRECT	(1u << 0)
#define NET_SPLIT	(1u << 1)	/* the ring's format */
#define NET_PACKED	(1u << 2)

struct net_case {
	const char	*name;
	unsigned int	expect;
	unsigned int	need;
	/* Leaves the violation in the ring; it is published after that. */
	void		(*craft)(struct net_victim *n);
	/* After that; or NULL. */
	void		(*then)(struct net_victim *n);
};

struct net_set {
	const char		*queue;		/* "tx" or "rx" */
	const struct net_case	*cases;
	size_t			n;
};

struct net_set net_hostile_tx_cases(void);
struct net_set net_hostile_rx_cases(void);
int net_hostile_random(const struct net_options *o);

/* Prints TAP; 0 if every case went as promised. */
int net_hostile_run(const struct net_options *o);

#endif
