/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_awake - keep a processor from sleeping while handlers are measured
 *
 * The time that a processor takes to wake up depends on its kind and its load.
 * (An emulated processor depends on another scheduler as well.) That time is
 * longer than all the rest. A spinning thread that everything else preempts
 * keeps it out of the measurement.
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

/* If the thread cannot start, the processor may sleep; nothing else changes. */
void bell_awake_start(struct bell_awake *a, int cpu);
void bell_awake_stop(struct bell_awake *a);
/* Starts or stops spinning. */
void bell_awake_set(struct bell_awake *a, bool spin);

#endif
