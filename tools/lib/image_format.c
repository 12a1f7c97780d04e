// SPDX-License-Identifier: GPL-2.0
#include "image_format.h"

#include <stdalign.h>
#include <string.h>
#include <unistd.h>

/* Enough for all signatures, and aligned for direct I/O on any disk */
#define HEAD_SIZE	4096

struct signature {
	const char *format;
	size_t	    offset;
	size_t	    len;
	const char *bytes;
};

#define SIGNATURE(f, at, text)	{ f, at, sizeof(text) - 1, text }

static const struct signature signatures[] = {
	SIGNATURE("qcow2", 0, "QFI\xfb\0\0\0\2"),
	SIGNATURE("qcow2", 0, "QFI\xfb\0\0\0\3"),
	SIGNATURE("qcow", 0, "QFI\xfb\0\0\0\1"),
	SIGNATURE("qed", 0, "QED\0"),
	SIGNATURE("vmdk", 0, "KDMV"),
	SIGNATURE("vmdk", 0, "COWD"),
	SIGNATURE("vmdk", 0, "# Disk DescriptorFile"),
	SIGNATURE("vdi", 64, "\x7f\x10\xda\xbe"),
	SIGNATURE("vhdx", 0, "vhdxfile"),
	SIGNATURE("vpc", 0, "conectix"),
	SIGNATURE("parallels", 0, "WithoutFreeSpace"),
	SIGNATURE("parallels", 0, "WithouFreSpacExt"),
};

const char *image_format_find(const void *head, size_t len)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		const struct signature *s = &signatures[i];

		if (s->offset + s->len <= len &&
		    !memcmp((const char *)head + s->offset, s->bytes, s->len))
			return s->format;
	}
	return NULL;
}

const char *image_format_read(int fd)
{
	alignas(HEAD_SIZE) char head[HEAD_SIZE];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n > 0 ? image_format_find(head, n) : NULL;
}
