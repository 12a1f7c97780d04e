// SPDX-License-Identifier: GPL-2.0
/* Messages of the module. */
#include <stdio.h>

#include <linux/printk.h>

#include "world.h"

/* Keeps the text of %pV, if the message ends in it. */
void shim_notice(const char *fmt, ...)
{
	struct va_format *vaf;
	va_list ap;

	world.notices++;
	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (!strncmp(fmt, "%u", 2)) {
			(void)va_arg(ap, unsigned int);
		} else if (!strncmp(fmt, "%pV", 3)) {
			vaf = va_arg(ap, struct va_format *);
			vsnprintf(world.notice, sizeof(world.notice), vaf->fmt,
				  *vaf->va);
		}
	}
	va_end(ap);
}
