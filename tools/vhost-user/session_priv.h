/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session_priv - shared by session.c and session_*.c
 *
 * session.c has the table and what is about the whole device; the handlers of
 * rings, of memory and of what only a card has are in the others. Handlers are
 * called with every rule of their row checked; what they return is told to the
 * front end.
 */
#ifndef TOOLS_VHOST_USER_SESSION_PRIV_H
#define TOOLS_VHOST_USER_SESSION_PRIV_H

#include "device.h"
#include "session.h"

#define VU_BIT(n)	(1ULL << (n))

#define VU_MEMORY_ADVICE						\
	"All of the guest's memory must be shared; of QEMU: -object "	\
	"memory-backend-memfd,id=mem,size=SIZE,share=on -machine "	\
	"memory-backend=mem, or share=on at the memdev of each -numa node"

typedef int vu_handler(struct vu_session *s, struct vu_msg *m,
		       struct vu_msg *reply);

/* Adds words to the error that the caller returns: gives back @err. */
int vu_session_fail(struct vu_session *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline bool vu_session_is_net(const struct vu_session *s)
{
	return s->dev->type == VU_DEVICE_NET;
}

/* session_ring.c */
vu_handler vu_ring_set_num, vu_ring_set_addr, vu_ring_set_base,
	   vu_ring_get_base, vu_ring_set_enable, vu_ring_set_kick,
	   vu_ring_set_call, vu_ring_set_err;

int vu_ring_stop(struct vu_session *s, unsigned int i);
int vu_ring_stop_all(struct vu_session *s);
/* Stops all; they must be set up again, all but memory, base, call, error. */
int vu_ring_reset_all(struct vu_session *s);
/* After a change of bit 30, which says whether a ring waits for its ENABLE. */
int vu_ring_apply_features(struct vu_session *s);
/* After a change of the memory table: starts what was parked and can run. */
int vu_ring_unpark(struct vu_session *s);
/*
 * Looks for rings that cannot be seen here. @again: look once more later. -EFAULT
 * with words, and @at_queue, if there is one.
 */
int vu_ring_watch(struct vu_session *s, bool *again);

/* session_memory.c */
vu_handler vu_memory_set_table, vu_memory_get_max_slots, vu_memory_add,
	   vu_memory_remove;

/* session_net.c */
vu_handler vu_net_set_mtu, vu_net_send_rarp;

/* Protocol features that only a card has. */
uint64_t vu_net_protocol(const struct vu_device *dev);
/* Features that the front end of a card may send, and the device does not see. */
uint64_t vu_net_ignored_features(void);

#endif
