/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state - what the next process must know of a session, in a file in memory
 *
 * The file has two copies and a word that says which is valid. A commit writes the other
 * copy, and then the word, so that a process that is killed at any instruction leaves one
 * whole copy. Descriptors are not in it: a queue or a region names its own by an identity,
 * and the keeper holds it by that name (fdstore.h).
 */
#ifndef TOOLS_VHOST_USER_STATE_H
#define TOOLS_VHOST_USER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memtable.h"
#include "msg.h"

#define VU_STATE_VERSION	1
#define VU_STATE_QUEUES		64
#define VU_STATE_DEVICE		384
/* Of enum vu_session_state */
#define VU_NR_STATES		3

/* How far the message at the head of the front end's socket is. */
enum vu_phase {
	VU_PHASE_IDLE,		/* not looked at */
	VU_PHASE_HANDLING,	/* the device may have more than the state says */
	VU_PHASE_REPLYING,	/* handled; the reply may have been sent */
	VU_PHASE_DONE,		/* replied, and perhaps not taken from the socket */
	VU_NR_PHASES,
};

struct vu_state_queue {
	uint32_t	num;
	uint32_t	base;
	struct vu_addr	addr;
	uint8_t		has_addr;
	uint8_t		started;
	uint8_t		enabled;
	uint8_t		running;
	uint8_t		fresh;
	uint8_t		ran;
	uint8_t		reserved[2];
	struct vu_fd_id kick, call, err;
};

struct vu_state_region {
	struct vu_region region;
	struct vu_fd_id	 fd;
};

/* The in-flight region */
struct vu_state_inflight {
	uint64_t	size;		/* 0: none */
	uint64_t	offset;
	uint64_t	part;
	uint32_t	num_queues;
	uint32_t	reserved;
	struct vu_fd_id	fd;
};

struct vu_saved {
	uint32_t		phase;
	uint32_t		state;
	uint64_t		device_features;
	uint64_t		features;
	uint64_t		protocol_features;
	struct vu_log_base	log;		/* of size 0: none */
	struct vu_fd_id		log_fd;
	struct vu_state_inflight inflight;
	uint8_t			logs;
	uint8_t			active;
	uint8_t			status;
	uint8_t			resized;
	uint32_t		reserved;
	struct vu_fd_id		backend;
	uint32_t		num_queues;
	uint32_t		num_regions;
	uint8_t			device[VU_STATE_DEVICE];	/* the device's own */
	struct vu_state_queue	queue[VU_STATE_QUEUES];
	struct vu_state_region	region[VU_MEMTABLE_MAX];
};

struct vu_state_file;

/* A mapped state file; @file NULL: none. */
struct vu_state_map {
	struct vu_state_file *file;
};

/* Makes a file. Returns its descriptor, which the caller owns, or -errno. */
int vu_state_create(struct vu_state_map *m, const char *release);
/*
 * Maps the file of an earlier process. Returns 0; -EPROTONOSUPPORT: it has a version that
 * is not known here; -EBADMSG: it is damaged.
 */
int vu_state_open(struct vu_state_map *m, int fd);
void vu_state_close(struct vu_state_map *m);

/* The valid copy, and the one for vu_state_commit(). */
const struct vu_saved *vu_state_valid(const struct vu_state_map *m);
struct vu_saved *vu_state_next(const struct vu_state_map *m);
/* Makes the next copy the valid one. */
void vu_state_commit(const struct vu_state_map *m);
/* Changes only the phase of the valid copy. */
void vu_state_set_phase(const struct vu_state_map *m, enum vu_phase phase);

/* The release of the program that made the file, for messages. */
const char *vu_state_release(const struct vu_state_map *m);

#endif
