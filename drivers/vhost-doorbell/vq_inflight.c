// SPDX-License-Identifier: GPL-2.0
/*
 * vq_inflight - a queue's part of the in-flight region of vhost-user
 *
 * The VMM keeps the region, so that the next back end finds there what it must know of
 * the queue. The region says which chains were taken and not completed, and where a
 * packed ring goes on.
 *
 * A queue completes all that it took before it stops, even if its owner was killed. So
 * the region is read at the start and written at the stop, and nothing is written to it
 * for a request. The exception are chains of a split ring that were put back (requests
 * that wait for a full disk, or that the last close has cut short): the stop writes them
 * into the region as in flight, and the next start takes them first.
 *
 * While the queue runs, the version in the region is one that no back end knows. A
 * second start, as the first device has not stopped yet, fails then.
 *
 * The region comes from a stranger: each field is read once and checked.
 *
 * Context: as the functions of vq.c that call these.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "trace.h"
#include "vq.h"
#include "vq_layout.h"

#define INFLIGHT_VERSION	1
#define INFLIGHT_RUNNING	0xffff
#define INFLIGHT_WRAP		BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

/* The layouts of the vhost-user specification, in host byte order. */
struct inflight_split_desc {
	u8	inflight;
	u8	padding[5];
	u16	next;		/* the list of the last batch that was used */
	u64	counter;	/* in the order in which chains were taken */
};

struct inflight_split {
	u64	features;
	u16	version;	/* zero: not used yet */
	u16	desc_num;
	u16	last_batch_head;
	u16	used_idx;
	struct inflight_split_desc desc[];	/* by head */
};

struct inflight_packed_desc {
	u8	inflight;
	u8	padding;
	u16	next;		/* the list of free entries */
	u16	last;
	u16	num;
	u64	counter;
	u16	id;
	u16	flags;
	u32	len;
	u64	addr;
};

struct inflight_packed {
	u64	features;
	u16	version;
	u16	desc_num;
	u16	free_head;
	u16	old_free_head;
	u16	used_idx;
	/* Differs from the new one while a back end puts entries into the ring */
	u16	old_used_idx;
	u8	used_wrap_counter;
	u8	old_used_wrap_counter;
	u8	padding[10];
	struct inflight_packed_desc desc[];
};

static_assert(offsetof(struct inflight_split, version) ==
	      offsetof(struct inflight_packed, version));
static_assert(sizeof(struct inflight_split) == 16);
static_assert(sizeof(struct inflight_split_desc) == 16);
static_assert(sizeof(struct inflight_packed) == 32);
static_assert(sizeof(struct inflight_packed_desc) == 32);

/* Chains to take again */
struct bell_vq_inflight {
	struct bell_gmem_map	map;
	/* Entries in @head; @next of them were taken */
	u32			n;
	u32			next;
	/* The chain taken last is one of these */
	bool			again;
	/* The queue is to stop with nothing in flight here */
	bool			ends;
	u16			head[];
};

/* A chain in flight in the region, while it is sorted */
struct inflight_chain {
	u64	counter;
	u16	head;
};

static size_t inflight_size(const struct bell_vq_config *cfg)
{
	return cfg->packed ? sizeof(struct inflight_packed) + cfg->num *
			     sizeof(struct inflight_packed_desc) :
			     sizeof(struct inflight_split) + cfg->num *
			     sizeof(struct inflight_split_desc);
}

static int inflight_order(const void *a, const void *b)
{
	u64 x = ((const struct inflight_chain *)a)->counter;
	u64 y = ((const struct inflight_chain *)b)->counter;

	return x < y ? -1 : x > y;
}

static int inflight_bad(const struct bell_vq *vq, const char *what, u32 value)
{
	pr_notice_ratelimited("vhost-doorbell: device %u queue %u: in-flight region: %s %u\n",
			      vq->dev_id, vq->index, what, value);
	return -EBADMSG;
}

/*
 * The back end ended between putting the last batch into the used ring and clearing it
 * here: @done chains in a list from last_batch_head on are not in flight any more.
 */
