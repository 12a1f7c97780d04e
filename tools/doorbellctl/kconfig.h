/* SPDX-License-Identifier: GPL-2.0 */
/* kconfig - the configuration of a kernel */
#ifndef DOORBELLCTL_KCONFIG_H
#define DOORBELLCTL_KCONFIG_H

#include <stdbool.h>
#include <stdio.h>

struct kconfig_option {
	const char	*name;	/* without CONFIG_; NULL ends the table */
	bool		 on;	/* result: built in or a module */
};

/*
 * Reads @in, a .config, to its end. Returns the number of all options that are
 * set.
 */
unsigned int kconfig_parse(FILE *in, struct kconfig_option *options);

#endif
