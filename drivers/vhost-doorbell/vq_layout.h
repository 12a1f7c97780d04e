/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vq_layout - what a ring format does for vq.c; pure over guest memory
 *
 * All sizes are in bytes and those of the virtio spec. The runner calls
 * avail, fetch, enable_kick and disable_kick; push and wants_signal are called
 * under the completion lock.
 */
#ifndef BELL_VQ_LAYOUT_H
#define BELL_VQ_LAYOUT_H

#include <linux/types.h>

struct bell_chain;
struct bell_vq;

size_t bell_vq_split_desc_size(u32 num);
size_t bell_vq_split_avail_size(u32 num);
size_t bell_vq_split_used_size(u32 num);

void bell_vq_split_start(struct bell_vq *vq, u16 base);
int bell_vq_split_avail(struct bell_vq *vq);
int bell_vq_split_fetch(struct bell_vq *vq, bool may_pin,
			struct bell_chain *chain);
bool bell_vq_split_enable_kick(struct bell_vq *vq);
void bell_vq_split_disable_kick(struct bell_vq *vq);
void bell_vq_split_push(struct bell_vq *vq, u16 head, u32 len);
bool bell_vq_split_wants_signal(struct bell_vq *vq);

#endif
