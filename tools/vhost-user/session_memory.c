// SPDX-License-Identifier: GPL-2.0
/*
 * session_memory - the messages about guest memory
 *
 * The order is always: map new memory, give the table to the kernel, then unmap old
 * memory. If the kernel refuses the table, both sides keep the old one.
 */
#include "session_priv.h"

#include <errno.h>
#include <linux/vhost_types.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "keep.h"
#include "peerfd.h"

static int memory_apply(struct vu_session *s)
{
	struct vhost_memory *mem = vu_memtable_to_vhost(s->mem);
	struct rlimit lock;
	int ret;

	if (!mem)
		return -ENOMEM;
	ret = s->dev->ops->set_mem_table(s->dev, mem);
	free(mem);
	/* Without memory the device has no log either. */
	if (!ret && !s->mem->n)
		s->logs = false;
	if (ret != -ENOMEM && ret != -EPERM)
		return ret;
	if (getrlimit(RLIMIT_MEMLOCK, &lock) || lock.rlim_cur == RLIM_INFINITY)
		return ret;
	return vu_session_fail(s, ret, "%llu KiB of guest memory to lock, "
			       "RLIMIT_MEMLOCK is %llu KiB: raise it (ulimit "
			       "-l, LimitMEMLOCK=) or give CAP_IPC_LOCK",
			       vu_memtable_bytes(s->mem) / 1024ULL,
			       lock.rlim_cur / 1024ULL);
}

static int memory_map(struct vu_session *s, struct vu_memtable *t,
		      const struct vu_region *r, int fd)
{
	int ret = vu_memtable_add(t, r, fd);
	struct vu_memtable_region added;
	char what[224];

	if (ret == -EOPNOTSUPP) {
		vu_peerfd_describe(fd, what, sizeof(what));
		return vu_session_fail(s, ret, "guest memory is %s; it must be "
				       "memfd, tmpfs or hugetlbfs, as of QEMU's "
				       "-object memory-backend-memfd,share=on",
				       what);
	}
	if (ret)
		return vu_session_fail(s, ret, "0x%llx bytes at 0x%llx",
				       (unsigned long long)r->size,
				       (unsigned long long)r->gpa);
	ret = vu_keep_fd(s->keep, fd, &t->region[t->n - 1].fd);
	if (ret) {
		added = vu_memtable_take(t, t->n - 1);
		vu_memtable_unmap(&added);
	}
	return ret;
}

/*
 * Logs again, and starts the parked rings, after the device has the new table. Both are
 * tried: an error does not take the table back.
 */
static int memory_go_on(struct vu_session *s)
{
	int ret = vu_log_apply(s), err = vu_ring_unpark(s);

	return ret ? ret : err;
}

/* Makes @new the table and clears the old one; on failure clears @new. */
static int memory_replace(struct vu_session *s,
			  struct vu_memtable *new)
{
	struct vu_memtable *old = s->mem;
	int ret;

	s->mem = new;
	ret = memory_apply(s);
	if (ret) {
		s->mem = old;
		old = new;
	}
	vu_memtable_clear(old);
	free(old);
	return ret;
}

int vu_memory_set_table(struct vu_session *s, struct vu_msg *m,
			struct vu_msg *reply)
{
	const struct vu_memory *mem = &m->payload.memory;
	struct vu_memtable *new;
	int ret, err;

	(void)reply;
	if (mem->nregions != m->nfds)
		return vu_session_fail(s, -EBADMSG, "%u regions, %u fds",
				       mem->nregions, m->nfds);
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	for (unsigned int i = 0; i < mem->nregions; i++) {
		ret = memory_map(s, new, &mem->regions[i], m->fds[i]);
		if (ret)
			goto err_new;
	}
	/* The new table may have other memory at the address of a ring. */
	ret = vu_ring_stop_all(s);
	if (ret)
		goto err_new;
	ret = memory_replace(s, new);
	err = memory_go_on(s);
	return ret ? ret : err;

err_new:
	vu_memtable_clear(new);
	free(new);
	return ret;
}

static unsigned int memory_slots(const struct vu_session *s)
{
	if (s->dev->max_regions < VU_MEMTABLE_MAX)
		return s->dev->max_regions;
	return VU_MEMTABLE_MAX;
}

int vu_memory_get_max_slots(struct vu_session *s, struct vu_msg *m,
			    struct vu_msg *reply)
{
	vu_msg_reply_u64(reply, m, memory_slots(s));
	return 0;
}

/*
 * QEMU 7.2 sends the same message once for each pair of queues of a card: the second is
 * no error.
 */
static bool memory_repeats(const struct vu_session *s, const struct vu_msg *m)
{
	bool there = vu_memtable_find(s->mem, &m->payload.mem_reg.region) >= 0;

	return vu_session_is_net(s) && there == (m->request == VU_ADD_MEM_REG);
}

int vu_memory_add(struct vu_session *s, struct vu_msg *m,
		  struct vu_msg *reply)
{
	struct vu_memtable_region r;
	int ret;

	(void)reply;
	if (m->nfds != 1)
		return vu_session_fail(s, -EBADMSG, "%u descriptors", m->nfds);
	if (memory_repeats(s, m))
		return 0;
	if (s->mem->n >= memory_slots(s))
		return -ENOSPC;
	ret = memory_map(s, s->mem, &m->payload.mem_reg.region,
			 m->fds[0]);
	if (ret)
		return ret;
	ret = memory_apply(s);
	if (ret) {
		r = vu_memtable_take(s->mem, s->mem->n - 1);
		vu_memtable_unmap(&r);
		return ret;
	}
	return memory_go_on(s);
}

/*
 * Parks the rings in a region that is removed: QEMU resizes a region by removing and
 * adding it while the guest runs.
 */
static int memory_park(struct vu_session *s, unsigned int region)
{
	const struct vu_memtable_region *r = &s->mem->region[region];

	for (unsigned int i = 0; i < s->num_queues; i++) {
		const struct vu_addr *a = &s->queue[i].addr;
		int ret;

		if (a->desc - r->user_addr >= r->size &&
		    a->avail - r->user_addr >= r->size &&
		    a->used - r->user_addr >= r->size)
			continue;
		ret = vu_ring_stop(s, i);
		if (ret)
			return ret;
	}
	return 0;
}

int vu_memory_remove(struct vu_session *s, struct vu_msg *m,
		     struct vu_msg *reply)
{
	struct vu_memtable_region r;
	int i, ret, err;

	(void)reply;
	if (memory_repeats(s, m))
		return 0;
	i = vu_memtable_find(s->mem, &m->payload.mem_reg.region);
	if (i < 0)
		return i;
	ret = memory_park(s, i);
	if (ret)
		return ret;
	r = vu_memtable_take(s->mem, i);
	ret = memory_apply(s);
	if (!ret) {
		vu_memtable_unmap(&r);
		/* The rings run on if another region has the same memory. */
		return memory_go_on(s);
	}
	/* The kernel still uses the region: keep it, and its rings run on. */
	s->mem->region[s->mem->n++] = r;
	err = vu_ring_unpark(s);
	return ret ? ret : err;
}
