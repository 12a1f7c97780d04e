/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_UIO_H
#define SHIM_LINUX_UIO_H

#include <linux/bvec.h>

#define ITER_SOURCE	1
#define ITER_DEST	0

struct iov_iter {
	const struct bio_vec	*bvec;
	unsigned long		 nr_segs;
	size_t			 count;
	unsigned int		 direction;
};

static inline void iov_iter_bvec(struct iov_iter *i, unsigned int direction,
				 const struct bio_vec *bvec,
				 unsigned long nr_segs, size_t count)
{
	if (direction != ITER_SOURCE && direction != ITER_DEST)
		shim_die("an iterator of direction %u", direction);
	*i = (struct iov_iter){ bvec, nr_segs, count, direction };
}

static inline void iov_iter_advance(struct iov_iter *i, size_t n)
{
	i->count -= n;
}

#define iov_iter_count(i)	((i)->count)

#endif
