// SPDX-License-Identifier: GPL-2.0
/* The event loop: descriptors and timers that callbacks add and remove */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "fd.h"
#include "loop.h"
#include "test_vu.h"

static struct loop loop;
static int a, b;
static char calls[256];		/* a letter for each callback */

static void note(const char *letter)
{
	strcat(calls, letter);
}

static void begin(void)
{
	loop = (struct loop){ 0 };
	*calls = '\0';
	a = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	b = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void end(void)
{
	fd_close(&a);
	fd_close(&b);
}

static bool called(const char *want)
{
	if (!strcmp(calls, want))
		return true;
	printf("# called: %s\n", calls);
	return false;
}

static void expired_end(void *result)
{
	loop_end(&loop, *(int *)result);
}

/* Runs the loop for @ms milliseconds; returns its result. */
static int run(int ms)
{
	static int result;
	struct loop_timer t = { .expired = expired_end, .data = &result };
	int ret;

	result = 7;
	loop.ended = false;
	loop_set_timer(&loop, &t, ms);
	ret = loop_run(&loop);
	loop_stop_timer(&loop, &t);
	return ret;
}

static void take(int fd)
{
	eventfd_t v;

	CHECK_EQ(eventfd_read(fd, &v), 0);
}

static void ready_a(void *data, short events)
{
	CHECK_EQ(events, POLLIN);
	CHECK(data == &a);
	take(a);
	note("a");
}

static void ready_b(void *data, short events)
{
	(void)data, (void)events;
	take(b);
	note("b");
}

/* Must be called for a hang-up, though the test asks for no events. */
static void ready_gone(void *data, short events)
{
	int *fd = data;

	CHECK(events & POLLHUP);
	note("g");
	loop_remove(&loop, *fd);
}

static void test_fds(void)
{
	int pipes[2];

	begin();
	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
	CHECK_EQ(loop_add(&loop, b, POLLIN, ready_b, NULL), 0);
	CHECK_EQ(loop_add(&loop, pipes[0], POLLIN, ready_gone, &pipes[0]), 0);
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_a, &a), 0);
	close(pipes[1]);
	CHECK_EQ(run(50), 7);
	CHECK(called("bga"));
	eventfd_write(a, 1);
	CHECK_EQ(run(50), 7);
	CHECK(called("bgaa"));
	loop_remove(&loop, a);
	loop_remove(&loop, a);
	eventfd_write(a, 1);
	CHECK_EQ(run(50), 7);
	CHECK(called("bgaa"));
	close(pipes[0]);
	end();
}

static void test_pause(void)
{
	begin();
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_a, &a), 0);
	loop_pause(&loop, a, true);
	CHECK_EQ(run(30), 7);
	CHECK(called(""));
	loop_pause(&loop, a, false);
	loop_pause(&loop, a, false);
	CHECK_EQ(run(30), 7);
	CHECK(called("a"));
	loop_pause(&loop, a, true);
	loop_remove(&loop, a);
	loop_pause(&loop, a, false);
	eventfd_write(a, 1);
	CHECK_EQ(run(30), 7);
	CHECK(called("a"));
	end();
}

/* Removes the other descriptor, which is ready as well. */
static void ready_remove_other(void *data, short events)
{
	(void)events;
	note("r");
	loop_remove(&loop, *(int *)data);
	loop_remove(&loop, a);
}

static void test_remove_in_callback(void)
{
	begin();
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_remove_other, &b), 0);
	CHECK_EQ(loop_add(&loop, b, POLLIN, ready_b, NULL), 0);
	CHECK_EQ(run(30), 7);
	CHECK(called("r"));
	/* All entries of the table are free again. */
	for (int i = 0; i < LOOP_MAX; i++)
		CHECK_EQ(loop_add(&loop, 1000 + i, POLLIN, ready_b, NULL), 0);
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_a, &a), -ENOSPC);
	end();
}

/* Closes the other descriptor; a new file gets its number and is added. */
static void ready_reuse(void *data, short events)
{
	int other = b;

	(void)data, (void)events;
	note("u");
	take(a);
	loop_remove(&loop, b);
	fd_close(&b);
	b = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK_EQ(b, other);
	CHECK_EQ(loop_add(&loop, b, POLLIN, ready_b, NULL), 0);
}

static void test_close_in_callback(void)
{
	begin();
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_reuse, NULL), 0);
	CHECK_EQ(loop_add(&loop, b, POLLIN, ready_gone, NULL), 0);
	CHECK_EQ(run(30), 7);
	/*
	 * The event was one of the old file: the new one's callback is not
	 * called.
	 */
	CHECK(called("u"));
	eventfd_write(b, 1);
	CHECK_EQ(run(30), 7);
	CHECK(called("ub"));
	/*
	 * A descriptor that is closed but not removed gives an error, not a
	 * busy loop.
	 */
	fd_close(&b);
	CHECK_EQ(run(30), -EBADF);
	end();
}

