/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_format - recognizes images of other formats than raw
 *
 * The guest writes the content of the disk, and can write such a signature itself: the
 * result may cause a warning, never a decision.
 */
#ifndef TOOLS_LIB_IMAGE_FORMAT_H
#define TOOLS_LIB_IMAGE_FORMAT_H

#include <stddef.h>

/*
 * Returns qemu-img's name of the format whose signature the first @len bytes of a disk
 * have; NULL if this library knows no such signature.
 */
const char *image_format_find(const void *head, size_t len);
/* The same for an open disk. NULL also if reading fails. */
const char *image_format_read(int fd);

#endif
