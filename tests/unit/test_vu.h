/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_vu - helpers for all test_vu_*.c programs
 *
 * Each is one program: it prints TAP and exits 0 if every check held. It links
 * with all of tools/lib and tools/vhost-user.
 */
#ifndef TESTS_UNIT_TEST_VU_H
#define TESTS_UNIT_TEST_VU_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct test {
	const char *name;
	void	  (*run)(void);
};

static bool test_failed;

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__,	\
			       #cond);					\
			test_failed = true;				\
		}							\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		long long _a = (a), _b = (b);				\
									\
		if (_a != _b) {						\
			printf("# %s:%d: %s is %lld, not %lld\n",	\
			       __FILE__, __LINE__, #a, _a, _b);		\
			test_failed = true;				\
		}							\
	} while (0)

/* Open descriptors of this process, except the one that lists them. */
static inline int test_count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -3;			/* without ".", ".." and the descriptor of @d */

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/*
 * Waits up to 5 seconds until only @fds descriptors are open: another thread
 * closes some.
 */
static inline void test_settle_fds(int fds)
{
	for (int i = 0; i < 5000 && test_count_fds() > fds; i++)
		usleep(1000);
}

static int test_stderr = -1;	/* the real one, while messages are captured */

/* Captures messages on stderr. Returns the descriptor for test_capture_end(). */
static inline int test_capture(void)
{
	int out = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	test_stderr = dup(STDERR_FILENO);
	CHECK(out >= 0 && test_stderr >= 0 && dup2(out, STDERR_FILENO) >= 0);
	return out;
}

/* Ends it; the messages are in @text. */
static inline void test_capture_end(int out, char *text, size_t size)
{
	ssize_t n;

	fflush(stderr);
	dup2(test_stderr, STDERR_FILENO);
	close(test_stderr);
	n = pread(out, text, size - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(out);
}

static inline int test_memfd(size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size))
		abort();
	return fd;
}

/* Every test must close what it opened: a leak is a failure. */
static inline int test_main(const struct test *tests, size_t n)
{
	int failures = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		int fds = test_count_fds();

		test_failed = false;
		tests[i].run();
		test_settle_fds(fds);
		CHECK_EQ(test_count_fds(), fds);
		printf("%sok %zu - %s\n", test_failed ? "not " : "", i + 1,
		       tests[i].name);
		failures += test_failed;
	}
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TEST_MAIN(tests) \
	int main(void) { return test_main(tests, sizeof(tests) / sizeof(*tests)); }

#endif
