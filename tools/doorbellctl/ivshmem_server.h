/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ivshmem_server - the socket and the loop of an ivshmem server
 *
 * Any number of clients up to ivshmem_max_peers(); more are turned away. One
 * that says anything is, too. Nobody who does not read what he is told is waited
 * for. While nobody comes or goes, the loop sleeps.
 */
#ifndef DOORBELLCTL_IVSHMEM_SERVER_H
#define DOORBELLCTL_IVSHMEM_SERVER_H

#include "ivshmem.h"
#include "listen.h"

struct ivshmem_client {
	int			 sock;
	int			*eventfd;	/* one per vector, owned */
	struct ivshmem_peer	*peer;
};

struct ivshmem_server {
	struct listen		socket;
	struct ivshmem		table;
	unsigned int		num_clients;
	struct ivshmem_client	client[IVSHMEM_MAX_PEERS];
	int			stop;	/* readable: end */
	/* When this descriptor is readable, call that; -1: none. */
	int			also;
	int			(*on_also)(void *context);
	void			*context;
};

/*
 * @socket listens and @table knows no client yet. Serves until @stop is readable
 * or @on_also fails, logs who comes and goes, and lets all clients go. Returns
 * 0, what @on_also returned, or -errno of poll().
 */
int ivshmem_server_run(struct ivshmem_server *s);

#endif
