/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_format - tell images of other formats from raw ones
 *
 * A disk's content is the guest's, so that a name found here is a guess: it is for a
 * warning, not for a decision.
 */
#ifndef TOOLS_LIB_IMAGE_FORMAT_H
#define TOOLS_LIB_IMAGE_FORMAT_H

#include <stddef.h>

/*
 * What the first @len bytes of a disk say, by the name that qemu-img has for it;
 * NULL: raw, as far as can be seen.
 */
const char *image_format_find(const void *head, size_t len);
/* The same for an open disk. NULL also if it cannot be read. */
const char *image_format_read(int fd);

#endif
