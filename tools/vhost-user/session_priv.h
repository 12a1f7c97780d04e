/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session_priv - shared by session.c and session_*.c
 *
 * session.c has the table and the messages about the whole device; session_*.c have the
 * messages about rings, about memory and about cards only. A handler is called when its
 * message complies with every rule of its row; the front end gets what it returns.
 */
#ifndef TOOLS_VHOST_USER_SESSION_PRIV_H
#define TOOLS_VHOST_USER_SESSION_PRIV_H

#include <linux/virtio_config.h>

#include "device.h"
#include "session.h"

#define VU_BIT(n)	(1ULL << (n))

#define VU_MEMORY_ADVICE						\
	"All of the guest's memory must be shared; of QEMU: -object "	\
	"memory-backend-memfd,id=mem,size=SIZE,share=on -machine "	\
	"memory-backend=mem, or share=on at the memdev of each -numa node"

typedef int vu_handler(struct vu_session *s, struct vu_msg *m,
		       struct vu_msg *reply);

/* Adds words to the error that the caller returns. Returns @err. */
int vu_session_fail(struct vu_session *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline bool vu_session_is_net(const struct vu_session *s)
{
	return s->dev->type == VU_DEVICE_NET;
}

/* session.c */

/* Sets up an empty session. */
int vu_session_init(struct vu_session *s, struct vu_device *dev);
/* Frees what the session has, but for the device. */
void vu_session_free(struct vu_session *s);
/* Sets what is offered, once the device is open. */
void vu_session_offer(struct vu_session *s);

/* session_ring.c */
vu_handler vu_ring_set_num, vu_ring_set_addr, vu_ring_set_base,
	   vu_ring_get_base, vu_ring_set_enable, vu_ring_set_kick,
	   vu_ring_set_call, vu_ring_set_err;

int vu_ring_stop(struct vu_session *s, unsigned int i);
int vu_ring_stop_all(struct vu_session *s);
/* Stops all rings. The front end must set them up again, but for base, call, error. */
int vu_ring_reset_all(struct vu_session *s);
/*
 * SET_FEATURES calls this after the front end changed bit 30: with this bit set a ring
 * waits for its ENABLE.
 */
int vu_ring_apply_features(struct vu_session *s);
/* Starts parked rings that can run, after the front end changed the memory table */
int vu_ring_unpark(struct vu_session *s);
/*
 * Looks for a ring that this process does not see. If there is one, returns -EFAULT
 * with words and @at_queue. *@again: the caller looks once more later.
 */
int vu_ring_watch(struct vu_session *s, bool *again);

/* session_memory.c */
vu_handler vu_memory_set_table, vu_memory_get_max_slots, vu_memory_add,
	   vu_memory_remove;

static inline bool vu_session_is_packed(const struct vu_session *s)
{
	return s->features & VU_BIT(VIRTIO_F_RING_PACKED);
}

/* session_log.c */
vu_handler vu_log_set_base, vu_log_set_fd;

/* Has the front end asked for a log? */
bool vu_log_is_on(const struct vu_session *s);
/* After a change of the features or the memory table: begin to log, or cease. */
int vu_log_apply(struct vu_session *s);
/* As SET_LOG_BASE of an earlier process; the device has the log already. */
int vu_log_load(struct vu_session *s, const struct vu_log_base *base,
		const struct vu_fd_id *id);
/* When the device is closed. */
void vu_log_close(struct vu_session *s);

/* session_inflight.c */
vu_handler vu_inflight_get, vu_inflight_set;

/*
 * Waits for a while until the device of another process, which was killed, has left the
 * part of queue @i.
 */
void vu_inflight_wait(struct vu_session *s, unsigned int i);
/* Has the device use the part of queue @i from the queue's next start on. */
int vu_inflight_use(struct vu_session *s, unsigned int i);
/*
 * The place where the last back end left packed ring @i, in the format of SET_VRING_BASE.
 * Returns false if the region does not say.
 */
bool vu_inflight_base(const struct vu_session *s, unsigned int i,
		      uint32_t *base);
struct vu_state_inflight;

void vu_inflight_save(const struct vu_session *s, struct vu_state_inflight *to);
/* As SET_INFLIGHT_FD of an earlier process */
int vu_inflight_load(struct vu_session *s, const struct vu_state_inflight *from);
/* What to add to the message about a start that fails with @err */
const char *vu_inflight_words(int err);
/* When the device is closed. */
void vu_inflight_close(struct vu_session *s);

/* session_net.c */
vu_handler vu_net_set_mtu, vu_net_send_rarp;

/* Protocol features that only cards have */
uint64_t vu_net_protocol(const struct vu_device *dev);
/* Features that the front end of a card may send; they are not passed to the device. */
uint64_t vu_net_ignored_features(void);

#endif