static int inflight_drop_batch(struct bell_vq *vq,
			       const struct inflight_split *s,
			       struct inflight_chain *chain, u16 done)
{
	u16 head = READ_ONCE(s->last_batch_head);

	if (done > vq->num)
		return inflight_bad(vq, "used index differs by", done);
	while (done--) {
		if (head >= vq->num)
			return inflight_bad(vq, "head", head);
		head = array_index_nospec(head, vq->num);
		chain[head].counter = 0;
		head = READ_ONCE(s->desc[head].next);
	}
	return 0;
}

/* Put the chains in flight into @in->head, oldest first. */
static int inflight_read_split(struct bell_vq *vq, struct bell_vq_inflight *in,
			       const struct inflight_split *s)
{
	struct inflight_chain *chain;
	u32 i, n = 0;
	int ret = 0;

	chain = kvcalloc(vq->num, sizeof(*chain), GFP_KERNEL_ACCOUNT);
	if (!chain)
		return -ENOMEM;
	for (i = 0; i < vq->num; i++) {
		if (!READ_ONCE(s->desc[i].inflight))
			continue;
		chain[i].head = i;
		/* Zero marks an entry that is not in flight. */
		chain[i].counter = max(READ_ONCE(s->desc[i].counter), 1ULL);
		n++;
	}
	if (n)
		ret = inflight_drop_batch(vq, s, chain, vq->used_idx -
					  READ_ONCE(s->used_idx));
	if (n && !ret) {
		sort(chain, vq->num, sizeof(*chain), inflight_order, NULL);
		for (i = 0; i < vq->num; i++) {
			if (chain[i].counter)
				in->head[in->n++] = chain[i].head;
		}
	}
	kvfree(chain);
	return ret;
}

/*
 * The split ring's place: behind what is used, and what is in flight. The queue that wrote
 * the region had completed all else. The caller's base may be older: a VMM reads the used
 * index when the owner's socket closes, and chains may complete after that.
 */
static int inflight_start_split(struct bell_vq *vq, struct bell_vq_inflight *in,
				const struct inflight_split *s)
{
	int ret = inflight_read_split(vq, in, s);

	if (!ret)
		bell_vq_split_start(vq, (u16)(vq->used_idx + in->n));
	return ret;
}

static bool inflight_any_packed(const struct bell_vq *vq,
				const struct inflight_packed *p)
{
	u32 i;

	for (i = 0; i < vq->num; i++) {
		if (READ_ONCE(p->desc[i].inflight))
			return true;
	}
	return false;
}

/*
 * Where the packed ring goes on. Chains in flight are refused: this back end leaves
 * none, as the ring may have other entries in their place.
 */
static int inflight_start_packed(struct bell_vq *vq,
				 const struct inflight_packed *p)
{
	u32 old = READ_ONCE(p->old_used_idx);
	u32 used = READ_ONCE(p->used_idx);
	u32 now = vq->used_idx | (vq->used_wrap ? INFLIGHT_WRAP : 0);

	if (inflight_any_packed(vq, p)) {
		pr_notice_ratelimited("vhost-doorbell: device %u queue %u: in-flight region: another back end has left requests of a packed ring\n",
				      vq->dev_id, vq->index);
		return -EOPNOTSUPP;
	}
	if (old >= vq->num || used >= vq->num)
		return inflight_bad(vq, "used index", max(old, used));
	if (READ_ONCE(p->old_used_wrap_counter))
		old |= INFLIGHT_WRAP;
	if (READ_ONCE(p->used_wrap_counter))
		used |= INFLIGHT_WRAP;
	/* The caller goes on elsewhere, as after a reset of the ring. */
	if (now != old)
		return 0;
	/*
	 * The back end ended while it put entries into the ring. None is in flight, so
	 * it had put them all if the first one is there.
	 */
	if (old != used && !bell_vq_packed_is_used(vq))
		return inflight_bad(vq, "entries were not used, at", used);
	bell_vq_packed_start(vq, used | used << 16);
	return 0;
}

