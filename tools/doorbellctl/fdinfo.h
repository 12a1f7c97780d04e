/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fdinfo - parse what the kernel reports about an open /dev/vhost-doorbell, or
 * about a bell
 *
 * /proc/PID/fdinfo/FD has a line "key:<TAB>value" for each fact, described in
 * vhost-doorbell(4). Unknown keys and words are skipped, so that an older
 * doorbellctl works with a newer module.
 */
#ifndef DOORBELLCTL_FDINFO_H
#define DOORBELLCTL_FDINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/limits.h>
#include <linux/vhost_doorbell.h>

#include "detail.h"

/* State of the device as a whole */
enum fdinfo_activity {
	FDINFO_READY,
	FDINFO_BUSY,		/* a call is under way; most lines are missing */
	FDINFO_STOPPING,	/* a call waits for requests in flight */
};

struct fdinfo {
	uint64_t	id;
	enum fdinfo_activity activity;
	/* False: the device was busy, and members are zero except its id */
	bool		complete;
	char		backend[16];	/* "none": no back end */
	char		disk[PATH_MAX];
	uint64_t	capacity;	/* in sectors of 512 bytes */
	bool		read_only;
	uint64_t	features;
	uint32_t	num_queues;
	char		port[32];	/* kind and name of a card's port */
	uint32_t	num_pairs;
	uint32_t	mtu;		/* 0: not reported to the guest */
	struct vhost_doorbell_exec	exec;
	struct vhost_doorbell_mem_stats	mem;
	struct vhost_doorbell_stats	queue[VHOST_DOORBELL_MAX_QUEUES];
	struct vhost_doorbell_net_stats	pair[VHOST_DOORBELL_MAX_PAIRS];
	struct detail	detail;
};

struct fdinfo_bell {
	uint64_t	id;
	uint32_t	mode;		/* enum vhost_doorbell_bell_mode */
	/* Only the fields in fdinfo_bell_fields are set. */
	struct vhost_doorbell_bell_stats stats;
};

/* A number of a structure, and its name in fdinfo. */
struct fdinfo_field {
	const char	*name;
	size_t		 offset;
	size_t		 size;		/* 4 or 8 */
};

/* The numbers of struct vhost_doorbell_stats, _net_stats, _mem_stats and _bell_stats. */
/* Each table ends with NULL */
extern const struct fdinfo_field fdinfo_queue_fields[];
extern const struct fdinfo_field fdinfo_pair_fields[];
extern const struct fdinfo_field fdinfo_mem_fields[];
extern const struct fdinfo_field fdinfo_bell_fields[];

uint64_t fdinfo_get(const struct fdinfo_field *field, const void *base);

/* A bit of @state in struct vhost_doorbell_stats */
struct fdinfo_state {
	const char	*name;
	uint32_t	 bit;
};

/* A queue without the first one, RUNNING, is "stopped". NULL ends the list. */
extern const struct fdinfo_state fdinfo_states[];

/*
 * Reads all of @in. Returns 0, -ENODEV for the fdinfo of another kind of file,
 * -EINVAL if a known key has an impossible value, or -errno of @in. The caller
 * calls fdinfo_free() in any case.
 */
int fdinfo_parse(FILE *in, struct fdinfo *info);
void fdinfo_free(struct fdinfo *info);
/* As fdinfo_parse(), for a bell. */
int fdinfo_parse_bell(FILE *in, struct fdinfo_bell *bell);

/* Is the device a card? Otherwise it is a disk, or has no back end yet. */
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

/* Frames of a card that were dropped for any reason */
uint64_t fdinfo_drops(const struct fdinfo *info);

#endif
