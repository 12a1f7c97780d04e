// SPDX-License-Identifier: GPL-2.0
/*
 * files - helpers for the cases of image files
 *
 *	files watch FILE	count what inotify reports of FILE; on SIGTERM print
 *				"modify N access N" and end
 *	files seal BYTES	hold a memfd and print its path; on SIGUSR1 seal it
 *				against writes; end on SIGTERM
 *	files cached FILE	print how many of its pages the page cache has
 *	files refuse FILE	deny each read of FILE that fanotify asks about,
 *				after 100 ms; print their number on SIGTERM
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"

static volatile sig_atomic_t ended, asked;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		asked = 1;
	else
		ended = 1;
}

/* Without SA_RESTART a signal interrupts the blocking call. */
static void catch(int sig)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (sigaction(sig, &sa, NULL))
		err(1, "sigaction");
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void watch(const char *path)
{
	char buf[65536] __attribute__((aligned(8)));
	unsigned long modified = 0, accessed = 0;
	int fd = inotify_init1(IN_CLOEXEC);
	ssize_t len;

	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_ACCESS) < 0)
		err(1, "inotify");
	ready();
	while (!ended) {
		len = read(fd, buf, sizeof(buf));
		for (ssize_t at = 0; at < len;) {
			const struct inotify_event *e = (void *)(buf + at);

			modified += !!(e->mask & IN_MODIFY);
			accessed += !!(e->mask & IN_ACCESS);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	printf("modify %lu access %lu\n", modified, accessed);
}

static void seal(const char *bytes)
{
	int fd = memfd_create("image", MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)arg_number("BYTES", bytes, INT64_MAX)))
		err(1, "memfd");
	printf("/proc/%d/fd/%d\n", getpid(), fd);
	fflush(stdout);
	while (!ended) {
		usleep(100000);
		if (!asked)
			continue;
		asked = 0;
		if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE))
			err(1, "F_SEAL_WRITE");
		puts("sealed");
		fflush(stdout);
	}
}

static void cached(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages, n = 0;
	unsigned char *in;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		err(1, "%s", path);
	pages = ((size_t)st.st_size + page - 1) / page;
	in = calloc(pages, 1);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (!in || map == MAP_FAILED || mincore(map, (size_t)st.st_size, in))
		err(1, "mincore");
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	printf("%zu\n", n);
}

static void refuse(const char *path)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	struct fanotify_event_metadata e;
	unsigned long n = 0;

	if (fd < 0 ||
	    fanotify_mark(fd, FAN_MARK_ADD, FAN_ACCESS_PERM, AT_FDCWD, path))
		err(1, "fanotify");
	ready();
	while (!ended) {
		struct fanotify_response r = { .response = FAN_DENY };

		if (read(fd, &e, sizeof(e)) < (ssize_t)sizeof(e))
			continue;
		usleep(100000);
		r.fd = e.fd;
		if (write(fd, &r, sizeof(r)) < 0)
			err(1, "fanotify response");
		close(e.fd);
		n++;
	}
	printf("%lu\n", n);
}

int main(int argc, char **argv)
{
	catch(SIGTERM);
	catch(SIGUSR1);
	if (argc == 3 && !strcmp(argv[1], "watch"))
		watch(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "seal"))
		seal(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "cached"))
		cached(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "refuse"))
		refuse(argv[2]);
	else
		errx(2, "usage: files watch|cached|refuse FILE, files seal BYTES");
	return 0;
}
