// SPDX-License-Identifier: GPL-2.0
/*
 * session_inflight - the in-flight region, by which a new back end goes on
 *
 * The back end makes the region (GET_INFLIGHT_FD), the front end keeps it and gives it to
 * each back end that it connects to (SET_INFLIGHT_FD). The device reads it when a queue
 * starts and writes it when the queue stops, even if this process was killed.
 *
 * This process reads the header of a part by pread() and does not touch the mapping: the
 * file may be of a front end that makes it shorter.
 */
#include "session_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost_doorbell.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "keep.h"
#include "peerfd.h"

/* Parts do not share cache lines. */
#define INFLIGHT_ALIGN	64
/* Least entries of a part; see inflight_entries() */
#define INFLIGHT_LEAST	1024
/* Bytes of the header, and of the entry of each descriptor */
#define INFLIGHT_SPLIT	16
#define INFLIGHT_PACKED	32

#define INFLIGHT_WRAP	0x8000u
/* Version while a queue of the device runs with the part */
#define INFLIGHT_RUNNING	0xffffu

/* Longest wait for a part, and time between two looks at it; in microseconds */
#define INFLIGHT_WAIT	3000000u
#define INFLIGHT_LOOK	10000u

/* The header of a packed ring's part. That of a split ring has the version there, too. */
struct inflight_header {
	uint64_t features;
	uint16_t version;		/* 0: not used yet */
	uint16_t desc_num;
	uint16_t free_head;
	uint16_t old_free_head;
	uint16_t used_idx;
	uint16_t old_used_idx;
	uint8_t	 used_wrap_counter;
	uint8_t	 old_used_wrap_counter;
	uint8_t	 padding[10];
};

_Static_assert(sizeof(struct inflight_header) == INFLIGHT_PACKED, "layout");

/* Bytes of a part for a ring of @entries */
static uint64_t inflight_part(const struct vu_session *s, uint32_t entries)
{
	uint64_t unit = vu_session_is_packed(s) ? INFLIGHT_PACKED :
						  INFLIGHT_SPLIT;
	uint64_t part = unit + unit * entries;

	return (part + INFLIGHT_ALIGN - 1) / INFLIGHT_ALIGN * INFLIGHT_ALIGN;
}

static int inflight_check_queues(struct vu_session *s,
				 const struct vu_inflight_desc *d)
{
	if (!d->num_queues || d->num_queues > VU_MAX_QUEUES)
		return vu_session_fail(s, -EINVAL, "%u queues", d->num_queues);
	if (!d->queue_size || d->queue_size > VHOST_DOORBELL_MAX_QUEUE_SIZE)
		return vu_session_fail(s, -EINVAL, "queues of %u entries",
				       d->queue_size);
	return 0;
}

/*
 * The ring may be larger than QEMU says here: it tells its queue-size, but its guests may
 * make rings of up to 1024 entries.
 */
static uint32_t inflight_entries(const struct vu_inflight_desc *d)
{
	return d->queue_size > INFLIGHT_LEAST ? d->queue_size : INFLIGHT_LEAST;
}

