// SPDX-License-Identifier: GPL-2.0
/*
 * bell_epoll - a thread that waits for the eventfd, takes the time and counts
 */
#include "bell_epoll.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>
#include <linux/vhost_doorbell.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "bell_rig.h"

/*
 * Runs once per wake-up, as the module's bell does. The count is written last.
 */
static void handle(struct bell_rig *r, uint64_t now)
{
	struct vhost_doorbell_bell_page *page = r->page;
	uint64_t n;

	if (read(r->efd, &n, sizeof(n)) != sizeof(n))
		return;
	page->stamp = 0;
	page->entered = now;
	__atomic_store_n(&page->count, page->count + n, __ATOMIC_RELEASE);
}

static void *epoll_thread(void *arg)
{
	struct bell_rig *r = arg;
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	__atomic_store_n(&r->tid, gettid(), __ATOMIC_RELEASE);
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, r->efd, &ev)) {
		/* The guest will wait in vain, and the row reports that. */
		if (ep >= 0)
			close(ep);
		return NULL;
	}
	for (;;) {
		int n = epoll_wait(ep, &ev, 1, -1);
		uint64_t now = vmm_rdtsc();

		if (__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE))
			break;
		if (n == 1)
			handle(r, now);
	}
	close(ep);
	return NULL;
}

int bell_epoll_start(struct bell_rig *r)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int ret;

	CPU_ZERO(&set);
	CPU_SET(r->place->waiter_cpu, &set);
	ret = pthread_attr_init(&attr);
	if (ret)
		return -ret;
	ret = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (!ret)
		ret = pthread_create(&r->thread, &attr, epoll_thread, r);
	pthread_attr_destroy(&attr);
	r->started = !ret;
	return -ret;
}

void bell_epoll_stop(struct bell_rig *r)
{
	__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
	eventfd_write(r->efd, 1);
	pthread_join(r->thread, NULL);
	r->started = false;
}
