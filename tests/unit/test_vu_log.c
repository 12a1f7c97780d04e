// SPDX-License-Identifier: GPL-2.0
/* Lines of the log: names, levels for the journal, control characters */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fd.h"
#include "log.h"
#include "test_vu.h"

static char line[4096];
static int log_fd, stderr_fd;

static void begin(void)
{
	log_fd = test_memfd(0);
	stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(log_fd, STDERR_FILENO);
}

static void end(void)
{
	dup2(stderr_fd, STDERR_FILENO);
	fd_close(&stderr_fd);
	fd_close(&log_fd);
}

/* Was this text, and nothing else, printed since the last call? */
static bool printed(const char *want)
{
	ssize_t n = pread(log_fd, line, sizeof(line) - 1, 0);

	line[n < 0 ? 0 : n] = '\0';
	if (ftruncate(log_fd, 0) || lseek(log_fd, 0, SEEK_SET))
		abort();
	if (!strcmp(line, want))
		return true;
	printf("# %s", line);
	return false;
}

static void set_journal(unsigned long long more)
{
	char stream[64];
	struct stat st;

	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, st.st_ino + more);
	setenv("JOURNAL_STREAM", stream, 1);
}

/* Must run before a test sets a name: a name cannot be unset. */
static void test_levels(void)
{
	begin();
	log_warn("careful: %d", 7);
	CHECK(printed("test_vu_log: careful: 7\n"));
	set_journal(0);
	log_err("bad");
	CHECK(printed("<3>bad\n"));
	log_warn("careful");
	CHECK(printed("<4>careful\n"));
	log_info("well");
	CHECK(printed("<6>well\n"));
	log_debug("detail");
	CHECK(printed(""));
	log_level = LOG_LEVEL_DEBUG;
	log_debug("detail");
	CHECK(printed("<7>detail\n"));
	log_level = LOG_LEVEL_INFO;

	CHECK(log_is_journal(STDERR_FILENO) && !log_is_journal(stderr_fd));
	CHECK(!log_is_journal(-1));
	/*
	 * Lines have no level if JOURNAL_STREAM names another file than stderr
	 * or is malformed.
	 */
	set_journal(1);
	log_err("bad");
	CHECK(printed("test_vu_log: bad\n"));
	setenv("JOURNAL_STREAM", "journal", 1);
	log_err("bad");
	CHECK(printed("test_vu_log: bad\n"));
	unsetenv("JOURNAL_STREAM");
	end();
}

static void test_control(void)
{
	char text[3000];
	size_t n;

	begin();
	log_err("a\nb\t\x1b[31mc\x7f\xc2\x9b" "d\xc3\xa9\xc2\xa0");
	CHECK(printed("test_vu_log: a\\x0ab\\x09\\x1b[31mc\\x7f\\xc2\\x9bd"
		      "\xc3\xa9\xc2\xa0\n"));
	/* A text that would begin a line of another level */
	set_journal(0);
	log_info("memfd:\n<0>panic");
	CHECK(printed("<6>memfd:\\x0a<0>panic\n"));
	unsetenv("JOURNAL_STREAM");

	/* A message that is too long is cut; it is still one line. */
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_err("%s", text);
	n = pread(log_fd, line, sizeof(line), 0);
	CHECK(n > 900 && n < 1200);
	CHECK(memchr(line, '\n', n) == line + n - 1);
	end();
}

static void test_name(void)
{
	begin();
	log_name_of_file("/etc/vhost-doorbell/blk/vm1.conf");
	log_name("/dev/sda");
	log_err("bad");
	CHECK(printed("test_vu_log: vm1: bad\n"));
	log_err("vm1: in use");
	CHECK(printed("test_vu_log: vm1: in use\n"));
	log_err("vm12: in use");
	CHECK(printed("test_vu_log: vm1: vm12: in use\n"));
	set_journal(0);
	log_err("bad");
	CHECK(printed("<3>vm1: bad\n"));
	unsetenv("JOURNAL_STREAM");
	end();
}

static const struct test tests[] = {
	{ "levels, for the journal only", test_levels },
	{ "control characters are not printed raw", test_control },
	{ "the name of the instance", test_name },
};

TEST_MAIN(tests)
