// SPDX-License-Identifier: GPL-2.0
#include "bytes.h"

#include <inttypes.h>
#include <stdio.h>

#define NUM_UNITS	5

void bytes_text(uint64_t bytes, char *to, size_t size)
{
	static const char units[NUM_UNITS][4] = {
		"KiB", "MiB", "GiB", "TiB", "PiB",
	};
	double value = bytes / 1024.0;
	unsigned int i = 0;

	if (bytes < 1024) {
		snprintf(to, size, "%" PRIu64 " bytes", bytes);
		return;
	}
	for (; value >= 1024 && i + 1 < NUM_UNITS; i++)
		value /= 1024;
	snprintf(to, size, "%.1f %s", value, units[i]);
}
