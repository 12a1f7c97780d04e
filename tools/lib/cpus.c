// SPDX-License-Identifier: GPL-2.0
#include "cpus.h"

#include <errno.h>
#include <stdint.h>

#include "number.h"

int cpus_parse(const char *list, cpu_set_t *set)
{
	uint64_t first, last;
	int ret;

	CPU_ZERO(set);
	for (;;) {
		ret = number_next(&list, CPU_SETSIZE - 1, &first);
		if (ret)
			return ret;
		last = first;
		if (*list == '-') {
			list++;
			ret = number_next(&list, CPU_SETSIZE - 1, &last);
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
