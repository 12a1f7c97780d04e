// SPDX-License-Identifier: GPL-2.0
/*
 * session_log - the dirty log, by which a front end migrates a running guest
 *
 * The front end shares a bitmap (SET_LOG_BASE) and says that it is to be used (the
 * feature LOG_ALL), in either order, whether rings run or not. The device logs once it
 * knows both and the memory table. This process maps the bitmap and never touches it.
 */
#include "session_priv.h"

#include <errno.h>
#include <linux/vhost_doorbell.h>
#include <linux/vhost_types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "keep.h"
#include "peerfd.h"

bool vu_log_is_on(const struct vu_session *s)
{
	return s->features & VU_BIT(VHOST_F_LOG_ALL);
}

static void log_unmap(struct vu_log *log)
{
	if (log->map)
		munmap(log->map, log->map_size);
	*log = (struct vu_log){ 0 };
}

static int log_check(const struct vu_log_base *base, int fd, struct stat *st)
{
	if (!base->size || base->size > VHOST_DOORBELL_MAX_LOG ||
	    (base->size | base->offset) % sizeof(uint64_t))
		return -EINVAL;
	/* Sealed or not, what is pinned stays; fstat() of other files may hang. */
	if (!vu_peerfd_is_memory(fd))
		return -EOPNOTSUPP;
	if (fstat(fd, st))
		return -errno;
	if (st->st_size < 0 || base->size > (uint64_t)st->st_size ||
	    base->offset > (uint64_t)st->st_size - base->size)
		return -EINVAL;
	return 0;
}

static int log_map(struct vu_log *log, const struct vu_log_base *base, int fd)
{
	uint64_t skip, size;
	struct stat st;
	void *map;
	int ret;

	ret = log_check(base, fd, &st);
	if (ret)
		return ret;
	/* munmap() on hugetlbfs needs whole huge pages. */
	skip = base->offset % st.st_blksize;
	size = base->size + skip;
	size += -size % st.st_blksize;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   base->offset - skip);
	if (map == MAP_FAILED)
		return -errno;
	*log = (struct vu_log){
		.map = map,
		.map_size = size,
		.addr = (uintptr_t)map + skip,
		.size = base->size,
		.offset = base->offset,
	};
	return 0;
}

/* The device logs to @log, or not at all if it is NULL. */
static int log_use(struct vu_session *s, const struct vu_log *log)
{
	int ret = s->dev->ops->set_log(s->dev, log ? log->addr : 0,
				       log ? log->size : 0);

	if (ret)
		return vu_session_fail(s, ret, log ? "log of %llu bytes" :
						     "end of the log",
				       log ? (unsigned long long)log->size : 0);
	s->logs = log;
	return 0;
}

int vu_log_apply(struct vu_session *s)
{
	bool want = vu_log_is_on(s) && s->log.map && s->mem->n;
	int ret = 0;

	if (want != s->logs)
		ret = log_use(s, want ? &s->log : NULL);
	/* The next migration brings its own map, which may have another size. */
	if (!ret && !vu_log_is_on(s) && s->log_was_on)
		log_unmap(&s->log);
	s->log_was_on = vu_log_is_on(s);
	return ret;
}

int vu_log_set_base(struct vu_session *s, struct vu_msg *m,
		    struct vu_msg *reply)
{
	const struct vu_log_base *base = &m->payload.log;
	struct vu_log new, old = s->log;
	int ret;

	if (m->nfds != 1)
		return vu_session_fail(s, -EBADMSG, "%u descriptors", m->nfds);
	ret = log_map(&new, base, m->fds[0]);
	if (ret)
		return vu_session_fail(s, ret, "0x%llx bytes at 0x%llx",
				       (unsigned long long)base->size,
				       (unsigned long long)base->offset);
	ret = vu_keep_fd(s->keep, m->fds[0], &new.fd);
	if (ret) {
		log_unmap(&new);
		return ret;
	}
	/* Until the device has the new one it writes to the old one. */
	if (s->logs) {
		ret = log_use(s, &new);
		if (ret) {
			log_unmap(&new);
			return ret;
		}
	}
	log_unmap(&old);
	s->log = new;
	ret = vu_log_apply(s);
	if (!ret)
		vu_msg_reply_u64(reply, m, 0);
	return ret;
}

/* Would tell the front end of each change of the log: QEMU does not send it. */
int vu_log_set_fd(struct vu_session *s, struct vu_msg *m, struct vu_msg *reply)
{
	(void)s, (void)m, (void)reply;
	return 0;
}

int vu_log_load(struct vu_session *s, const struct vu_log_base *base,
		const struct vu_fd_id *id)
{
	_cleanup_fd_ int fd = -1;
	int ret;

	if (!base->size)
		return 0;
	fd = vu_keep_find(s->keep, id);
	ret = fd < 0 ? -ENOENT : log_map(&s->log, base, fd);
	if (ret)
		return vu_session_fail(s, ret, "the log that the last process left");
	s->log.fd = *id;
	s->log_was_on = vu_log_is_on(s);
	return 0;
}

void vu_log_close(struct vu_session *s)
{
	log_unmap(&s->log);
}
