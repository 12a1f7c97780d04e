/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session - one front end's connection: protocol state on top of a device
 *
 * Security model: the front end may be hostile. Every message is checked
 * against its row of the handler table (payload size, number of descriptors,
 * state of the session, negotiated features) before its handler runs, and a
 * handler checks ranges before its first effect. Guest memory is never read or
 * written here. What a front end can do is what its guest could do to its own
 * disk or card, and to make its own connection fail.
 *
 * A queue runs when the front end has started it (SET_VRING_KICK) and enabled
 * it, and all of its ring is in the memory table; it is parked when only the
 * last is missing, which happens while a front end replaces memory region by
 * region.
 *
 * A card's queue that is started and disabled is left alone, as a disk's. The
 * specification has the frames discarded that the guest sends there. But QEMU may
 * disable the queues of a guest before it stops them, as for a pause: frames that
 * wait then would be lost, and so they go out later.
 */
#ifndef TOOLS_VHOST_USER_SESSION_H
#define TOOLS_VHOST_USER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "memtable.h"
#include "msg.h"

#define VU_MAX_QUEUES	64

struct vu_device;

/* How far the front end got; a row of the handler table names the least. */
enum vu_session_state {
	VU_NEW,
	VU_OWNED,		/* SET_OWNER */
	VU_NEGOTIATED,		/* SET_FEATURES */
};

struct vu_queue {
	uint32_t       num;
	uint32_t       base;	/* while it does not run */
	struct vu_addr addr;
	bool	       has_addr;
	bool	       started;
	bool	       enabled;
	bool	       running;
	bool	       fresh;	/* began at the ring's start */
	bool	       kicked;	/* and nothing in the ring, seen once */
	int	       kick;	/* owned; -1: none */
	int	       call;
	int	       err;
};

struct vu_session {
	struct vu_device     *dev;
	struct vu_memtable   *mem;
	enum vu_session_state state;
	uint64_t	      device_features;
	uint64_t	      offered_protocol;
	uint64_t	      features;
	uint64_t	      protocol_features;
	uint8_t		      status;
	unsigned int	      num_queues;
	struct vu_queue	      queue[VU_MAX_QUEUES];
	int		      backend;		/* owned; -1: none */
	bool		      resized;		/* the front end is to be told */
	unsigned int	      wanted;		/* times that a ring was started */

	/* Of the message handled last. */
	int		      at_queue;		/* -1: of no queue */
	char		      detail[320];
	char		      error[640];
};

/* Opens the device. After a failure there is nothing to close. */
int vu_session_open(struct vu_session *s, struct vu_device *dev);
/* Stops all queues, closes the device, unmaps, forgets. */
void vu_session_close(struct vu_session *s);

/*
 * Handles @m and takes its descriptors. If @reply->request is not 0, @reply is
 * to be sent. Returns 0, or -errno if the connection must be closed (after the
 * reply). vu_session_error() says what went wrong with the message even if the
 * connection goes on; "" if nothing.
 */
int vu_session_handle(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply);
/*
 * The disk may have another size: has the device look. *@changed: it has. Returns 0
 * or -errno, and the session goes on.
 */
int vu_session_resize(struct vu_session *s, bool *changed);
/*
 * Whether @notice of a change is due now, to be sent on s->backend. It is kept while
 * no ring runs, as the protocol forbids it then, and until it was sent.
 */
bool vu_session_notice(const struct vu_session *s, struct vu_msg *notice);
/* The notice was sent (0), or the channel is of no more use. */
void vu_session_noticed(struct vu_session *s, int err);
/*
 * Whether the guest's memory can be seen here. To be called some seconds after
 * s->wanted has grown, since memory may still come, and later if it returns true.
 * vu_session_error() says what is wrong, and what to change; "" if nothing.
 */
bool vu_session_watch(struct vu_session *s);
const char *vu_session_error(const struct vu_session *s);

#endif
