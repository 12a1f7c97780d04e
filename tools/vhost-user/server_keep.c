// SPDX-License-Identifier: GPL-2.0
/*
 * server_keep - a connection that outlives its process
 *
 * A message stays in the front end's socket until it is handled and answered, so that the
 * next process finds it there. The state says how far it was (enum vu_phase), and changes
 * together with what the message did. The next process handles a message again that was
 * begun, and does not answer one again that may have been answered.
 */
#include "server_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "device.h"
#include "fdstore.h"
#include "keep.h"
#include "notify.h"
#include "peerfd.h"
#include "version.h"

/* Milliseconds to wait for the keeper: it may be busy with others. */
#define KEEP_BARRIER	5000
/*
 * Milliseconds until what the session has no longer is removed from the store: a guest may
 * have its card alternate between two eventfds, thousands of times in a second.
 */
#define KEEP_SWEEP	1000
/* Entries with which the store is too full to wait for that */
#define KEEP_FULL	(FDSTORE_MAX * 3 / 4)
/* Milliseconds for which a front end is not heard that had too many descriptors stored */
#define KEEP_PAUSE	100
/* About the number of descriptors that are stored when a session begins */
#define KEEP_OWN	5

static bool keep_is_on(const struct vu_server *s)
{
	return s->keep.store && s->dev->ops->adopt;
}

static int keep_store(struct vu_server *s)
{
	struct fdstore *store = s->keep.store;
	int ret, state;

	s->keep.failed = false;
	/* The state comes last: without it the next process opens a new session. */
	ret = fdstore_put(store, VU_KEEP_FRONT, s->conn.sock);
	if (!ret)
		ret = s->dev->ops->keep(s->dev, store);
	if (ret)
		return ret;
	state = vu_state_create(&s->keep.map, VHOST_DOORBELL_VERSION);
	if (state < 0)
		return state;
	s->session.keep = &s->keep;
	vu_session_commit(&s->session, VU_PHASE_IDLE);
	ret = fdstore_put(store, VU_KEEP_STATE, state);
	vu_peerfd_close(&state);
	return ret;
}

/*
 * The front end, and its guest through it, must not keep the service manager busy: counts
 * what was stored, and if it was too much does not hear the front end for a while.
 */
static void keep_limit(struct vu_server *s)
{
	int64_t now = loop_now();

	for (; s->keep.puts && vu_limit_ready(&s->stores, now); s->keep.puts--)
		vu_limit_take(&s->stores);
	if (!s->keep.puts)
		return;
	s->keep.puts = 0;
	loop_pause(&s->loop, s->conn.sock, true);
	loop_set_timer(&s->loop, &s->rest_of_msg, KEEP_PAUSE);
}

/* The session goes on without the keeper, which does not take all that it needs. */
static void keep_give_up(struct vu_server *s)
{
	vu_server_log(s, &s->all, LOG_LEVEL_WARN, "cannot be kept any longer, so the front "
		      "end notices when this process ends");
	/* First: a next process must not serve it as a new one. */
	fdstore_remove(s->keep.store, VU_KEEP_FRONT);
	vu_server_keep_end(s);
}

int vu_server_keep_begin(struct vu_server *s)
{
	int ret;

	if (!keep_is_on(s))
		return 0;
	ret = keep_store(s);
	if (ret)
		vu_server_keep_end(s);
	s->keep.puts += KEEP_OWN;
	keep_limit(s);
	return ret;
}

void vu_server_keep_end(struct vu_server *s)
{
	if (!keep_is_on(s))
		return;
	if (s->keep.store->num) {
		fdstore_clear(s->keep.store, VU_KEEP_FRONT);
		notify_barrier(KEEP_BARRIER);
	}
	if (s->keep.map.file)
		vu_state_close(&s->keep.map);
	s->session.keep = NULL;
}

int vu_server_keep_recv(struct vu_server *s, struct vu_msg *m)
{
	int ret;

	if (!s->session.keep)
		return vu_conn_recv(&s->conn, m);
	ret = vu_conn_peek(&s->conn, m);
	if (!ret)
		vu_state_set_phase(&s->keep.map, VU_PHASE_HANDLING);
	return ret;
}

void vu_server_keep_handled(struct vu_server *s, bool replies)
{
	if (s->session.keep)
		vu_session_commit(&s->session, replies ? VU_PHASE_REPLYING :
							 VU_PHASE_DONE);
}

