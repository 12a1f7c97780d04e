// SPDX-License-Identifier: GPL-2.0
/*
 * marks - name the writes that are stable in the log of a dm-log-writes device
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "marks.h"

/* A mark must fit into a sector of the log, behind the entry. */
#define MARKS_TEXT	448
/* "mark ", and room for one more write */
#define MARKS_MESSAGE	(MARKS_TEXT + 64)

int marks_create(struct marks *m, const char *name)
{
	*m = (struct marks){ .name = name, .fd = -1 };
	if (!name)
		return 0;
	if (strlen(name) >= DM_NAME_LEN)
		return -ENAMETOOLONG;
	m->fd = open("/dev/" DM_DIR "/" DM_CONTROL_NODE, O_RDWR | O_CLOEXEC);
	return m->fd < 0 ? -errno : 0;
}

void marks_destroy(struct marks *m)
{
	if (m->name && m->fd >= 0)
		close(m->fd);
	free(m->write);
	*m = (struct marks){ .fd = -1 };
}

int marks_add(struct marks *m, uint64_t sector, uint32_t gen)
{
	if (m->num == m->room) {
		size_t room = m->room ? 2 * m->room : 64;
		struct marks_write *write = realloc(m->write, room * sizeof(*write));

		if (!write)
			return -ENOMEM;
		m->write = write;
		m->room = room;
	}
	m->write[m->num++] = (struct marks_write){ sector, gen };
	m->acknowledged++;
	return 0;
}

static int send_mark(const struct marks *m, const char *text)
{
	struct {
		struct dm_ioctl		head;
		struct dm_target_msg	msg;
		char			text[MARKS_MESSAGE];
	} arg = {
		.head = {
			.version = { DM_VERSION_MAJOR, 0, 0 },
			.data_size = sizeof(arg),
			.data_start = offsetof(typeof(arg), msg),
		},
	};

	strcpy(arg.head.name, m->name);
	snprintf((char *)&arg + offsetof(typeof(arg), msg) +
		 offsetof(struct dm_target_msg, message), MARKS_MESSAGE, "mark %s", text);
	return ioctl(m->fd, DM_TARGET_MSG, &arg) ? -errno : 0;
}

int marks_put(struct marks *m, uint64_t stable)
{
	size_t done = 0;
	int ret = 0;

	while (!ret && m->marked + done < stable) {
		char text[MARKS_TEXT];
		int len = 0;

		for (; m->marked + done < stable && len < MARKS_TEXT - 40; done++)
			len += snprintf(text + len, sizeof(text) - (size_t)len,
					"%s%" PRIu64 ".%" PRIu32, len ? "," : "",
					m->write[done].sector, m->write[done].gen);
		ret = send_mark(m, text);
	}
	m->marked += done;
	m->num -= done;
	memmove(m->write, m->write + done, m->num * sizeof(*m->write));
	return ret;
}
