/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch - the main thread's loop while the lanes run
 *
 * It ends the run when the lanes are done, when the back end goes away, when a
 * queue breaks, or when the watchdog expires.
 */
#ifndef WATCH_H
#define WATCH_H

#include "run.h"

/* Returns when all lanes have ended. */
void watch_lanes(struct run *r);

#endif
