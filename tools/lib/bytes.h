/* SPDX-License-Identifier: GPL-2.0 */
/* bytes - a number of bytes in a readable unit */
#ifndef TOOLS_LIB_BYTES_H
#define TOOLS_LIB_BYTES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes a text such as "1023 bytes" or "1.5 KiB", up to PiB; at most 32
 * characters.
 */
void bytes_text(uint64_t bytes, char *to, size_t size);

#endif
