// SPDX-License-Identifier: GPL-2.0
/*
 * replay_log - what a disk holds after a loss of power, from a log of dm-log-writes
 *
 *	replay_log list LOG			print the text of each mark
 *	replay_log replay LOG IMAGE MARK	write into IMAGE what precedes that mark; the first
 *						mark is 1
 *	replay_log check LOG IMAGE MARK		all writes that marks up to that one name must be
 *						in IMAGE
 *	replay_log walk LOG IMAGE		replay all of the log into IMAGE, and check at each
 *						mark
 *
 * -b 512 in front of these says that the driver's blocks have 512 bytes, and not 4096.
 *
 * IMAGE is empty before the replay. LOG begins with a head; then each entry has a sector of
 * its own, with the text of a mark behind the entry, and the data of a write in the sectors
 * that follow. Our marks are those of 'doorbell-bench emulate --marks': SECTOR.GENERATION,...
 * (see marks.h); other marks name no writes.
 *
 * The status is 1 if a write is lost.
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "number.h"

#define LOG_MAGIC	0x6a736677736872ULL
#define LOG_VERSION	1
#define SECTOR		512
/* At most so many lost sectors are printed. */
#define TELL		8

enum {
	F_DISCARD	= 1 << 2,
	F_MARK		= 1 << 3,
};

struct head {
	uint64_t	magic;
	uint64_t	version;
	uint64_t	entries;
	uint32_t	sector_size;
} __attribute__((packed));

struct entry {
	uint64_t	sector;
	uint64_t	sectors;
	uint64_t	flags;
	uint64_t	data_len;	/* of a mark */
};

/* Bytes of a block of the disk; an acknowledged write has this size. */
static uint64_t block_size = 4096;

static int log_fd, image_fd = -1;
static uint64_t sector_size, entries;

/* By sector of 512 bytes: the generation that it must at least have */
static uint32_t *needed;
static uint64_t num_needed;
/* All such sectors are in this part. */
static uint64_t needed_first = UINT64_MAX, needed_end;
static const char *image;

static uint64_t marks, writes, named, lost;

static void must_read(int fd, void *to, size_t len, uint64_t at)
{
	if (pread(fd, to, len, at) != (ssize_t)len)
		errx(2, "nothing at byte %llu", (unsigned long long)at);
}

static void log_open(const char *path)
{
	struct head head;

	log_fd = open(path, O_RDONLY);
	if (log_fd < 0)
		err(2, "%s", path);
	must_read(log_fd, &head, sizeof(head), 0);
	sector_size = le32toh(head.sector_size);
	entries = le64toh(head.entries);
	if (le64toh(head.magic) != LOG_MAGIC || le64toh(head.version) != LOG_VERSION ||
	    sector_size < SECTOR || sector_size % SECTOR)
		errx(2, "%s: no log of dm-log-writes", path);
}

static void image_open(const char *path, int flags)
{
	off_t size;

	image_fd = open(path, flags);
	if (image_fd < 0)
		err(2, "%s", path);
	size = lseek(image_fd, 0, SEEK_END);
	if (size <= 0)
		errx(2, "%s: no size", path);
	num_needed = size / SECTOR;
	needed = calloc(num_needed, sizeof(*needed));
	image = mmap(NULL, size, PROT_READ, MAP_SHARED, image_fd, 0);
	if (!needed || image == MAP_FAILED)
		err(2, "memory");
}

static void copy(uint64_t from, uint64_t to, uint64_t len)
{
	static char buf[1 << 20];

	while (len) {
		size_t n = len < sizeof(buf) ? len : sizeof(buf);

		must_read(log_fd, buf, n, from);
		if (pwrite(image_fd, buf, n, to) != (ssize_t)n)
			err(2, "image");
		from += n;
		to += n;
		len -= n;
	}
}

static void apply(const struct entry *e, uint64_t data)
{
	static const char zeroes[1 << 20];
	uint64_t at = e->sector * sector_size, len = e->sectors * sector_size;

	if (!(e->flags & F_DISCARD)) {
		copy(data, at, len);
		return;
	}
	while (len) {
		size_t n = len < sizeof(zeroes) ? len : sizeof(zeroes);

		if (pwrite(image_fd, zeroes, n, at) != (ssize_t)n)
			err(2, "image");
		at += n;
		len -= n;
	}
}

