/* SPDX-License-Identifier: GPL-2.0 */
/*
 * info - what the device tells of itself: features, config space
 */
#ifndef INFO_H
#define INFO_H

#include "options.h"

/* Prints; 0 or -errno. */
int info_run(const struct options *o);

#endif
