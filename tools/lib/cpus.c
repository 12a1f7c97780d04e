// SPDX-License-Identifier: GPL-2.0
#include "cpus.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static int cpus_number(const char **at, unsigned long *cpu)
{
	char *end;

	/* strtoul() would take a sign and white space. */
	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	errno = 0;
	*cpu = strtoul(*at, &end, 10);
	if (errno || *cpu >= CPU_SETSIZE)
		return -ERANGE;
	*at = end;
	return 0;
}

int cpus_parse(const char *list, cpu_set_t *set)
{
	unsigned long first, last;
	int ret;

	CPU_ZERO(set);
	for (;;) {
		ret = cpus_number(&list, &first);
		if (ret)
			return ret;
		last = first;
		if (*list == '-') {
			list++;
			ret = cpus_number(&list, &last);
			if (ret)
				return ret;
		}
		if (last < first)
			return -EINVAL;
		for (; first <= last; first++)
			CPU_SET(first, set);
		if (!*list)
			return 0;
		if (*list++ != ',')
			return -EINVAL;
	}
}
