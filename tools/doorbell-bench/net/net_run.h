/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_run - one run of a load on network cards: devices, memory, lanes and
 * results
 */
#ifndef NET_RUN_H
#define NET_RUN_H

#include "mem.h"
#include "net_dev.h"
#include "net_lane.h"
#include "net_options.h"

/* The card of one emulated guest. */
struct net_card {
	struct net_dev		dev;
	struct ring		ring[2 * NET_MAX_PAIRS];
	unsigned int		nrings;
	unsigned int		started;
	struct net_address	self;
};

struct net_run {
	const struct net_options *o;
	struct mem		mem;
	struct net_card		card[2];
	unsigned int		ncards;
	struct net_address	host;		/* the other end */
	char			host_if[IFNAMSIZ];
	struct net_gate		gate;
	struct net_check	*check;		/* by stream */
	struct net_lane		*lane;
	unsigned int		nlanes;
	uint64_t		errors;		/* errors that belong to no lane */
};

/*
 * Returns 0 when the run went to its end, whatever it found. Else returns
 * -errno and has printed why.
 */
int net_run(struct net_run *r, const struct net_options *o);
void net_run_destroy(struct net_run *r);

/* Prints "doorbell-bench: WHAT: WHY"; returns @ret. */
int net_say(const char *what, const char *why, int ret);

/* Prints the results. Returns true if nothing was wrong. */
bool net_report(const struct net_run *r);

/* The address of emulated guest @n with a card of @dev. */
struct net_address net_run_guest(const struct net_dev *dev, unsigned int n,
				 uint32_t host_ip);

#endif
