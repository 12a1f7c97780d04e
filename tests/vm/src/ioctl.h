/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioctl - tables of invalid calls
 *
 * A row is a valid call except for the rule in its name.
 */
#ifndef TESTS_VM_IOCTL_H
#define TESTS_VM_IOCTL_H

#include "driver.h"

/* A row overrides members of a valid call by later initialisers. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* An address where nothing is mapped */
#define NOWHERE	0x32000000UL
#define BAD	((void *)NOWHERE)

struct row {
	const char	*name;
	unsigned int	 cmd;
	int		 err;
	/* NULL: use the union */
	void		*ptr;
	union {
		__u64				features;
		struct vhost_vring_state	state;
		struct vhost_vring_file		file;
		struct vhost_vring_addr		addr;
		struct vhost_doorbell_info	info;
		struct vhost_doorbell_blk	blk;
		struct vhost_doorbell_config	config;
		struct vhost_doorbell_exec	exec;
		struct vhost_doorbell_run	run;
		struct vhost_doorbell_stats	stats;
		struct vhost_doorbell_hist	hist;
		struct vhost_doorbell_errors	errors;
		struct vhost_doorbell_mem_stats	mem_stats;
		struct vhost_doorbell_inflight	inflight;
		struct vhost_doorbell_net	net;
		struct vhost_doorbell_net_port	port;
		struct vhost_doorbell_net_dev	netdev;
		struct vhost_doorbell_net_stats	net_stats;
		struct vhost_doorbell_log	log;
		struct vhost_doorbell_claim	claim;
		struct {
			__u32				nregions;
			__u32				padding;
			struct vhost_memory_region	r[3];
		} table;
		char				room[2048];
	};
};

#define SET_INFLIGHT(...)	.cmd = VHOST_DOORBELL_SET_INFLIGHT,	\
	.inflight = { .user_addr = MEM, .size = 4096, __VA_ARGS__ }
#define SET_NET(...)	.cmd = VHOST_DOORBELL_SET_NET, .net = {		\
	.num_pairs = 1, __VA_ARGS__ }
#define SET_PORT(...)	.cmd = VHOST_DOORBELL_SET_NET_PORT, .port = {	\
	.fd = -1, __VA_ARGS__ }
#define SET_DEV(...)	.cmd = VHOST_DOORBELL_SET_NET_DEV, .netdev = {	\
	.name = "card%d", __VA_ARGS__ }
#define NET_STATS(...)	.cmd = VHOST_DOORBELL_GET_NET_STATS, .net_stats = { \
	__VA_ARGS__ }

/* Errors about flags and reserved fields, in any state of the device */
static const struct row net_always[] = {
	{ "SET_NET: bad pointer", SET_NET(), .ptr = BAD, .err = EFAULT },
	{ "SET_NET: flags unknown", SET_NET(.flags = 1), .err = EINVAL },
	{ "SET_NET: last flag unknown", SET_NET(.flags = 1U << 31),
	  .err = EINVAL },
	{ "SET_NET: pad not zero", SET_NET(.pad = 1), .err = EINVAL },
	{ "SET_NET: reserved[0] not zero", SET_NET(.reserved = { 1 }),
	  .err = EINVAL },
	{ "SET_NET: reserved[3] not zero",
	  SET_NET(.reserved = { [3] = 1ULL << 63 }), .err = EINVAL },
	{ "SET_NET of another size",
	  .cmd = _IOW(0xBE, 0x0A, struct vhost_doorbell_net_port),
	  .err = ENOTTY },
	{ "SET_NET_PORT: bad pointer", SET_PORT(), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_NET_PORT: reserved[0] not zero",
	  SET_PORT(.reserved = { 1 }), .err = EINVAL },
	{ "SET_NET_PORT: reserved[2] not zero",
	  SET_PORT(.reserved = { [2] = 1ULL << 63 }), .err = EINVAL },
	{ "SET_NET_PORT of another direction",
	  .cmd = _IOR(0xBE, 0x0B, struct vhost_doorbell_net_port),
	  .err = ENOTTY },
	{ "SET_NET_DEV: bad pointer", SET_DEV(), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_NET_DEV: flags unknown", SET_DEV(.flags = 1),
	  .err = EINVAL },
	{ "SET_NET_DEV: pad not zero", SET_DEV(.pad = 1), .err = EINVAL },
	{ "SET_NET_DEV: ifindex not zero", SET_DEV(.ifindex = 1),
	  .err = EINVAL },
	{ "SET_NET_DEV: reserved[0] not zero",
	  SET_DEV(.reserved = { 1 }), .err = EINVAL },
	{ "SET_NET_DEV: reserved[2] not zero",
	  SET_DEV(.reserved = { [2] = 1ULL << 63 }), .err = EINVAL },
	{ "SET_NET_DEV of another direction",
	  .cmd = _IOW(0xBE, 0x0C, struct vhost_doorbell_net_dev),
	  .err = ENOTTY },
	{ "GET_NET_STATS: bad pointer", NET_STATS(), .ptr = BAD,
	  .err = EFAULT },
	{ "GET_NET_STATS: pad not zero", NET_STATS(.pad = 1),
	  .err = EINVAL },
	{ "GET_NET_STATS: reserved[0] not zero",
	  NET_STATS(.reserved = { 1 }), .err = EINVAL },
	{ "GET_NET_STATS: reserved[5] not zero",
	  NET_STATS(.reserved = { [5] = 1ULL << 63 }), .err = EINVAL },
};

static inline int call_row(int dev, const struct row *row)
{
	struct row copy = *row;

	if (ioctl(dev, row->cmd, row->ptr ? row->ptr : &copy.room))
		return errno;
	return 0;
}

static inline void expect(int dev, const char *when, const struct row *row,
			  int err)
{
	int got = call_row(dev, row);

	if (!ok(got == err, "%s: %s", when, row->name))
		diag("%s instead of %s", strerrorname_np(got),
		     strerrorname_np(err));
}

static inline void expect_all(int dev, const char *when, const struct row *row,
			      size_t n)
{
	for (; n--; row++)
		expect(dev, when, row, row->err);
}

#define EXPECT(dev, when, rows)	\
	expect_all(dev, when, rows, sizeof(rows) / sizeof(*(rows)))

#endif
