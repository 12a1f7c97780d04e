/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fdinfo - what the kernel tells about an open /dev/vhost-doorbell, and a bell
 *
 * /proc/PID/fdinfo/FD has a line "key:<TAB>value" per fact, described in
 * vhost-doorbell(4). Keys and words that are not known are skipped, so that an
 * older doorbellctl works with a newer module.
 */
#ifndef DOORBELLCTL_FDINFO_H
#define DOORBELLCTL_FDINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/limits.h>
#include <linux/vhost_doorbell.h>

/* What the kernel is doing with the device as a whole */
enum fdinfo_activity {
	FDINFO_READY,
	FDINFO_BUSY,		/* in a call, so that it tells little else */
	FDINFO_STOPPING,	/* of which one waits for requests in flight */
};

struct fdinfo {
	uint64_t	id;
	enum fdinfo_activity activity;
	bool		complete;	/* else only the id and what is not zero is known */
	char		backend[16];	/* "none" as long as there is none */
	char		disk[PATH_MAX];
	uint64_t	capacity;	/* in sectors of 512 bytes */
	bool		read_only;
	uint64_t	features;
	uint32_t	num_queues;
	char		port[32];	/* of a card: what it is plugged into */
	uint32_t	num_pairs;
	uint32_t	mtu;		/* 0: not told to the guest */
	struct vhost_doorbell_exec	exec;
	struct vhost_doorbell_mem_stats	mem;
	struct vhost_doorbell_stats	queue[VHOST_DOORBELL_MAX_QUEUES];
	struct vhost_doorbell_net_stats	pair[VHOST_DOORBELL_MAX_PAIRS];
};

struct fdinfo_bell {
	uint64_t	id;
	uint32_t	mode;		/* enum vhost_doorbell_bell_mode */
	/* Of this, what fdinfo_bell_fields names. */
	struct vhost_doorbell_bell_stats stats;
};

/* A number of a structure by the name it has in fdinfo. */
struct fdinfo_field {
	const char	*name;
	size_t		 offset;
	size_t		 size;		/* 4 or 8 */
};

/* The numbers of struct vhost_doorbell_stats, _net_stats, _mem_stats and _bell_stats. */
extern const struct fdinfo_field fdinfo_queue_fields[];	/* NULL ends, as in all */
extern const struct fdinfo_field fdinfo_pair_fields[];
extern const struct fdinfo_field fdinfo_mem_fields[];
extern const struct fdinfo_field fdinfo_bell_fields[];

uint64_t fdinfo_get(const struct fdinfo_field *field, const void *base);

/* A bit of @state of struct vhost_doorbell_stats. */
struct fdinfo_state {
	const char	*name;
	uint32_t	 bit;
};

/* Without the first, RUNNING, a queue is "stopped"; NULL ends. */
extern const struct fdinfo_state fdinfo_states[];

/*
 * Reads all of @in. Returns 0, -ENODEV when this is the fdinfo of something
 * else, -EINVAL when a known key has a value that cannot be, -errno of @in.
 */
int fdinfo_parse(FILE *in, struct fdinfo *info);
/* The same for a bell. */
int fdinfo_parse_bell(FILE *in, struct fdinfo_bell *bell);

/* A card, else a disk or nothing yet */
bool fdinfo_is_net(const struct fdinfo *info);

/* The sum over all queues of a __u64 member of struct vhost_doorbell_stats. */
#define fdinfo_sum(info, member)					\
({									\
	const struct fdinfo *__info = (info);				\
	uint64_t __sum = 0;						\
									\
	for (uint32_t __i = 0; __i < __info->num_queues; __i++)	\
		__sum += __info->queue[__i].member;			\
	__sum;								\
})

/* The sum over all pairs of a member of struct vhost_doorbell_net_stats. */
#define fdinfo_sum_pairs(info, member)					\
({									\
	const struct fdinfo *__info = (info);				\
	uint64_t __sum = 0;						\
									\
	for (uint32_t __i = 0; __i < __info->num_pairs; __i++)		\
		__sum += __info->pair[__i].member;			\
	__sum;								\
})

/* Frames of a card that were dropped, for whatever reason */
uint64_t fdinfo_drops(const struct fdinfo *info);

#endif
