/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ERRSEQ_H
#define SHIM_LINUX_ERRSEQ_H

#include <linux/types.h>

typedef u32 errseq_t;

/* A test's errors are numbered, and all of them are EIO. */
static inline int errseq_check(errseq_t *now, errseq_t since)
{
	return *now == since ? 0 : -EIO;
}

static inline int errseq_check_and_advance(errseq_t *now, errseq_t *since)
{
	int error = errseq_check(now, *since);

	*since = *now;
	return error;
}

#endif
