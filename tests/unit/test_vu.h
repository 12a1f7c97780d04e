/* SPDX-License-Identifier: GPL-2.0 */
/*
 * test_vu - what the test_vu_*.c programs share
 *
 * Each is one program: it prints TAP and exits 0 if every check held. It links
 * with all of tools/lib and tools/vhost-user.
 */
#ifndef TESTS_UNIT_TEST_VU_H
#define TESTS_UNIT_TEST_VU_H

#include <dirent.h>
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

/* Open descriptors of this process, without the one that counts them. */
static inline int test_count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -3;			/* ".", "..", and of @d */

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Some are closed by another thread: waits until there are @fds, or no longer. */
static inline void test_settle_fds(int fds)
{
	for (int i = 0; i < 5000 && test_count_fds() > fds; i++)
		usleep(1000);
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
