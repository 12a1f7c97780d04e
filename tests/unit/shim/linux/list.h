/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_LIST_H
#define SHIM_LINUX_LIST_H

#include <linux/types.h>

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	n->prev = h->prev;
	n->next = h;
	h->prev->next = n;
	h->prev = n;
}

static inline void list_del_init(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	INIT_LIST_HEAD(n);
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

#define list_entry(p, type, member)	container_of(p, type, member)
/*
 * Compare addresses of list nodes: the head is not inside an entry, so
 * container_of() of it would point outside of any object.
 */
#define list_for_each_entry(e, head, member)				\
	for (e = list_entry((head)->next, __typeof__(*e), member);	\
	     (void *)((char *)e + offsetof(__typeof__(*e), member)) !=	\
		(void *)(head);						\
	     e = list_entry(e->member.next, __typeof__(*e), member))

#endif