/* The first three words of each sector that the emulated driver writes; see shadow.c */
static bool is_there(uint64_t sector, uint32_t gen)
{
	uint64_t w[3];

	memcpy(w, image + sector * SECTOR, sizeof(w));
	/* The next generation may be on its way. */
	return w[1] == sector && w[2] >= gen && w[2] < gen + (1ULL << 31);
}

static void check_all(void)
{
	uint64_t s;

	for (s = needed_first; s < needed_end; s++) {
		if (!needed[s] || is_there(s, needed[s]))
			continue;
		if (lost++ < TELL)
			printf("mark %llu: sector %llu does not have generation %u\n",
			       (unsigned long long)marks, (unsigned long long)s, needed[s]);
	}
}

static void need(const char *text)
{
	uint64_t i, sector, gen;

	while (!number_next(&text, UINT32_MAX, &sector) && *text++ == '.' &&
	       !number_next(&text, UINT32_MAX, &gen)) {
		if (sector + block_size / SECTOR > num_needed)
			errx(2, "a mark names sector %llu", (unsigned long long)sector);
		if (sector < needed_first)
			needed_first = sector;
		if (sector + block_size / SECTOR > needed_end)
			needed_end = sector + block_size / SECTOR;
		for (i = 0; i < block_size / SECTOR; i++) {
			if (needed[sector + i] < gen)
				needed[sector + i] = gen;
		}
		named++;
		if (*text == ',')
			text++;
	}
}

/*
 * Goes through the log up to mark @upto (all of it if zero). With @replay writes the data
 * into the image, with @each checks the image at each mark.
 */
static void go(uint64_t upto, bool replay, bool each, bool list)
{
	char text[SECTOR * 8];
	uint64_t i, at = sector_size;
	struct entry e;

	for (i = 0; i < entries && (!upto || marks < upto); i++) {
		must_read(log_fd, &e, sizeof(e), at);
		e.sector = le64toh(e.sector);
		e.sectors = le64toh(e.sectors);
		e.flags = le64toh(e.flags);
		e.data_len = le64toh(e.data_len);
		if (e.flags & F_MARK) {
			if (e.data_len >= sizeof(text) ||
			    e.data_len > sector_size - sizeof(e))
				errx(2, "a mark of %llu bytes",
				     (unsigned long long)e.data_len);
			must_read(log_fd, text, e.data_len, at + sizeof(e));
			text[e.data_len] = 0;
			marks++;
			if (list)
				printf("%s\n", text);
			if (needed)
				need(text);
			if (each)
				check_all();
		} else if (e.sectors) {
			writes++;
			if (replay)
				apply(&e, at + sector_size);
		}
		at += sector_size;
		if (!(e.flags & F_DISCARD))
			at += e.sectors * sector_size;
	}
	if (upto && marks < upto)
		errx(2, "the log has %llu marks", (unsigned long long)marks);
}

static int usage(void)
{
	fprintf(stderr, "usage: replay_log [-b 512] list LOG | walk LOG IMAGE |\n"
			"                  replay|check LOG IMAGE MARK\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *what;
	uint64_t upto = 0;

	if (argc > 2 && !strcmp(argv[1], "-b") && !strcmp(argv[2], "512")) {
		block_size = SECTOR;
		argc -= 2;
		argv += 2;
	}
	what = argc > 2 ? argv[1] : "";
	if ((strcmp(what, "list") && argc < 4) ||
	    (argc > 4 && number_decimal(argv[4], UINT32_MAX, &upto)))
		return usage();
	log_open(argv[2]);
	if (!strcmp(what, "list")) {
		go(0, false, false, true);
		return 0;
	}
	image_open(argv[3], strcmp(what, "check") ? O_RDWR : O_RDONLY);
	if (!strcmp(what, "walk")) {
		go(0, true, true, false);
	} else if (!strcmp(what, "replay")) {
		go(upto, true, false, false);
	} else if (!strcmp(what, "check")) {
		go(upto, false, false, false);
		check_all();
	} else {
		return usage();
	}
	printf("%llu marks that name %llu writes, %llu writes in the log, %llu sectors lost\n",
	       (unsigned long long)marks, (unsigned long long)named,
	       (unsigned long long)writes, (unsigned long long)lost);
	return lost != 0;
}