static int inflight_read(struct bell_vq *vq, struct bell_vq_inflight *in,
			 u16 version)
{
	if (!version)
		return 0;
	if (version != INFLIGHT_VERSION)
		return inflight_bad(vq, "version", version);
	return vq->packed ? inflight_start_packed(vq, in->map.addr) :
			    inflight_start_split(vq, in, in->map.addr);
}

/**
 * bell_vq_inflight_start() - map the queue's part of the region, and read it
 * @vq: with its rings mapped, at the place that @cfg says; moved if the region says so
 * @gm: guest memory, which pays for the pages of the region as it does for a ring
 * @cfg: with the place of the region in the owner's memory, if there is one
 *
 * Context: As for bell_vq_start().
 * Return: 0; -EINVAL if the part is too small for the ring; -EBUSY if another queue runs
 * with it; -EBADMSG if it contradicts itself; -EOPNOTSUPP if it has chains that cannot be
 * taken again; or what bell_gmem_map() returns. After a failure bell_vq_inflight_free()
 * is due.
 */
int bell_vq_inflight_start(struct bell_vq *vq, struct bell_gmem *gm,
			   const struct bell_vq_config *cfg)
{
	struct bell_vq_inflight *in;
	struct inflight_split *s;
	u16 version;
	int ret;

	if (!cfg->inflight_uaddr)
		return 0;
	if (cfg->inflight_size < inflight_size(cfg))
		return -EINVAL;
	in = kvzalloc(struct_size(in, head, cfg->num), GFP_KERNEL_ACCOUNT);
	if (!in)
		return -ENOMEM;
	vq->inflight = in;
	ret = bell_gmem_map_any(gm, cfg->inflight_uaddr, inflight_size(cfg),
				&in->map);
	if (ret)
		return ret;
	s = in->map.addr;
	/* Full barrier: what the last queue wrote before its version is seen. */
	version = xchg(&s->version, INFLIGHT_RUNNING);
	if (version == INFLIGHT_RUNNING)
		return -EBUSY;
	ret = inflight_read(vq, in, version);
	if (ret)
		WRITE_ONCE(s->version, version);
	else
		WRITE_ONCE(vq->detour, in->n);
	return ret;
}

static void inflight_write_split(const struct bell_vq *vq,
				 const struct bell_vq_inflight *in)
{
	struct inflight_split *s = in->map.addr;
	u32 i;

	s->features = 0;
	s->desc_num = vq->num;
	s->last_batch_head = 0;
	s->used_idx = vq->used_idx;
	memset(s->desc, 0, vq->num * sizeof(*s->desc));
	for (i = in->next; i < in->n; i++) {
		s->desc[in->head[i]].inflight = 1;
		s->desc[in->head[i]].counter = i + 1;
	}
}

static void inflight_write_packed(const struct bell_vq *vq,
				  const struct bell_vq_inflight *in)
{
	struct inflight_packed *p = in->map.addr;
	u32 i;

	p->features = 0;
	p->desc_num = vq->num;
	p->free_head = 0;
	p->old_free_head = 0;
	p->used_idx = vq->used_idx;
	p->old_used_idx = vq->used_idx;
	p->used_wrap_counter = vq->used_wrap;
	p->old_used_wrap_counter = vq->used_wrap;
	memset(p->desc, 0, vq->num * sizeof(*p->desc));
	for (i = 0; i < vq->num; i++)
		p->desc[i].next = i + 1;
}

/**
 * bell_vq_inflight_stop() - write the queue's state into its part of the region
 * @vq: started, with no runner and nothing in flight
 *
 * Context: As for bell_vq_stop().
 */
void bell_vq_inflight_stop(struct bell_vq *vq)
{
	struct bell_vq_inflight *in = vq->inflight;
	struct inflight_split *s;

	if (!in)
		return;
	if (vq->packed)
		inflight_write_packed(vq, in);
	else
		inflight_write_split(vq, in);
	s = in->map.addr;
	/* Pairs with the xchg() of the next start. */
	smp_store_release(&s->version, INFLIGHT_VERSION);
}

/**
 * bell_vq_inflight_free() - unmap the queue's part of the region
 * @vq: the queue
 * @gm: guest memory, or the table that replaced it
 *
 * Context: As for bell_vq_stop().
 */
