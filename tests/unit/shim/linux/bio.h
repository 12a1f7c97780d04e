/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BIO_H
#define SHIM_LINUX_BIO_H

#include <linux/bvec.h>

struct bio {
	struct bvec_iter bi_iter;
};

#endif
