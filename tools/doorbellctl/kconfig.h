/* SPDX-License-Identifier: GPL-2.0 */
/* kconfig - what a kernel was configured with */
#ifndef DOORBELLCTL_KCONFIG_H
#define DOORBELLCTL_KCONFIG_H

#include <stdbool.h>
#include <stdio.h>

struct kconfig_option {
	const char	*name;	/* without CONFIG_; NULL ends a table */
	bool		 on;	/* out: built in or a module */
};

/* Reads all of @in, a .config. Returns the number of options set at all. */
unsigned int kconfig_parse(FILE *in, struct kconfig_option *options);

#endif