int vu_server_keep_done(struct vu_server *s)
{
	int ret;

	if (!s->session.keep)
		return 0;
	vu_state_set_phase(&s->keep.map, VU_PHASE_DONE);
	ret = vu_conn_consume(&s->conn);
	vu_state_set_phase(&s->keep.map, VU_PHASE_IDLE);
	if (s->keep.failed) {
		keep_give_up(s);
		return ret;
	}
	if (s->keep.store->num > KEEP_FULL && s->keep.puts)
		vu_keep_sweep(&s->keep);
	else if (!s->sweep.set)
		loop_set_timer(&s->loop, &s->sweep, KEEP_SWEEP);
	keep_limit(s);
	return ret;
}

void vu_server_keep_sweep(void *data)
{
	struct vu_server *s = data;

	if (s->session.keep)
		vu_keep_sweep(&s->keep);
}

void vu_server_keep_update(struct vu_server *s)
{
	if (s->serving && s->session.keep)
		vu_session_commit(&s->session, VU_PHASE_IDLE);
}

static int keep_resume_session(struct vu_server *s)
{
	struct vu_msg next;
	bool begun = false;
	int ret = 0;

	switch (vu_state_valid(&s->keep.map)->phase) {
	case VU_PHASE_REPLYING:
		vu_server_log(s, &s->all, LOG_LEVEL_WARN, "the last process ended while it "
			      "answered a message; closing the connection, since the "
			      "front end may have the answer");
		return -EPIPE;
	case VU_PHASE_DONE:
		ret = vu_conn_consume(&s->conn);
		break;
	case VU_PHASE_HANDLING:
		ret = vu_conn_peek(&s->conn, &next);
		begun = !ret;
		break;
	}
	if (!ret)
		ret = vu_session_adopt(&s->session, s->dev, &s->keep,
				       begun ? &next : NULL);
	for (unsigned int i = 0; begun && i < next.nfds; i++)
		vu_peerfd_close(&next.fds[i]);
	if (ret)
		vu_server_log(s, &s->all, LOG_LEVEL_ERR, "cannot go on where the last "
			      "process ended: %s%s", vu_session_error(&s->session),
			      *vu_session_error(&s->session) ? "" : strerror(-ret));
	return ret;
}

static int keep_resume(struct vu_server *s)
{
	int state = fdstore_take(s->keep.store, VU_KEEP_STATE), ret;

	memset(&s->session, 0, sizeof(s->session));
	ret = vu_state_open(&s->keep.map, state);
	vu_peerfd_close(&state);
	if (ret) {
		vu_server_log(s, &s->all, LOG_LEVEL_ERR, ret == -EPROTONOSUPPORT ?
			      "the state that the last process left has another version; "
			      "closing the front end's connection" :
			      "the state that the last process left is damaged; closing "
			      "the front end's connection");
		return ret;
	}
	ret = keep_resume_session(s);
	if (ret)
		return ret;
	/* A message that was begun is in the socket, and is handled as any other. */
	vu_session_commit(&s->session, VU_PHASE_IDLE);
	vu_keep_sweep(&s->keep);
	fdstore_forget(s->keep.store);
	vu_server_log(s, &s->all, LOG_LEVEL_INFO, "goes on with the front end of the last "
		      "process%s%s", strcmp(vu_state_release(&s->keep.map),
					    VHOST_DOORBELL_VERSION) ? ", of version " : "",
		      strcmp(vu_state_release(&s->keep.map), VHOST_DOORBELL_VERSION) ?
		      vu_state_release(&s->keep.map) : "");
	return 0;
}

int vu_server_keep_resume(struct vu_server *s)
{
	struct fdstore *store = s->keep.store;
	int sock, ret;

	if (!keep_is_on(s) || !fdstore_has(store, VU_KEEP_FRONT))
		return -ENOENT;
	sock = fdstore_take(store, VU_KEEP_FRONT);
	vu_conn_init(&s->conn, sock);
	/* The last process ended before the session was complete: nothing was read. */
	if (!fdstore_has(store, VU_KEEP_STATE) || !fdstore_has(store, VU_KEEP_DEVICE)) {
		s->unread = sock;
		fdstore_clear(store, VU_KEEP_FRONT);
		return -ENOENT;
	}
	ret = keep_resume(s);
	if (ret) {
		/* First: a next process must not serve it as a new one. */
		shutdown(sock, SHUT_RDWR);
		vu_server_keep_end(s);
		vu_conn_close(&s->conn);
	}
	return ret;
}
