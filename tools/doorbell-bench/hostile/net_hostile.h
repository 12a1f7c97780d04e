/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_hostile - break the rules of ring, header and frame, one at a time
 *
 * Each case sends one violation on one queue of a card that is fine otherwise,
 * and checks the outcome. After that the other queues must still serve, and the
 * attacked queue must serve again after a restart.
 */
#ifndef NET_HOSTILE_H
#define NET_HOSTILE_H

#include <stddef.h>

#include "net_options.h"

struct net_victim;

/* Outcomes of a case; a case may allow several. */
#define NET_SENT	(1u << 0)	/* chain used, frame arrived */
#define NET_DROPPED	(1u << 1)	/* chain used, no frame arrived */
#define NET_BROKEN	(1u << 2)	/* error eventfd signalled, nothing more used */
#define NET_IDLE	(1u << 3)	/* nothing is used */
/* The frame was sent or dropped; the queue goes on either way. */
#define NET_USED	(NET_SENT | NET_DROPPED)

/* Conditions of a case; if one is not met the case is skipped. */
#define NET_INDIRECT	(1u << 0)
#define NET_SPLIT	(1u << 1)	/* only with this ring format */
#define NET_PACKED	(1u << 2)

struct net_case {
	const char	*name;
	unsigned int	expect;
	unsigned int	need;
	/* Lays the violation into the ring; the caller publishes it. */
	void		(*craft)(struct net_victim *n);
	/* Called after the violation was published; may be NULL */
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

/* Prints TAP. Returns 0 if every case had an allowed outcome. */
int net_hostile_run(const struct net_options *o);

#endif
