// SPDX-License-Identifier: GPL-2.0
/*
 * coverage - which programs reached something new; see cover/test_cover.h
 *
 * The counters are of the whole module, not of a job. A job that runs alone sets them to
 * zero before each program, and news is a block that runs for the first time or a new order
 * of magnitude of its hits. With several jobs the list of blocks only grows, and news is a
 * block that was added to the list while the program ran: all programs of that moment count.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cover/test_cover.h"
#include "kfuzz.h"

/*
 * Shared by all jobs. @seen: classes of hits, a bit each. @later: blocks that were found
 * when several jobs ran
 */
static uint8_t *seen;
static uint8_t *later;
static struct test_cover_area *cover;
static uint32_t begin;

bool coverage_open(void)
{
	int fd = open("/dev/test-cover", O_RDWR | O_CLOEXEC);

	cover = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*cover), PROT_READ | PROT_WRITE,
					   MAP_SHARED, fd, 0);
	seen = mmap(NULL, 2 * TEST_COVER_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (cover == MAP_FAILED || seen == MAP_FAILED)
		cover = NULL;
	later = seen + TEST_COVER_SIZE;
	return cover;
}

static uint32_t listed(void)
{
	uint32_t n = cover ? __atomic_load_n(&cover->nr, __ATOMIC_SEQ_CST) : 0;

	return n < TEST_COVER_LIST ? n : TEST_COVER_LIST;
}

static void clear(void)
{
	uint32_t n = listed();

	if (!cover)
		return;
	__atomic_store_n(&cover->nr, 0, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < n; i++)
		cover->hits[cover->index[i] % TEST_COVER_SIZE] = 0;
}

void coverage_begin(bool alone)
{
	if (alone)
		clear();
	begin = alone ? 0 : listed();
}

/* Classes of hits: 1, 2, 3, up to 7, 15, 31, 127, more */
static uint8_t class_of(uint8_t hits)
{
	static const uint8_t most[] = { 1, 2, 3, 7, 15, 31, 127 };
	unsigned int i;

	for (i = 0; i < sizeof(most) && hits > most[i]; i++)
		;
	return 1U << i;
}

static bool news_alone(uint32_t at)
{
	uint8_t class = cover->hits[at] ? class_of(cover->hits[at]) : 0;

	if (!(class & ~seen[at]))
		return false;
	if (!seen[at])
		__atomic_fetch_add(&shared->blocks, 1, __ATOMIC_RELAXED);
	seen[at] |= class;
	return true;
}

/* A block is in the list once. It is new if no job that ran alone has seen it. */
static bool news_shared(uint32_t at)
{
	uint8_t old = 0;

	if (__atomic_compare_exchange_n(&seen[at], &old, 1, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		later[at] = true;
		__atomic_fetch_add(&shared->blocks, 1, __ATOMIC_RELAXED);
	}
	return later[at];
}

bool coverage_news(bool alone)
{
	uint32_t n = listed();
	/* Without coverage the corpus is what one job runs first. */
	bool news = alone && !cover;

	for (uint32_t i = begin; i < n; i++) {
		uint32_t at = cover->index[i] % TEST_COVER_SIZE;

		if (alone ? news_alone(at) : news_shared(at))
			news = true;
	}
	return news;
}
