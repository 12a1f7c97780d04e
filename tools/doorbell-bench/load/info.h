/* SPDX-License-Identifier: GPL-2.0 */
/* info - print what the device reports: features and config space */
#ifndef INFO_H
#define INFO_H

#include "options.h"

/* Returns 0 or -errno. */
int info_run(const struct options *o);

#endif
