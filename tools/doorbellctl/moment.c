// SPDX-License-Identifier: GPL-2.0
#include "moment.h"

#include "ctl.h"

int moment_take(const struct ctl_options *o, struct moment *m)
{
	int ret = scan_run(o->proc, &m->scan);

	clock_gettime(CLOCK_MONOTONIC, &m->time);
	if (ret)
		return ctl_fail(o->proc, ret);
	ret = select_devices(o, &m->scan, &m->selection);
	if (ret)
		moment_free(m);
	return ret;
}

void moment_free(struct moment *m)
{
	scan_free(&m->scan);
}

const struct scan_dev *moment_dev(const struct moment *m, size_t i)
{
	/*
	 * A moment may be a copy. Then @dev, if it points to @one, still points
	 * into the original.
	 */
	return m->selection.dev == m->scan.dev ? m->selection.dev[i] :
						 m->selection.one;
}

double moment_elapsed(const struct moment *from, const struct moment *to)
{
	return to->time.tv_sec - from->time.tv_sec +
	       (to->time.tv_nsec - from->time.tv_nsec) / 1e9;
}

double moment_rate(uint64_t before, uint64_t now, double seconds)
{
	return now < before ? 0 : (now - before) / seconds;
}