static void expired_note(void *letter)
{
	note(letter);
}

static struct loop_timer one = { .expired = expired_note, .data = "1" };
static struct loop_timer two = { .expired = expired_note, .data = "2" };
static struct loop_timer three = { .expired = expired_note, .data = "3" };

static void test_timers(void)
{
	begin();
	loop_set_timer(&loop, &three, 30);
	loop_set_timer(&loop, &one, 10);
	loop_set_timer(&loop, &two, 20);
	CHECK_EQ(run(60), 7);
	CHECK(called("123"));
	/*
	 * Timers that expire at the same time are called in the order in which
	 * they were set. Set @one again, and stop @two.
	 */
	loop_set_timer(&loop, &one, 60000);
	loop_set_timer(&loop, &three, 0);
	loop_set_timer(&loop, &two, 0);
	loop_set_timer(&loop, &one, 0);
	loop_stop_timer(&loop, &two);
	loop_stop_timer(&loop, &two);
	CHECK_EQ(run(30), 7);
	CHECK(called("12331"));
	CHECK(!one.set && !two.set && !three.set && !loop.timers);
	end();
}

/*
 * Sets its timer again, to expire at once: the loop must serve others as well.
 */
static void expired_again(void *t)
{
	if (strlen(calls) == 5)
		return;
	note("t");
	loop_set_timer(&loop, t, 0);
	loop_stop_timer(&loop, &two);
}

static void test_timers_in_callback(void)
{
	struct loop_timer again = { .expired = expired_again };

	begin();
	again.data = &again;
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_a, &a), 0);
	loop_set_timer(&loop, &again, 0);
	loop_set_timer(&loop, &two, 0);
	CHECK_EQ(run(1000), 7);
	CHECK(called("atttt"));
	CHECK(!loop.timers);
	end();
}

static void ready_end(void *data, short events)
{
	(void)data, (void)events;
	note("e");
	loop_end(&loop, -ECANCELED);
}

/*
 * After loop_end() no callback is called, even if a descriptor is ready or a
 * timer expired.
 */
static void test_end(void)
{
	begin();
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_end, NULL), 0);
	CHECK_EQ(loop_add(&loop, b, POLLIN, ready_b, NULL), 0);
	loop_set_timer(&loop, &one, 0);
	CHECK_EQ(loop_run(&loop), -ECANCELED);
	CHECK(called("e"));
	/* A loop that has ended returns at once when it is run again. */
	loop_stop_timer(&loop, &one);
	loop_remove(&loop, a);
	loop_remove(&loop, b);
	CHECK_EQ(loop_run(&loop), -ECANCELED);
	end();
}

static volatile sig_atomic_t signals;

static void on_signal(int nr)
{
	(void)nr;
	signals++;
}

static void *interrupt(void *thread)
{
	for (int i = 0; i < 5; i++) {
		usleep(10000);
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
	}
	return NULL;
}

static void test_eintr(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), thread;
	int64_t began = loop_now();

	begin();
	sigaction(SIGUSR1, &sa, NULL);
	loop_set_timer(&loop, &one, 100);
	if (pthread_create(&thread, NULL, interrupt, &self))
		abort();
	CHECK_EQ(run(150), 7);
	pthread_join(thread, NULL);
	CHECK_EQ(signals, 5);
	CHECK(called("1"));
	CHECK(loop_now() - began >= 150);
	end();
}

/* Writes after a while: without timers the loop must sleep until then. */
static void *wake(void *fd)
{
	usleep(100000);
	eventfd_write(*(int *)fd, 1);
	return NULL;
}

static void test_sleep(void)
{
	struct timespec before, after;
	pthread_t thread;

	begin();
	take(a);
	CHECK_EQ(loop_add(&loop, a, POLLIN, ready_end, NULL), 0);
	if (pthread_create(&thread, NULL, wake, &a))
		abort();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	CHECK_EQ(loop_run(&loop), -ECANCELED);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	pthread_join(thread, NULL);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec -
	      before.tv_nsec < 50000000);
	CHECK(called("e"));
	end();
}

static const struct test tests[] = {
	{ "descriptors, in order", test_fds },
	{ "a descriptor that is paused", test_pause },
	{ "removed inside of a callback", test_remove_in_callback },
	{ "closed inside of a callback, and its number used again",
	  test_close_in_callback },
	{ "timers, in order", test_timers },
	{ "timers set and stopped inside of a callback", test_timers_in_callback },
	{ "nothing after the end", test_end },
	{ "signals interrupt it, and change nothing", test_eintr },
	{ "it sleeps", test_sleep },
};

TEST_MAIN(tests)
