// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

#define STATE_MAGIC	"vhdstate"
#define STATE_RELEASE	32
#define STATE_SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The members up to @release are the same in every version. */
struct vu_state_file {
	char		magic[8];
	uint32_t	version;
	uint32_t	size;		/* of one copy */
	char		release[STATE_RELEASE];
	uint32_t	which;		/* the valid copy */
	uint32_t	reserved;
	struct vu_saved copy[2];
};

static int state_map(struct vu_state_map *m, int fd)
{
	void *map = mmap(NULL, sizeof(*m->file), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	m->file = map;
	return 0;
}

int vu_state_create(struct vu_state_map *m, const char *release)
{
	_cleanup_fd_ int fd = memfd_create("vhost-doorbell-state",
					   MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int ret;

	m->file = NULL;
	if (fd < 0 || ftruncate(fd, sizeof(*m->file)) ||
	    fcntl(fd, F_ADD_SEALS, STATE_SEALS))
		return -errno;
	ret = state_map(m, fd);
	if (ret)
		return ret;
	memcpy(m->file->magic, STATE_MAGIC, sizeof(m->file->magic));
	m->file->version = VU_STATE_VERSION;
	m->file->size = sizeof(m->file->copy[0]);
	strncpy(m->file->release, release, STATE_RELEASE - 1);
	return steal_fd(&fd);
}

static bool state_is_sound(const struct vu_saved *s)
{
	if (s->phase >= VU_NR_PHASES || s->state >= VU_NR_STATES ||
	    s->num_queues > VU_STATE_QUEUES || s->num_regions > VU_MEMTABLE_MAX)
		return false;
	for (unsigned int i = 0; i < s->num_queues; i++)
		if (s->queue[i].running && (!s->queue[i].num || !s->queue[i].has_addr))
			return false;
	return true;
}

static int state_check(const struct vu_state_file *f)
{
	if (memcmp(f->magic, STATE_MAGIC, sizeof(f->magic)))
		return -EBADMSG;
	if (f->version != VU_STATE_VERSION)
		return -EPROTONOSUPPORT;
	if (f->size != sizeof(f->copy[0]) || f->which > 1 ||
	    !memchr(f->release, '\0', STATE_RELEASE) ||
	    !state_is_sound(&f->copy[f->which]))
		return -EBADMSG;
	return 0;
}

/* A file of another version may have another size: reads what all have in common. */
static int state_check_size(int fd)
{
	struct vu_state_file f;
	struct stat st;
	ssize_t n;

	/* Sealed: it does not shrink while it is mapped. */
	if (fcntl(fd, F_GET_SEALS) != STATE_SEALS || fstat(fd, &st))
		return -EBADMSG;
	n = pread(fd, &f, offsetof(struct vu_state_file, copy), 0);
	if (n != (ssize_t)offsetof(struct vu_state_file, copy) ||
	    memcmp(f.magic, STATE_MAGIC, sizeof(f.magic)))
		return -EBADMSG;
	if (f.version != VU_STATE_VERSION)
		return -EPROTONOSUPPORT;
	return st.st_size == sizeof(f) ? 0 : -EBADMSG;
}

int vu_state_open(struct vu_state_map *m, int fd)
{
	int ret = state_check_size(fd);

	m->file = NULL;
	if (!ret)
		ret = state_map(m, fd);
	if (ret)
		return ret;
	ret = state_check(m->file);
	if (ret)
		vu_state_close(m);
	return ret;
}

void vu_state_close(struct vu_state_map *m)
{
	if (m->file)
		munmap(m->file, sizeof(*m->file));
	m->file = NULL;
}

const struct vu_saved *vu_state_valid(const struct vu_state_map *m)
{
	return &m->file->copy[m->file->which];
}

struct vu_saved *vu_state_next(const struct vu_state_map *m)
{
	return &m->file->copy[!m->file->which];
}

void vu_state_commit(const struct vu_state_map *m)
{
	/* The copy is whole before it is the valid one, also for a reader after a kill. */
	__atomic_store_n(&m->file->which, !m->file->which, __ATOMIC_SEQ_CST);
}

void vu_state_set_phase(const struct vu_state_map *m, enum vu_phase phase)
{
	__atomic_store_n(&m->file->copy[m->file->which].phase, phase, __ATOMIC_SEQ_CST);
}

const char *vu_state_release(const struct vu_state_map *m)
{
	return m->file->release;
}