void bell_vq_inflight_free(struct bell_vq *vq, struct bell_gmem *gm)
{
	if (!vq->inflight)
		return;
	bell_gmem_unmap(gm, &vq->inflight->map);
	kvfree(vq->inflight);
	vq->inflight = NULL;
}

/* bell_vq_inflight_left() - are there chains to take again? */
bool bell_vq_inflight_left(struct bell_vq *vq)
{
	struct bell_vq_inflight *in = vq->inflight;

	if (!in)
		return false;
	in->again = in->next < in->n;
	return in->again;
}

/**
 * bell_vq_inflight_waits() - will the runner take a chain again?
 * @vq: started
 *
 * Context: Process context; no chain is put back at the same time.
 * Return: false, too, if the queue is broken, as its runner takes no more chains.
 */
bool bell_vq_inflight_waits(const struct bell_vq *vq)
{
	const struct bell_vq_inflight *in = vq->inflight;

	return in && !READ_ONCE(vq->broken) && READ_ONCE(in->next) < in->n;
}

/**
 * bell_vq_inflight_end() - keep no chain in flight over the next stop, or do again
 * @vq: started
 * @ends: whether not to keep any
 *
 * Context: Process context, under the device's lock.
 */
void bell_vq_inflight_end(struct bell_vq *vq, bool ends)
{
	if (vq->inflight)
		WRITE_ONCE(vq->inflight->ends, ends);
}

/* bell_vq_inflight_head() - head of the next chain to take again; there is one */
u16 bell_vq_inflight_head(const struct bell_vq *vq)
{
	return vq->inflight->head[vq->inflight->next];
}

/* bell_vq_inflight_took() - that chain was taken */
void bell_vq_inflight_took(struct bell_vq *vq)
{
	struct bell_vq_inflight *in = vq->inflight;

	WRITE_ONCE(in->next, in->next + 1);
}

/*
 * bell_vq_inflight_untake() - put back the chain taken last, if it was taken again
 *
 * Return: false if it is one of the available ring.
 */
bool bell_vq_inflight_untake(struct bell_vq *vq)
{
	struct bell_vq_inflight *in = vq->inflight;

	if (!in || !in->again)
		return false;
	WRITE_ONCE(in->next, in->next - 1);
	return true;
}

/**
 * bell_vq_inflight_keeps() - does the queue keep chains in flight over its stop?
 * @vq: started
 *
 * Not with a packed ring, where other entries may have taken the chain's place. Not in
 * order, as newer chains that have ended wait for it. Not while the guest may be moving
 * to another host, or being saved, as the region does not go with it.
 *
 * Context: Any.
 */
bool bell_vq_inflight_keeps(const struct bell_vq *vq)
{
	return vq->inflight && !READ_ONCE(vq->inflight->ends) && !vq->packed &&
	       !vq->order && !vq->log;
}

/**
 * bell_vq_inflight_put_back() - have a chain in flight taken again, after a resume or a start
 * @vq: keeps chains, and has no runner
 * @head: head of the chain; the caller does not access its memory any more
 * @epoch: of the chain
 *
 * Context: Process context, one caller at a time.
 */
void bell_vq_inflight_put_back(struct bell_vq *vq, u16 head, u8 epoch)
{
	struct bell_vq_inflight *in = vq->inflight;
	unsigned long flags;
	u32 i;

	/* Each head is in the list at most once, so this makes room for one more. */
	if (in->next) {
		for (i = in->next; i < in->n; i++)
			in->head[i - in->next] = in->head[i];
		in->n -= in->next;
		in->next = 0;
	}
	in->head[in->n++] = head;
	WRITE_ONCE(vq->detour, true);
	WRITE_ONCE(vq->taken[head], 0);
	bell_stat_add(vq->stats.requests, -1);
	trace_bell_untake(vq->dev_id, vq->index, head);
	spin_lock_irqsave(&vq->lock, flags);
	bell_gmem_user_leave(&vq->user, epoch, 1);
	spin_unlock_irqrestore(&vq->lock, flags);
}
