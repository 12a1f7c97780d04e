/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ivshmem - the server's half of QEMU's ivshmem protocol, without its socket
 *
 * Who is there, and what each of them is still to be told. The protocol is in
 * QEMU's docs/specs/ivshmem-spec: the server sends numbers of 8 bytes, little
 * endian, with one file descriptor or none each; a client says nothing. It is
 * told, in this order,
 *
 *	the version of the protocol, its own ID, and -1 with the shared memory;
 *	of each other peer the ID, with the eventfd of vector 0, 1, ...;
 *	its own ID with each of its own eventfds;
 *
 * and from then on who comes (the same again) and who goes (the ID, without a
 * descriptor). One peer is always there and is no client: the host.
 *
 * Descriptors are the caller's: a peer's must stay open until it has left.
 */
#ifndef DOORBELLCTL_IVSHMEM_H
#define DOORBELLCTL_IVSHMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IVSHMEM_VERSION		0
#define IVSHMEM_SHM		(-1)	/* the number that comes with the memory */
/* No guest's: it could not tell it from a device without a server. */
#define IVSHMEM_HOST_ID		0
#define IVSHMEM_MAX_ID		65535
/* Without ioeventfd QEMU looks at 8 bits of the vector only. */
#define IVSHMEM_MAX_VECTORS	256
#define IVSHMEM_MAX_PEERS	64	/* without the host */

#define IVSHMEM_MSG_LEN		8

struct ivshmem_msg {
	int64_t	value;
	int	fd;		/* -1: none */
};

struct ivshmem_peer {
	uint16_t		 id;
	bool			 broken;	/* no memory: it must leave */
	uint64_t		 joined;
	const int		*eventfd;
	/* What it is still to be told: from @head on, @len of them. */
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
	uint64_t		*left;	/* by ID; UINT64_MAX: in use */
};

/*
 * @vectors of each peer, 1 to IVSHMEM_MAX_VECTORS; @host has their eventfds.
 * Returns 0 or -ENOMEM.
 */
int ivshmem_init(struct ivshmem *t, unsigned int vectors, int shm,
		 const int *host);
/* All peers must have left. */
void ivshmem_free(struct ivshmem *t);
/* How many peers there can be, without the host. */
unsigned int ivshmem_max_peers(unsigned int vectors);

/*
 * A client comes, with an eventfd per vector: it and all others have something
 * to be told. Returns 0, -EUSERS: too many are there, -ENOSPC: no ID is left,
 * -ENOMEM.
 */
int ivshmem_join(struct ivshmem *t, const int *eventfd,
		 struct ivshmem_peer **peer);
/* It goes, as the others are to be told. Frees it. */
void ivshmem_leave(struct ivshmem *t, struct ivshmem_peer *peer);

/* What @peer is to be told next, or NULL. */
const struct ivshmem_msg *ivshmem_next(const struct ivshmem_peer *peer);
/* It has been. */
void ivshmem_told(struct ivshmem_peer *peer);
void ivshmem_encode(int64_t value, uint8_t bytes[IVSHMEM_MSG_LEN]);

#endif
