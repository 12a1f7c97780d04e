// SPDX-License-Identifier: GPL-2.0
#include "ivshmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * QEMU makes an ioeventfd for each vector of each peer, its own included, and
 * aborts when KVM refuses one. A guest's MMIO bus has room for 1000 devices,
 * and its other devices need some.
 */
#define MAX_IOEVENTFDS	512

unsigned int ivshmem_max_peers(unsigned int vectors)
{
	unsigned int n = MAX_IOEVENTFDS / vectors - 1;

	return n < IVSHMEM_MAX_PEERS ? n : IVSHMEM_MAX_PEERS;
}

int ivshmem_init(struct ivshmem *t, unsigned int vectors, int shm,
		 const int *host)
{
	*t = (struct ivshmem){ .vectors = vectors, .shm = shm, .host = host };
	t->left = calloc(IVSHMEM_MAX_ID + 1, sizeof(*t->left));
	if (!t->left)
		return -ENOMEM;
	t->left[IVSHMEM_HOST_ID] = UINT64_MAX;
	return 0;
}

void ivshmem_free(struct ivshmem *t)
{
	free(t->left);
	t->left = NULL;
}

/*
 * Chooses the lowest ID that no present client has seen leave. QEMU frees its
 * data of a peer that leaves; if the ID is used again, QEMU uses the freed data
 * and crashes.
 */
static int new_id(const struct ivshmem *t)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned int i = 0; i < t->num_peers; i++)
		if (t->peer[i]->joined < oldest)
			oldest = t->peer[i]->joined;
	for (int id = 0; id <= IVSHMEM_MAX_ID; id++)
		if (t->left[id] < oldest)
			return id;
	return -ENOSPC;
}

static void tell(struct ivshmem_peer *peer, int64_t value, int fd)
{
	struct ivshmem_msg *more;

	if (peer->head + peer->len == peer->size) {
		size_t size = peer->len * 2 + 16;

		if (peer->head)
			memmove(peer->msg, peer->msg + peer->head,
				peer->len * sizeof(*more));
		peer->head = 0;
		more = reallocarray(peer->msg, size, sizeof(*more));
		if (!more) {
			peer->broken = true;
			return;
		}
		peer->msg = more;
		peer->size = size;
	}
	peer->msg[peer->head + peer->len++] = (struct ivshmem_msg){ value, fd };
}

static void tell_peer(const struct ivshmem *t, struct ivshmem_peer *peer,
		      uint16_t id, const int *eventfd)
{
	for (unsigned int i = 0; i < t->vectors; i++)
		tell(peer, id, eventfd[i]);
}

int ivshmem_join(struct ivshmem *t, const int *eventfd,
		 struct ivshmem_peer **new)
{
	struct ivshmem_peer *peer;
	int id;

	if (t->num_peers >= ivshmem_max_peers(t->vectors))
		return -EUSERS;
	id = new_id(t);
	if (id < 0)
		return id;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->id = id;
	peer->joined = ++t->clock;
	peer->eventfd = eventfd;

	tell(peer, IVSHMEM_VERSION, -1);
	tell(peer, id, -1);
	tell(peer, IVSHMEM_SHM, t->shm);
	tell_peer(t, peer, IVSHMEM_HOST_ID, t->host);
	for (unsigned int i = 0; i < t->num_peers; i++)
		tell_peer(t, peer, t->peer[i]->id, t->peer[i]->eventfd);
	tell_peer(t, peer, id, eventfd);
	if (peer->broken) {
		free(peer->msg);
		free(peer);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < t->num_peers; i++)
		tell_peer(t, t->peer[i], id, eventfd);
	t->left[id] = UINT64_MAX;
	t->peer[t->num_peers++] = peer;
	*new = peer;
	return 0;
}

/*
 * Peer @gone has left: drops the messages about it that @peer has not read yet.
 * So a client that does not read cannot make the server keep more messages than
 * there are about the present peers.
 */
static void forget(const struct ivshmem *t, struct ivshmem_peer *peer,
		   const struct ivshmem_peer *gone)
{
	struct ivshmem_msg *msg = peer->msg + peer->head;
	size_t kept = 0, dropped;

	for (size_t i = 0; i < peer->len; i++)
		if (msg[i].value != gone->id || msg[i].fd < 0)
			msg[kept++] = msg[i];
	dropped = peer->len - kept;
	peer->len = kept;
	if (dropped < t->vectors)
		tell(peer, gone->id, -1);
}

void ivshmem_leave(struct ivshmem *t, struct ivshmem_peer *peer)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < t->num_peers; i++)
		if (t->peer[i] != peer)
			t->peer[kept++] = t->peer[i];
	t->num_peers = kept;
	for (unsigned int i = 0; i < kept; i++)
		forget(t, t->peer[i], peer);
	t->left[peer->id] = ++t->clock;
	free(peer->msg);
	free(peer);
}

const struct ivshmem_msg *ivshmem_next(const struct ivshmem_peer *peer)
{
	return peer->len ? &peer->msg[peer->head] : NULL;
}

void ivshmem_told(struct ivshmem_peer *peer)
{
	peer->head++;
	peer->len--;
}

void ivshmem_encode(int64_t value, uint8_t bytes[IVSHMEM_MSG_LEN])
{
	for (int i = 0; i < IVSHMEM_MSG_LEN; i++)
		bytes[i] = (uint64_t)value >> 8 * i;
}
