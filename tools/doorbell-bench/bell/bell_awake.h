/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_awake - keep a processor from sleeping while handlers are measured
 *
 * How long a processor takes to wake up depends on what it is and on what it runs
 * (an emulated one: on another scheduler), and is more than all the rest. A thread
 * that everything else preempts keeps that out of the measurement.
 */
#ifndef BELL_AWAKE_H
#define BELL_AWAKE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

struct bell_awake {
	pthread_t	thread;
	sem_t		wanted;
	bool		started;
	bool		spin;
	bool		stop;
};

/* Where it cannot be, the processor sleeps; nothing else changes. */
void bell_awake_start(struct bell_awake *a, int cpu);
void bell_awake_stop(struct bell_awake *a);
/* It spins from here on, or does not any more. */
void bell_awake_set(struct bell_awake *a, bool spin);

#endif
