/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch - the main thread while the lanes work
 *
 * Sees to it that a run ends: by itself, by the back end's death, by a broken
 * queue, or by the watchdog.
 */
#ifndef WATCH_H
#define WATCH_H

#include "run.h"

/* Returns when all lanes have ended. */
void watch_lanes(struct run *r);

#endif