/* Of a fixed size. The pages exist once a queue of the region has stopped. */
static int inflight_create(uint64_t size)
{
	_cleanup_fd_ int fd = memfd_create("vhost-doorbell-inflight",
					   MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	return steal_fd(&fd);
}

int vu_inflight_get(struct vu_session *s, struct vu_msg *m,
		    struct vu_msg *reply)
{
	const struct vu_inflight_desc *d = &m->payload.inflight;
	int fd, ret = inflight_check_queues(s, d);
	uint64_t size;

	if (ret)
		return ret;
	size = inflight_part(s, inflight_entries(d)) * d->num_queues;
	fd = inflight_create(size);
	if (fd < 0)
		return vu_session_fail(s, fd, "region of %llu bytes",
				       (unsigned long long)size);
	vu_msg_reply_inflight(reply, m, size, fd);
	return 0;
}

static void inflight_unmap(struct vu_inflight *f)
{
	if (f->map)
		munmap(f->map, f->map_size);
	vu_peerfd_close(&f->fd);
	*f = (struct vu_inflight){ .fd = -1 };
}

static int inflight_check(struct vu_session *s,
			  const struct vu_inflight_desc *d, int fd)
{
	struct stat st;
	int ret = inflight_check_queues(s, d);

	if (ret)
		return ret;
	if (d->size < inflight_part(s, d->queue_size) * d->num_queues)
		return vu_session_fail(s, -EINVAL,
				       "%llu bytes for %u queues of %u entries",
				       (unsigned long long)d->size,
				       d->num_queues, d->queue_size);
	/* fstat() of other files may hang. */
	if (!vu_peerfd_is_memory(fd))
		return vu_session_fail(s, -EOPNOTSUPP,
				       "the descriptor is not of a memfd");
	if (fstat(fd, &st))
		return -errno;
	if (d->offset % sizeof(uint64_t) || st.st_size < 0 ||
	    d->size > (uint64_t)st.st_size ||
	    d->offset > (uint64_t)st.st_size - d->size)
		return vu_session_fail(s, -EINVAL,
				       "%llu bytes at %llu of a file of %llu",
				       (unsigned long long)d->size,
				       (unsigned long long)d->offset,
				       (unsigned long long)st.st_size);
	return 0;
}

/* Maps @f from @fd. */
static int inflight_map(struct vu_inflight *f, int fd)
{
	uint64_t page = sysconf(_SC_PAGESIZE), skip = f->offset % page;
	void *map = mmap(NULL, f->size + skip, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, f->offset - skip);

	if (map == MAP_FAILED)
		return -errno;
	f->map = map;
	f->map_size = f->size + skip;
	f->addr = (uintptr_t)map + skip;
	return 0;
}

int vu_inflight_set(struct vu_session *s, struct vu_msg *m,
		    struct vu_msg *reply)
{
	const struct vu_inflight_desc *d = &m->payload.inflight;
	struct vu_inflight new = {
		.size = d->size, .offset = d->offset, .num_queues = d->num_queues,
	};
	int ret;

	(void)reply;
	if (m->nfds != 1)
		return vu_session_fail(s, -EBADMSG, "%u descriptors", m->nfds);
	ret = inflight_check(s, d, m->fds[0]);
	if (ret)
		return ret;
	/* All back ends make all parts of one size, which is a multiple of this. */
	new.part = d->size / d->num_queues / INFLIGHT_ALIGN * INFLIGHT_ALIGN;
	ret = vu_keep_fd(s->keep, m->fds[0], &new.fd_id);
	if (!ret)
		ret = inflight_map(&new, m->fds[0]);
	if (ret)
		return ret;
	new.fd = steal_fd(&m->fds[0]);
	/* A running queue keeps the pages of the old region until it stops. */
	inflight_unmap(&s->inflight);
	s->inflight = new;
	return 0;
}

void vu_inflight_save(const struct vu_session *s, struct vu_state_inflight *to)
{
	const struct vu_inflight *f = &s->inflight;

	*to = (struct vu_state_inflight){ 0 };
	if (f->map)
		*to = (struct vu_state_inflight){
			.size = f->size,
			.offset = f->offset,
			.part = f->part,
			.num_queues = f->num_queues,
			.fd = f->fd_id,
		};
}

int vu_inflight_load(struct vu_session *s, const struct vu_state_inflight *from)
{
	struct vu_inflight new = {
		.size = from->size,
		.offset = from->offset,
		.part = from->part,
		.num_queues = from->num_queues,
		.fd_id = from->fd,
	};
	int ret;

	if (!from->size)
		return 0;
	new.fd = vu_keep_find(s->keep, &from->fd);
	ret = new.fd < 0 ? -ENOENT : inflight_map(&new, new.fd);
	if (ret) {
		vu_peerfd_close(&new.fd);
		return vu_session_fail(s, ret, "the in-flight region that the last "
				       "process left");
	}
	s->inflight = new;
	return 0;
}

static bool inflight_has(const struct vu_session *s, unsigned int i)
{
	return s->inflight.map && i < s->inflight.num_queues;
}

static bool inflight_read(const struct vu_session *s, unsigned int i,
			  struct inflight_header *h)
{
	const struct vu_inflight *f = &s->inflight;

	return inflight_has(s, i) &&
	       pread(f->fd, h, sizeof(*h), f->offset + i * f->part) ==
	       sizeof(*h);
}

void vu_inflight_wait(struct vu_session *s, unsigned int i)
{
	struct inflight_header h;

	/* Together, for all queues: the front end may have made this up. */
	while (s->inflight.waited < INFLIGHT_WAIT / INFLIGHT_LOOK &&
	       inflight_read(s, i, &h) && h.version == INFLIGHT_RUNNING) {
		s->inflight.waited++;
		usleep(INFLIGHT_LOOK);
	}
}

int vu_inflight_use(struct vu_session *s, unsigned int i)
{
	const struct vu_inflight *f = &s->inflight;

	if (!s->dev->ops->set_inflight)
		return 0;
	if (!inflight_has(s, i))
		return s->dev->ops->set_inflight(s->dev, i, 0, 0);
	return s->dev->ops->set_inflight(s->dev, i, f->addr + i * f->part,
					 f->part);
}

bool vu_inflight_base(const struct vu_session *s, unsigned int i,
		      uint32_t *base)
{
	struct inflight_header h;

	if (!inflight_read(s, i, &h) || !h.version)
		return false;
	/* The device reads the new index, too, and looks which one the ring has. */
	*base = h.old_used_idx & (INFLIGHT_WRAP - 1);
	if (h.old_used_wrap_counter)
		*base |= INFLIGHT_WRAP;
	*base |= *base << 16;
	return true;
}

const char *vu_inflight_words(int err)
{
	switch (err) {
	case -EBADMSG:
		return ": the in-flight region contradicts itself, see the kernel "
		       "log; reset the guest, then QEMU makes another region";
	case -EOPNOTSUPP:
		return ": another back end has left requests of a packed ring in "
		       "the in-flight region; let that back end complete them, "
		       "or reset the guest";
	case -EBUSY:
		return ": another device still serves the ring";
	default:
		return "";
	}
}

void vu_inflight_close(struct vu_session *s)
{
	inflight_unmap(&s->inflight);
}
