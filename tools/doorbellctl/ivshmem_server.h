/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ivshmem_server - the socket and the event loop of an ivshmem server
 *
 * It serves up to ivshmem_max_peers() clients and refuses more. A client that
 * sends anything is disconnected. The server never waits for a client that does
 * not read. While no client comes or goes, the loop sleeps.
 */
#ifndef DOORBELLCTL_IVSHMEM_SERVER_H
#define DOORBELLCTL_IVSHMEM_SERVER_H

#include "ivshmem.h"
#include "listen.h"

struct ivshmem_client {
	int			 sock;
	/* Owned eventfds, one for each vector */
	int			*eventfd;
	struct ivshmem_peer	*peer;
};

struct ivshmem_server {
	struct listen		socket;
	struct ivshmem		table;
	unsigned int		num_clients;
	struct ivshmem_client	client[IVSHMEM_MAX_PEERS];
	int			stop;	/* if readable, the loop ends */
	/*
	 * When this descriptor is readable, on_also() is called; -1: no such
	 * descriptor.
	 */
	int			also;
	int			(*on_also)(void *context);
	void			*context;
};

/*
 * @socket listens, and @table has no client yet. Serves until @stop is readable
 * or @on_also fails. Logs which clients come and go, and disconnects all at the
 * end. Returns 0, the result of @on_also, or -errno of poll().
 */
int ivshmem_server_run(struct ivshmem_server *s);

#endif
