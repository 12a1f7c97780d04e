/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_BELL_H
#define BELL_BELL_H

#include <linux/types.h>

struct bell_bell;
struct file;
struct page;
struct poll_table_struct;
struct seq_file;
struct vhost_doorbell_bell;
struct vhost_doorbell_bell_stats;
struct vhost_doorbell_bell_wire;

struct bell_bell *bell_bell_create(const struct vhost_doorbell_bell *cfg);
void bell_bell_release(struct bell_bell *b);

int bell_bell_ring(struct bell_bell *b, u64 count);
int bell_bell_wire(struct bell_bell *b, const struct vhost_doorbell_bell_wire *w);
int bell_bell_unwire(struct bell_bell *b,
		     const struct vhost_doorbell_bell_wire *w);
u64 bell_bell_read(struct bell_bell *b);
void bell_bell_set_mark(struct bell_bell *b, u64 mark);
bool bell_bell_poll(struct bell_bell *b, struct file *file,
		    struct poll_table_struct *table);
void bell_bell_get_stats(struct bell_bell *b,
			 struct vhost_doorbell_bell_stats *st);
void bell_bell_show(struct bell_bell *b, struct seq_file *m);
struct page *bell_bell_page(struct bell_bell *b);

#endif
