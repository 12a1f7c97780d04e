/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_PAGEMAP_H
#define SHIM_LINUX_PAGEMAP_H

#include <linux/fs.h>

bool filemap_range_has_page(struct address_space *mapping, loff_t start, loff_t end);

#endif
