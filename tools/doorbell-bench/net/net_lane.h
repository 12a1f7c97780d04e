/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_lane - one pair of queues under load: the driver's side, and the other end
 *
 * Context: one thread per lane is the driver. In lockstep it is the other end, too,
 * and waits for every batch to arrive; else that has a thread of its own. The main
 * thread may read the counters at any time.
 */
#ifndef NET_LANE_H
#define NET_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "hist.h"
#include "net_check.h"
#include "net_frame.h"
#include "net_host.h"
#include "net_meter.h"
#include "net_slot.h"

struct net_stats {
	uint64_t	sent;		/* frames that were given to the sender */
	uint64_t	done;		/* frames that a sending queue has used */
	uint64_t	received;	/* frames of ours by the receiver */
	uint64_t	bytes;		/* of frames that were sent */
	uint64_t	others;		/* frames that are not ours */
	uint64_t	answers;
	uint64_t	merged;		/* frames in more than one buffer */
	uint64_t	kicks;
	uint64_t	waits;
	uint64_t	interrupts;
	uint64_t	wrong;		/* frames that are not as they were sent */
	uint64_t	errors;
};

/* Where all lanes are at a time. */
struct net_meeting {
	unsigned int	arrived;
	bool		over;
	struct net_meter meter;
};

/* What lanes share; read and written with atomics. */
struct net_gate {
	bool			stop;		/* the load is over */
	bool			abort;		/* give up */
	unsigned int		running;
	int			event;		/* eventfd: a lane has ended */
	struct net_meeting	begin;		/* of what is measured */
	struct net_meeting	end;
};

struct net_lane {
	/* Constant while the threads run. */
	const struct net_options *o;
	struct net_gate		*gate;
	unsigned int		index;
	bool			lockstep;
	bool			mrg;
	unsigned int		hlen;
	uint64_t		target;		/* frames; UINT64_MAX: time */
	uint64_t		warm;
	struct net_address	self;		/* the receiving card's */
	struct net_frame_rules	frames;		/* of the load */
	struct net_check	*check;		/* of all streams */

	/* The lane's thread. */
	struct net_end		tx;
	struct net_end		rx;
	uint32_t		tx_busy;	/* slots in flight */
	struct net_host		host;
	uint64_t		goal;		/* frames to send in this phase */
	uint64_t		given_up;	/* frames not waited for any more */
	unsigned int		idle;		/* looks in vain, in a row */
	unsigned int		give_ups;	/* in a row */
	uint64_t		idle_since;
	uint8_t			*scratch;	/* a virtio header and a frame */
	pthread_t		thread;
	pthread_t		host_thread;
	bool			host_runs;

	/* The sender's, which may be the other end's thread. */
	uint64_t		seq;
	bool			host_stop;

	struct net_stats	stats;
	struct net_stats	at_begin;
	struct net_stats	at_end;
	uint64_t		seen_at_begin;
	uint64_t		seen_at_end;
	struct hist		hist;		/* of requests */
	const char		*fatal;		/* why it gave up; static */
};

/* Which of a lane's queues have work. */
bool net_lane_sends(const struct net_options *o);
bool net_lane_receives(const struct net_options *o);
/* Does the other end get frames from the guest? */
bool net_lane_host_receives(const struct net_options *o);

/* All that is constant was set by the caller, and both rings. 0 or -errno. */
int net_lane_create(struct net_lane *l);
void net_lane_destroy(struct net_lane *l);
/* Guest memory of a lane. */
size_t net_lane_bytes(const struct net_lane *l);
int net_lane_start(struct net_lane *l);
void net_lane_join(struct net_lane *l);
/* The main thread's, before a lane runs: the bridges learn where the card is. */
int net_lane_announce(struct ring *tx, const struct net_address *self,
		      unsigned int hlen);

/* For net_lane.c, net_lane_rx.c and net_lane_tx.c */

void net_lane_fail(struct net_lane *l, const char *why);
/* Waits unless something was done. False: nothing came for too long. */
bool net_lane_wait(struct net_lane *l, bool did);
/* How many completions or frames were found. */
unsigned int net_lane_reap_tx(struct net_lane *l);
unsigned int net_lane_reap_rx(struct net_lane *l);
/* Adds a frame to the sending queue, which is not published. */
int net_lane_send(struct net_lane *l, uint64_t seq);
void net_lane_publish(struct net_lane *l);
/* Gives all buffers that are idle to the receiving queue. */
void net_lane_refill(struct net_lane *l);

#endif
