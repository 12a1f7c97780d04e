// SPDX-License-Identifier: GPL-2.0
#include "kconfig.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX		"CONFIG_"
#define PREFIX_LEN	(sizeof(PREFIX) - 1)

static void kconfig_line(const char *line, struct kconfig_option *options)
{
	size_t len = strcspn(line, "=");

	for (; options->name; options++)
		if (strlen(options->name) == len &&
		    !strncmp(options->name, line, len) &&
		    (line[len + 1] == 'y' || line[len + 1] == 'm'))
			options->on = true;
}

unsigned int kconfig_parse(FILE *in, struct kconfig_option *options)
{
	unsigned int n = 0;
	char *line = NULL;
	size_t size = 0;

	for (struct kconfig_option *o = options; o->name; o++)
		o->on = false;
	while (getline(&line, &size, in) > 0) {
		if (strncmp(line, PREFIX, PREFIX_LEN) || !strchr(line, '='))
			continue;
		kconfig_line(line + PREFIX_LEN, options);
		n++;
	}
	free(line);
	return n;
}
