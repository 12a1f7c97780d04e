/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keep - what a session has the keeper hold
 *
 * A descriptor of the front end is stored under its identity, once, however many queues
 * or regions it is for: a service manager stores an open file only once.
 */
#ifndef TOOLS_VHOST_USER_KEEP_H
#define TOOLS_VHOST_USER_KEEP_H

#include "fdstore.h"
#include "state.h"

/* The names of descriptors that have no identity */
#define VU_KEEP_DEVICE	"device"
#define VU_KEEP_FRONT	"front"
#define VU_KEEP_STATE	"state"

/**
 * struct vu_keep - a session's part of the store
 * @store: the store; NULL: there is no keeper
 * @map: the state of the session
 * @puts: descriptors stored since the server looked last
 * @failed: one could not be stored: the session is to be kept no longer
 */
struct vu_keep {
	struct fdstore	   *store;
	struct vu_state_map map;
	unsigned int	    puts;
	bool		    failed;
};

/*
 * Stores @fd, if it is a file in memory or an eventfd, and sets its identity; of all others
 * nothing is stored, as no device takes them. 0 or -errno; if the keeper does not take it,
 * 0 and @failed is set: the front end is served on.
 */
int vu_keep_fd(struct vu_keep *k, int fd, struct vu_fd_id *id);
/* Stores @sock, a Unix socket whose close() does not wait, in the same way. */
int vu_keep_sock(struct vu_keep *k, int sock, struct vu_fd_id *id);
/* The stored descriptor, a copy that the caller owns; -1: there is none. */
int vu_keep_find(struct vu_keep *k, const struct vu_fd_id *id);
/* Removes from the store what the valid state does not name. */
void vu_keep_sweep(struct vu_keep *k);

#endif
