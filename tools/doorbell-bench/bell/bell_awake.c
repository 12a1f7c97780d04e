// SPDX-License-Identifier: GPL-2.0
/* bell_awake - a thread of the lowest priority that spins on request */
#include "bell_awake.h"

#include <sched.h>

static void *awake_thread(void *arg)
{
	struct bell_awake *a = arg;
	const struct sched_param none = { 0 };

	/* SCHED_IDLE, so that the thread never delays a handler. */
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		return NULL;
	while (!__atomic_load_n(&a->stop, __ATOMIC_ACQUIRE)) {
		sem_wait(&a->wanted);
		/*
		 * Newer kernels preempt a SCHED_IDLE thread only at a tick, so
		 * it yields.
		 */
		while (__atomic_load_n(&a->spin, __ATOMIC_RELAXED))
			sched_yield();
	}
	return NULL;
}

void bell_awake_start(struct bell_awake *a, int cpu)
{
	pthread_attr_t attr;
	cpu_set_t set;

	*a = (struct bell_awake){ 0 };
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sem_init(&a->wanted, 0, 0) || pthread_attr_init(&attr))
		return;
	a->started = !pthread_attr_setaffinity_np(&attr, sizeof(set), &set) &&
		     !pthread_create(&a->thread, &attr, awake_thread, a);
	pthread_attr_destroy(&attr);
}

void bell_awake_stop(struct bell_awake *a)
{
	if (!a->started)
		return;
	__atomic_store_n(&a->stop, true, __ATOMIC_RELEASE);
	bell_awake_set(a, false);
	sem_post(&a->wanted);
	pthread_join(a->thread, NULL);
	a->started = false;
}

void bell_awake_set(struct bell_awake *a, bool spin)
{
	if (!a->started)
		return;
	__atomic_store_n(&a->spin, spin, __ATOMIC_RELAXED);
	if (spin)
		sem_post(&a->wanted);
}
