// SPDX-License-Identifier: GPL-2.0
/* corpus - the programs that reached something new, shared by all jobs */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kfuzz.h"

/* FNV-1a, for a file's name */
static uint64_t hash(const void *data, size_t size)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
	return h;
}

void corpus_save(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		err(1, "%s", path);
	close(fd);
}

void corpus_add(const struct program *p, const char *dir)
{
	uint32_t at = __atomic_fetch_add(&shared->corpus_used, 1, __ATOMIC_RELAXED);
	size_t size = p->n * sizeof(p->rec[0]);
	char path[512];

	shared->corpus[at < CORPUS ? at : engine_random() % CORPUS] = *p;
	if (!dir)
		return;
	__atomic_fetch_add(&shared->found, 1, __ATOMIC_RELAXED);
	snprintf(path, sizeof(path), "%s/%016llx", dir,
		 (unsigned long long)hash(p->rec, size));
	corpus_save(path, p->rec, size);
}

bool corpus_pick(struct program *p)
{
	uint32_t used = __atomic_load_n(&shared->corpus_used, __ATOMIC_RELAXED);

	if (used > CORPUS)
		used = CORPUS;
	if (!used)
		return false;
	/* Half of them from the newest quarter. */
	*p = shared->corpus[engine_random() & 1 ? engine_random() % used :
			    used - 1 - engine_random() % (used / 4 + 1)];
	/* Another job may just be writing this one. */
	if (p->n > RECORDS)
		p->n = RECORDS;
	return p->n;
}

bool corpus_load(const char *path, struct program *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, p->rec, sizeof(p->rec));

	if (fd >= 0)
		close(fd);
	p->n = n < 0 ? 0 : n / sizeof(p->rec[0]);
	return p->n;
}
