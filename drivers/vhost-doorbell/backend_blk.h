/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_BACKEND_BLK_H
#define BELL_BACKEND_BLK_H

struct bell_backend;
struct vhost_doorbell_blk;

struct bell_backend *bell_backend_blk_create(const struct vhost_doorbell_blk *cfg);

#endif
