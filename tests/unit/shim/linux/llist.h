/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_LLIST_H
#define SHIM_LINUX_LLIST_H

#include <linux/types.h>

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline void init_llist_head(struct llist_head *h)
{
	h->first = NULL;
}

static inline bool llist_empty(const struct llist_head *h)
{
	return !h->first;
}

static inline bool llist_add(struct llist_node *n, struct llist_head *h)
{
	n->next = h->first;
	h->first = n;
	return !n->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	return xchg(&h->first, NULL);
}

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *to = NULL, *next;

	for (; n; n = next) {
		next = n->next;
		n->next = to;
		to = n;
	}
	return to;
}

#define llist_entry(p, type, member)	container_of(p, type, member)
#define shim_llist_entry(p, type, member)				\
	((p) ? llist_entry(p, type, member) : NULL)
#define llist_for_each_safe(pos, n, node)				\
	for (pos = (node); pos && ((n = pos->next), true); pos = n)

#define llist_for_each_entry_safe(e, n, node, member)			\
	for (e = shim_llist_entry(node, __typeof__(*e), member);	\
	     e && (n = shim_llist_entry(e->member.next,			\
					__typeof__(*e), member), true);	\
	     e = n)

#endif
