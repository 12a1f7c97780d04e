/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend_blk_priv - what backend_blk.c and backend_blk_req.c share
 */
#ifndef BELL_BACKEND_BLK_PRIV_H
#define BELL_BACKEND_BLK_PRIV_H

#include <linux/types.h>

#include <uapi/linux/virtio_blk.h>

#include "backend.h"
#include "disk.h"

struct bell_exec;
struct bell_run;
struct llist_node;

struct bell_blk {
	struct bell_backend		be;
	struct bell_disk		disk;
	/* Constant but for capacity and wce. */
	struct virtio_blk_config	config;
	bool				read_only;
	u32				max_bytes;	/* of a request's data */
	u32				max_vecs;
	u8				serial[VIRTIO_BLK_ID_BYTES];
};

/* One running queue; vq->priv. */
struct bell_blk_queue {
	struct bell_blk		*blk;
	bool			 writethrough;	/* whatever the config says */
	bool			 discard;	/* negotiated */
	bool			 write_zeroes;
	struct bell_disk_req	 req[];		/* by head */
};

enum bell_pass bell_backend_blk_pass(struct bell_exec *exec,
				     struct bell_run *run);
void bell_backend_blk_resubmit(struct bell_exec *exec, struct llist_node *node);

#endif
