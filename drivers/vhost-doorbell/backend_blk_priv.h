/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend_blk_priv - what the parts of backend_blk share
 */
#ifndef BELL_BACKEND_BLK_PRIV_H
#define BELL_BACKEND_BLK_PRIV_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/types.h>

#include "backend.h"
#include "compat_blk.h"
#include "disk.h"
#include "vq.h"

struct bell_exec;
struct bell_run;
struct llist_node;

/*
 * Page vectors of one bio: 32 KiB, which the allocator gives also when memory is
 * fragmented. A request that needs more is served in slices.
 */
#define BELL_BLK_MAX_VECS	2048
/* Of data in one read or write. */
#define BELL_BLK_MAX_BYTES	SZ_1G
/* Bytes of page vectors that a device may have at a time. */
#define BELL_BLK_VEC_BYTES	SZ_8M

struct bell_blk {
	struct bell_backend		be;
	struct bell_disk		disk;
	/* Constant but for capacity and wce. */
	struct virtio_blk_config	config;
	struct virtio_blk_zoned_characteristics zoned;
	struct virtio_blk_lifetime	lifetime;
	bool				read_only;
	u32				plain_bytes;	/* zero if zoned, else: */
	u32				max_bytes;	/* served in one piece */
	u8				serial[VIRTIO_BLK_ID_BYTES];

	/* Bytes of page vectors now; not those inside of a request. */
	atomic_long_t			vec_bytes ____cacheline_aligned_in_smp;
};

/* One running queue; vq->priv. */
struct bell_blk_queue {
	struct bell_blk		*blk;
	bool			 writethrough;	/* whatever the config says */
	bool			 discard;	/* negotiated */
	bool			 write_zeroes;
	bool			 secure_erase;
	bool			 zoned;
	bool			 lifetime;
	u32			 starved;	/* passes without memory; runner */
	struct bell_disk_req	 req[];		/* by head */
};

/* backend_blk_req.c */
enum bell_pass bell_backend_blk_pass(struct bell_exec *exec,
				     struct bell_run *run);
void bell_backend_blk_resubmit(struct bell_exec *exec, struct llist_node *node);
int bell_backend_blk_rw(struct bell_blk *blk, struct bell_disk_req *req,
			struct bell_vq_cursor data, u64 bytes, bool may_sleep);
void bell_backend_blk_finish(struct bell_disk_req *req, u8 status, u32 written);

/* backend_blk_map.c */
void *bell_backend_blk_map_alloc(size_t size, bool may_sleep);
bool bell_backend_blk_map_reserve(struct bell_blk *blk, size_t bytes);
void bell_backend_blk_map_unreserve(struct bell_blk *blk, size_t bytes);
u64 bell_backend_blk_map_count_pages(struct bell_vq_cursor cur, u64 bytes);
int bell_backend_blk_map_no_memory(struct bell_disk_req *req);
int bell_backend_blk_map_pieces(struct bell_blk *blk,
				struct bell_disk_req *req,
				struct bell_vq_cursor cur, bool may_sleep);
void bell_backend_blk_map_set_aligned(struct bell_disk_req *req);
void bell_backend_blk_map_free(struct bell_disk_req *req);

/* backend_blk_large.c */
int bell_backend_blk_large_begin(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor data, u64 bytes,
				 bool may_sleep);
void bell_backend_blk_large_done(struct bell_disk_req *req, int error);
void bell_backend_blk_large_next(struct bell_disk_req *req);

/* backend_blk_zone.c */
int bell_backend_blk_zone_check(struct bell_blk *blk, struct bell_disk_req *req,
				u64 bytes, bool may_sleep);
void bell_backend_blk_zone_refuse(struct bell_disk_req *req, u64 bytes);
int bell_backend_blk_zone_append(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor in, u64 in_bytes,
				 struct bell_vq_cursor out, u64 out_bytes,
				 bool may_sleep);
int bell_backend_blk_zone_report(struct bell_blk *blk,
				 struct bell_disk_req *req,
				 struct bell_vq_cursor in, u64 in_bytes,
				 bool may_sleep);
int bell_backend_blk_zone_manage(struct bell_blk *blk,
				 struct bell_disk_req *req, u32 type,
				 bool may_sleep);
void bell_backend_blk_zone_failed(struct bell_disk_req *req, int error);

#endif
