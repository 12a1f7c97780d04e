/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session - one connection of a front end: protocol state on top of a device
 *
 * Security model: the front end may be hostile. Every message is checked
 * against its row of the handler table (payload size, number of descriptors,
 * state of the session, negotiated features) before its handler runs, and a
 * handler checks ranges before its first effect. Guest memory is never read or
 * written here. What a front end can do is what its guest could do to its own
 * disk or card, and to make its own connection fail.
 *
 * A queue runs when the front end has started it (SET_VRING_KICK) and enabled
 * it, and all of its ring is in the memory table. If only the memory is missing, the
 * queue is parked: front ends replace memory region by region.
 *
 * A started and disabled queue does not run, for a card as for a disk. The
 * specification says to discard the frames that the guest sends there. We keep them
 * for later: QEMU may disable the queues before it stops them, as for a pause, and
 * the frames in them would be lost.
 */
#ifndef TOOLS_VHOST_USER_SESSION_H
#define TOOLS_VHOST_USER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "memtable.h"
#include "msg.h"

#define VU_MAX_QUEUES	64

struct vu_device;
struct vu_keep;

/* How far the negotiation is; each row of the handler table names the least state. */
enum vu_session_state {
	VU_NEW,
	VU_OWNED,		/* SET_OWNER */
	VU_NEGOTIATED,		/* SET_FEATURES */
};

struct vu_queue {
	uint32_t       num;
	/* Next index to take while the queue does not run */
	uint32_t       base;
	struct vu_addr addr;
	bool	       has_addr;
	bool	       started;
	bool	       enabled;
	bool	       running;
	bool	       fresh;	/* started at index 0 of the ring */
	bool	       ran;	/* in this session */
	bool	       kicked;	/* the last check found kicks but no request */
	int	       kick;	/* owned; -1: none */
	int	       call;
	int	       err;
	struct vu_fd_id kick_id, call_id, err_id;
};

/* A dirty log that is mapped here. */
struct vu_log {
	void	*map;		/* NULL: there is none */
	size_t	 map_size;
	uint64_t addr;		/* of its first byte */
	uint64_t size;
	uint64_t offset;	/* in its file */
	struct vu_fd_id fd;
};

/* The in-flight region, which is mapped here for the device and never touched. */
struct vu_inflight {
	void	*map;		/* NULL: there is none */
	size_t	 map_size;
	uint64_t addr;		/* of its first byte */
	uint64_t size;		/* of all parts */
	uint64_t offset;	/* of that byte in @fd */
	uint64_t part;		/* bytes of each queue */
	unsigned int num_queues;
	unsigned int waited;	/* how often a queue has waited for its part */
	int	 fd;		/* owned */
	struct vu_fd_id fd_id;
};

struct vu_session {
	struct vu_device     *dev;
	struct vu_keep	     *keep;	/* NULL: no keeper */
	struct vu_memtable   *mem;
	enum vu_session_state state;
	uint64_t	      device_features;
	uint64_t	      offered_protocol;
	uint64_t	      features;
	uint64_t	      protocol_features;
	struct vu_log	      log;
	struct vu_inflight    inflight;
	bool		      active;		/* a queue has started */
	bool		      logs;		/* the device writes to @log */
	bool		      log_was_on;	/* LOG_ALL in the last SET_FEATURES */
	bool		      log_offered;
	uint8_t		      status;
	unsigned int	      num_queues;
	struct vu_queue	      queue[VU_MAX_QUEUES];
	int		      backend;		/* owned; -1: none */
	struct vu_fd_id	      backend_id;
	/* The size changed, and the front end was not told yet */
	bool		      resized;
	/* Regions at the end of @mem that are not the session's, see session_keep.c */
	unsigned int	      num_added;
	/* Number of times that a ring was started or parked */
	unsigned int	      wanted;

	/* About the message that was handled last */
	int		      at_queue;		/* -1: it is not about a queue */
	char		      detail[320];
	char		      error[640];
};

/* Opens the device. After a failure there is nothing to close. */
int vu_session_open(struct vu_session *s, struct vu_device *dev);
/*
 * Takes a session over that a process, which has ended, left in @keep. @next is the message
 * that this process may have begun to handle, else NULL: then the device is brought back
 * to the state, and the caller handles the message again. Returns 0 or -errno, and
 * vu_session_error() says what failed: then nothing is open, and the device is closed.
 */
int vu_session_adopt(struct vu_session *s, struct vu_device *dev, struct vu_keep *keep,
		     const struct vu_msg *next);
/* Writes the session to the next copy of the state and makes it the valid one. */
void vu_session_commit(struct vu_session *s, uint32_t phase);
/* Stops all queues, closes the device, unmaps the memory, closes the descriptors. */
void vu_session_close(struct vu_session *s);

/*
 * Handles @m and takes its descriptors. If @reply->request is not 0, the caller sends
 * @reply. Returns 0, or -errno if the caller must close the connection (after the
 * reply). vu_session_error() says what was wrong with the message, also if the
 * connection stays open; "" if nothing was.
 */
int vu_session_handle(struct vu_session *s, struct vu_msg *m,
		      struct vu_msg *reply);
/*
 * Has the device read the size of the disk again. *@changed: the size differs. Returns
 * 0 or -errno; the session stays usable.
 */
int vu_session_resize(struct vu_session *s, bool *changed);
/*
 * Whether the caller is to send @notice of a new size on s->backend now. The session
 * keeps the notice until it is sent, and while no ring runs, as the protocol forbids it
 * then.
 */
bool vu_session_notice(const struct vu_session *s, struct vu_msg *notice);
/* The server calls this after it has sent the notice (@err 0), or failed to. */
void vu_session_noticed(struct vu_session *s, int err);
/*
 * Looks whether this process sees the guest's rings. The server calls it some seconds after
 * s->wanted has grown, since memory may still be added, and again later if it returns
 * true. vu_session_error() says what is wrong, and what to change; "" if nothing is.
 */
bool vu_session_watch(struct vu_session *s);
const char *vu_session_error(const struct vu_session *s);

#endif
