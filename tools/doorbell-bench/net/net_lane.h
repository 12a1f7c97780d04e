/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_lane - one pair of queues under load: the driver's side, and the other
 * end
 *
 * Context: one thread per lane is the driver. In lockstep it is the other end,
 * too, and waits for every batch to arrive. Otherwise the other end has a
 * thread of its own. The main thread may read the counters at any time.
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
	uint64_t	sent;		/* frames given to the sender */
	uint64_t	done;		/* frames used by the sending queue */
	uint64_t	received;	/* our frames that the receiver got */
	uint64_t	bytes;		/* bytes of sent frames */
	uint64_t	others;		/* foreign frames received */
	uint64_t	answers;
	uint64_t	merged;		/* frames in more than one buffer */
	uint64_t	kicks;
	uint64_t	waits;
	uint64_t	interrupts;
	uint64_t	wrong;		/* frames that arrived changed */
	uint64_t	errors;
};

/* A point where all lanes wait for each other. */
struct net_meeting {
	unsigned int	arrived;
	bool		over;
	struct net_meter meter;
};

/* Shared by all lanes; accessed with atomics. */
struct net_gate {
	bool			stop;		/* the load is over */
	bool			abort;		/* lanes shall give up */
	unsigned int		running;
	int			event;		/* eventfd: a lane has ended */
	struct net_meeting	begin;		/* begin and end of the measured time */
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
	uint64_t		target;		/* frames to send; UINT64_MAX: no limit */
	uint64_t		warm;
	struct net_address	self;		/* the receiving card's address */
	struct net_frame_rules	frames;		/* the frames of this load */
	/* Checks of the received frames, one for each stream */
	struct net_check	*check;

	/* Used by the lane's thread only: */
	struct net_end		tx;
	struct net_end		rx;
	uint32_t		tx_busy;	/* slots in flight */
	struct net_host		host;
	uint64_t		goal;		/* frames to send in this phase */
	uint64_t		given_up;	/* frames counted as lost */
	/* Times in a row that nothing was found to do */
	unsigned int		idle;
	unsigned int		give_ups;	/* rounds given up in a row */
	uint64_t		idle_since;
	uint8_t			*scratch;	/* room for a virtio header and a frame */
	pthread_t		thread;
	pthread_t		host_thread;
	bool			host_runs;

	/*
	 * Used by the thread that sends: the lane's, or that of the other end
	 */
	uint64_t		seq;
	bool			host_stop;

	struct net_stats	stats;
	struct net_stats	at_begin;
	struct net_stats	at_end;
	uint64_t		seen_at_begin;
	uint64_t		seen_at_end;
	struct hist		hist;		/* latencies of requests */
	const char		*fatal;		/* why the lane gave up; a constant string */
};

/* Does the sending or the receiving queue of a lane have work? */
bool net_lane_sends(const struct net_options *o);
bool net_lane_receives(const struct net_options *o);
/* Does the other end get frames from the guest? */
bool net_lane_host_receives(const struct net_options *o);

/*
 * The caller has set all constant members and both rings. Returns 0 or -errno.
 */
int net_lane_create(struct net_lane *l);
void net_lane_destroy(struct net_lane *l);
/* Bytes of guest memory that a lane needs. */
size_t net_lane_bytes(const struct net_lane *l);
int net_lane_start(struct net_lane *l);
void net_lane_join(struct net_lane *l);
/*
 * Called by the main thread before a lane runs. Sends a frame from which
 * bridges learn the card's port.
 */
int net_lane_announce(struct ring *tx, const struct net_address *self,
		      unsigned int hlen);

/* For net_lane.c, net_lane_rx.c and net_lane_tx.c */

void net_lane_fail(struct net_lane *l, const char *why);
/*
 * Waits unless @did, which says that the last turn did something. Returns false
 * if nothing arrived for too long.
 */
bool net_lane_wait(struct net_lane *l, bool did);
/*
 * Take used entries off the sending or the receiving queue. Return how many
 * completions or frames.
 */
unsigned int net_lane_reap_tx(struct net_lane *l);
unsigned int net_lane_reap_rx(struct net_lane *l);
/* Adds a frame to the sending queue and does not publish it. */
int net_lane_send(struct net_lane *l, uint64_t seq);
void net_lane_publish(struct net_lane *l);
/* Adds all idle buffers to the receiving queue. */
void net_lane_refill(struct net_lane *l);

#endif
