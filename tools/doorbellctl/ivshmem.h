/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ivshmem - the server's half of QEMU's ivshmem protocol, without its socket
 *
 * Keeps the peers and the messages that each of them is still to get. The
 * protocol is described in QEMU's docs/specs/ivshmem-spec. The server sends
 * numbers of 8 bytes, little endian, each with one file descriptor or none; a
 * client sends nothing. A new client gets, in this order,
 *
 *	the version of the protocol, its own ID, and -1 with the shared memory;
 *	for each other peer its ID, with the eventfd of vector 0, 1, ...;
 *	its own ID with each of its own eventfds.
 *
 * After that it gets the same for each peer that joins, and the ID without a
 * descriptor for each peer that leaves. One peer is always there and is no
 * client: the host.
 *
 * Descriptors belong to the caller: a peer's must stay open until it has left.
 */
#ifndef DOORBELLCTL_IVSHMEM_H
#define DOORBELLCTL_IVSHMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IVSHMEM_VERSION		0
#define IVSHMEM_SHM		(-1)	/* the number sent with the shared memory */
/*
 * No guest may have it: with ID 0 a guest cannot tell that there is a server.
 */
#define IVSHMEM_HOST_ID		0
#define IVSHMEM_MAX_ID		65535
/* Without ioeventfd QEMU uses only 8 bits of the vector. */
#define IVSHMEM_MAX_VECTORS	256
#define IVSHMEM_MAX_PEERS	64	/* without the host */

#define IVSHMEM_MSG_LEN		8

struct ivshmem_msg {
	int64_t	value;
	int	fd;		/* -1: none */
};

struct ivshmem_peer {
	uint16_t		 id;
	bool			 broken;	/* out of memory: the peer must leave */
	uint64_t		 joined;
	const int		*eventfd;
	/* Messages to send: @len of them, from @head on */
	struct ivshmem_msg	*msg;
	size_t			 head;
	size_t			 len;
	size_t			 size;
};

struct ivshmem {
	unsigned int		 vectors;
	int			 shm;
	const int		*host;
	unsigned int		 num_peers;
	struct ivshmem_peer	*peer[IVSHMEM_MAX_PEERS];
	uint64_t		 clock;
	/* Time when each ID was freed; UINT64_MAX: in use */
	uint64_t		*left;
};

/*
 * Each peer has @vectors, 1 to IVSHMEM_MAX_VECTORS; @host has the host's
 * eventfds. Returns 0 or -ENOMEM.
 */
int ivshmem_init(struct ivshmem *t, unsigned int vectors, int shm,
		 const int *host);
/* All peers must have left before. */
void ivshmem_free(struct ivshmem *t);
/* Most peers at a time, without the host. */
unsigned int ivshmem_max_peers(unsigned int vectors);

/*
 * A client joins, with an eventfd for each vector; messages for it and for all
 * others are queued. Returns 0, -EUSERS if too many are there, -ENOSPC if no ID
 * is left, or -ENOMEM.
 */
int ivshmem_join(struct ivshmem *t, const int *eventfd,
		 struct ivshmem_peer **peer);
/* Removes and frees a peer; messages for all others are queued. */
void ivshmem_leave(struct ivshmem *t, struct ivshmem_peer *peer);

/* The next message for @peer, or NULL. */
const struct ivshmem_msg *ivshmem_next(const struct ivshmem_peer *peer);
/* Removes the message that ivshmem_next() returned: it was sent. */
void ivshmem_told(struct ivshmem_peer *peer);
void ivshmem_encode(int64_t value, uint8_t bytes[IVSHMEM_MSG_LEN]);

#endif
