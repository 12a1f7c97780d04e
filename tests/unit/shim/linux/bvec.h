/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BVEC_H
#define SHIM_LINUX_BVEC_H

#include <linux/mm.h>

struct bio_vec {
	struct page	*bv_page;
	unsigned int	 bv_len;
	unsigned int	 bv_offset;
};

struct bvec_iter {
	unsigned int	bi_size;
};

static inline void bvec_set_page(struct bio_vec *v, struct page *page,
				 unsigned int len, unsigned int offset)
{
	*v = (struct bio_vec){ page, len, offset };
}

#endif
