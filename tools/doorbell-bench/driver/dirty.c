// SPDX-License-Identifier: GPL-2.0
/*
 * dirty - the dirty log of a migration: the back end sets a bit for each page of guest
 * memory that it wrote
 */
#include "dirty.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define DIRTY_PAGE	4096u

int dirty_create(struct dirty *d, const struct mem *mem)
{
	const struct mem_region *last = &mem->region[mem->nregions - 1];
	uint64_t pages = (last->gpa + last->size + DIRTY_PAGE - 1) / DIRTY_PAGE;
	void *map;
	int ret;

	*d = (struct dirty){
		.fd = memfd_create("dirty-log", MFD_CLOEXEC),
		.size = (pages + 63) / 64 * sizeof(*d->bits),
	};
	if (d->fd < 0)
		return -errno;
	if (ftruncate(d->fd, (off_t)d->size))
		goto err_fd;
	map = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
	if (map == MAP_FAILED)
		goto err_fd;
	d->bits = map;
	return 0;

err_fd:
	ret = -errno;
	dirty_destroy(d);
	return ret;
}

void dirty_destroy(struct dirty *d)
{
	if (!d->size)
		return;
	if (d->bits)
		munmap(d->bits, d->size);
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct dirty){ 0 };
}

static uint64_t word(const struct dirty *d, uint64_t i)
{
	return __atomic_load_n(&d->bits[i], __ATOMIC_ACQUIRE);
}

bool dirty_has(const struct dirty *d, uint64_t gpa, uint64_t len)
{
	uint64_t page, last = (gpa + len - 1) / DIRTY_PAGE;

	for (page = gpa / DIRTY_PAGE; page <= last; page++)
		if (!(word(d, page / 64) >> page % 64 & 1))
			return false;
	return true;
}

uint64_t dirty_count(const struct dirty *d)
{
	uint64_t n = 0;

	for (uint64_t i = 0; d->bits && i < d->size / sizeof(*d->bits); i++)
		n += (uint64_t)__builtin_popcountll(word(d, i));
	return n;
}
