// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl - each rule that an argument of an ioctl can break, and the error
 *
 * A row is a valid call except for the rule in its name. A call that fails must
 * change nothing, so the device must work after all of them.
 */
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ioctl.h"

/* EDGE: a page with nothing mapped behind it. FROZEN: read-only memory */
#define EDGE	0x30000000UL
#define FROZEN	0x31000000UL

enum {
	FD_READ		= 240,
	FD_WRITE,
	FD_PATH,
	FD_DIRECTORY,
	FD_CHAR,
	FD_PIPE,
	FD_PIPE_END,
	FD_SOCKET,
	FD_TINY,
	FD_SMALL,
	FD_PROC,
	FD_BLOCK4K,		/* a disk of 4096-byte blocks, if there is one */
	FD_CLOSED,
};

#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define PACKED	(1ULL << VIRTIO_F_RING_PACKED)

#define OWNER		.cmd = VHOST_SET_OWNER
#define GET_FEATURES	.cmd = VHOST_GET_FEATURES
#define FEATURES(f)	.cmd = VHOST_SET_FEATURES, .features = (f)
#define STATE(c, i, n)	.cmd = (c), .state = { .index = (i), .num = (n) }
#define SET_NUM(i, n)	STATE(VHOST_SET_VRING_NUM, i, n)
#define SET_BASE(i, n)	STATE(VHOST_SET_VRING_BASE, i, n)
#define GET_BASE(i)	STATE(VHOST_GET_VRING_BASE, i, 0)
#define FILE(c, i, f)	.cmd = (c), .file = { .index = (i), .fd = (f) }
#define SET_KICK(i, f)	FILE(VHOST_SET_VRING_KICK, i, f)
#define SET_CALL(i, f)	FILE(VHOST_SET_VRING_CALL, i, f)
#define SET_ERR(i, f)	FILE(VHOST_SET_VRING_ERR, i, f)
#define SET_ADDR(...)	.cmd = VHOST_SET_VRING_ADDR, .addr = {		\
	.desc_user_addr = DESC(0), .avail_user_addr = AVAIL(0),		\
	.used_user_addr = USED(0), __VA_ARGS__ }
#define SET_BLK(...)	.cmd = VHOST_DOORBELL_SET_BLK, .blk = {		\
	.fd = FD_DISK, .num_queues = QUEUES, __VA_ARGS__ }
#define GET_CONFIG(...)	.cmd = VHOST_DOORBELL_GET_CONFIG, .config = {	\
	.size = 8, __VA_ARGS__ }
#define RESIZE		.cmd = VHOST_DOORBELL_RESIZE
#define SET_CONFIG	.cmd = VHOST_DOORBELL_SET_CONFIG, .config = { .size = 8 }
#define GET_EXEC	.cmd = VHOST_DOORBELL_GET_EXEC
#define SET_EXEC(...)	.cmd = VHOST_DOORBELL_SET_EXEC, .exec = { __VA_ARGS__ }
#define SET_RUN(...)	.cmd = VHOST_DOORBELL_SET_RUN, .run = {		\
	.run = 1, __VA_ARGS__ }
#define GET_STATS(...)	.cmd = VHOST_DOORBELL_GET_STATS, .stats = { __VA_ARGS__ }
#define GET_HIST(...)	.cmd = VHOST_DOORBELL_GET_HIST, .hist = { __VA_ARGS__ }
#define GET_ERRORS(...)	.cmd = VHOST_DOORBELL_GET_ERRORS, .errors = {	\
	__VA_ARGS__ }
#define GET_MEM_STATS	.cmd = VHOST_DOORBELL_GET_MEM_STATS
#define GET_INFO	.cmd = VHOST_DOORBELL_GET_INFO
#define REGION(g, s, u)	{ .guest_phys_addr = (g), .memory_size = (s),	\
	.userspace_addr = (u) }
#define TABLE(n, ...)	.cmd = VHOST_SET_MEM_TABLE, .table = {		\
	.nregions = (n), .r = { __VA_ARGS__ } }
#define WHOLE		REGION(GPA, MEM_LEN, MEM)

/* Calls that change a device, for its owner only */
static const struct row owners[] = {
	{ "SET_BLK",		SET_BLK() },
	{ "SET_NET",		SET_NET() },
	{ "SET_NET_PORT",	SET_PORT() },
	{ "SET_NET_DEV",	SET_DEV() },
	{ "RESIZE",		RESIZE },
	{ "SET_MEM_TABLE",	TABLE(1, WHOLE) },
	{ "SET_FEATURES",	FEATURES(V1) },
	{ "SET_VRING_NUM",	SET_NUM(0, NUM) },
	{ "SET_VRING_ADDR",	SET_ADDR() },
	{ "SET_VRING_BASE",	SET_BASE(0, 0) },
	{ "GET_VRING_BASE",	GET_BASE(0) },
	{ "SET_VRING_KICK",	SET_KICK(0, FD_KICK) },
	{ "SET_VRING_CALL",	SET_CALL(0, FD_CALL) },
	{ "SET_VRING_ERR",	SET_ERR(0, FD_ERR) },
	{ "SET_INFLIGHT",	SET_INFLIGHT() },
	{ "SET_RUN",		SET_RUN() },
	{ "SET_RUN: stop",	SET_RUN(.run = 0) },
};

/*
 * Calls that any process with the device open may make. The device needs a back end
 * for those from GET_FEATURES on.
 */
static const struct row anyone[] = {
	{ "GET_INFO",		GET_INFO },
	{ "SET_EXEC",		SET_EXEC() },
	{ "GET_EXEC",		GET_EXEC },
	{ "GET_MEM_STATS",	GET_MEM_STATS },
	{ "GET_FEATURES",	GET_FEATURES },
	{ "GET_CONFIG",		GET_CONFIG() },
	{ "GET_STATS",		GET_STATS() },
	{ "GET_HIST",		GET_HIST() },
	{ "GET_HIST of the last kind of a disk",
	  GET_HIST(.kind = VHOST_DOORBELL_KIND_OTHER) },
	{ "GET_ERRORS",		GET_ERRORS() },
};

/* Errors in any state of the device */
static const struct row always[] = {
	{ "SET_INFLIGHT: bad pointer", SET_INFLIGHT(), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_INFLIGHT: pad not zero", SET_INFLIGHT(.pad = 1), .err = EINVAL },
	{ "SET_INFLIGHT: reserved[2] not zero",
	  SET_INFLIGHT(.reserved = { [2] = 1ULL << 63 }), .err = EINVAL },
	{ "SET_INFLIGHT: not aligned", SET_INFLIGHT(.user_addr = MEM + 4),
	  .err = EINVAL },
	{ "SET_INFLIGHT: address without size", SET_INFLIGHT(.size = 0),
	  .err = EINVAL },
	{ "SET_INFLIGHT: size without address", SET_INFLIGHT(.user_addr = 0),
	  .err = EINVAL },
	{ "unknown number", .cmd = _IOR(0xBE, 0x7f, __u64), .err = ENOTTY },
	{ "unknown number without argument", .cmd = _IO(0xBE, 0x7f),
	  .err = ENOTTY },
	{ "another magic", .cmd = _IOR(0xBF, 0, struct vhost_doorbell_info),
	  .err = ENOTTY },
	{ "GET_INFO of another size",
	  .cmd = _IOR(0xBE, 0, struct vhost_doorbell_exec), .err = ENOTTY },
	{ "GET_INFO of another direction",
	  .cmd = _IOW(0xBE, 0, struct vhost_doorbell_info), .err = ENOTTY },
	{ "SET_BLK of another size",
	  .cmd = _IOW(0xBE, 1, struct vhost_doorbell_info), .err = ENOTTY },
	{ "SET_RUN of size 0", .cmd = _IO(0xBE, 6), .err = ENOTTY },
	{ "an argument of 16 KiB", .cmd = _IOC(_IOC_WRITE, 0xBE, 1, 16383),
	  .err = ENOTTY },
	{ "an argument one byte longer than the longest",
	  .cmd = _IOC(_IOC_WRITE, 0xBE, 3,
		      sizeof(struct vhost_doorbell_hist) + 1), .err = ENOTTY },
	{ "VHOST_RESET_OWNER", .cmd = VHOST_RESET_OWNER, .err = ENOTTY },
	{ "VHOST_SET_LOG_BASE", .cmd = VHOST_SET_LOG_BASE, .err = ENOTTY },
	{ "VHOST_SET_LOG_FD", .cmd = VHOST_SET_LOG_FD, .err = ENOTTY },
	{ "VHOST_SET_VRING_ENDIAN", .cmd = VHOST_SET_VRING_ENDIAN,
	  .err = ENOTTY },
	{ "VHOST_SET_VRING_BUSYLOOP_TIMEOUT",
	  .cmd = VHOST_SET_VRING_BUSYLOOP_TIMEOUT, .err = ENOTTY },
	{ "VHOST_GET_BACKEND_FEATURES", .cmd = VHOST_GET_BACKEND_FEATURES,
	  .err = ENOTTY },
	{ "VHOST_SET_BACKEND_FEATURES", .cmd = VHOST_SET_BACKEND_FEATURES,
	  .err = ENOTTY },
	{ "VHOST_NET_SET_BACKEND", .cmd = VHOST_NET_SET_BACKEND,
	  .err = ENOTTY },

	{ "SET_CONFIG: a field that cannot be written", SET_CONFIG, .err = EPERM },

	{ "GET_INFO: bad pointer", GET_INFO, .ptr = BAD, .err = EFAULT },
	{ "GET_EXEC: bad pointer", GET_EXEC, .ptr = BAD, .err = EFAULT },
	{ "GET_MEM_STATS: bad pointer", GET_MEM_STATS, .ptr = BAD,
	  .err = EFAULT },
	{ "RESIZE of another direction", .cmd = _IOW(0xBE, 9, __u64),
	  .err = ENOTTY },
	{ "SET_FEATURES: bad pointer", FEATURES(V1), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_MEM_TABLE: bad pointer", TABLE(1, WHOLE), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_NUM: bad pointer", SET_NUM(0, 0), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_ADDR: bad pointer", SET_ADDR(), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_BASE: bad pointer", SET_BASE(0, 0), .ptr = BAD,
	  .err = EFAULT },
	{ "GET_VRING_BASE: bad pointer", GET_BASE(0), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_KICK: bad pointer", SET_KICK(0, 0), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_CALL: bad pointer", SET_CALL(0, 0), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_ERR: bad pointer", SET_ERR(0, 0), .ptr = BAD,
	  .err = EFAULT },
	{ "SET_BLK: bad pointer", SET_BLK(), .ptr = BAD, .err = EFAULT },
	{ "GET_CONFIG: bad pointer", GET_CONFIG(), .ptr = BAD, .err = EFAULT },
	{ "SET_CONFIG: bad pointer", SET_CONFIG, .ptr = BAD, .err = EFAULT },
	{ "SET_EXEC: bad pointer", SET_EXEC(), .ptr = BAD, .err = EFAULT },
	{ "SET_RUN: bad pointer", SET_RUN(), .ptr = BAD, .err = EFAULT },
	{ "GET_STATS: bad pointer", GET_STATS(), .ptr = BAD, .err = EFAULT },
	{ "GET_HIST: bad pointer", GET_HIST(), .ptr = BAD, .err = EFAULT },
	{ "GET_HIST of another size",
	  .cmd = _IOWR(0xBE, 0x0E, struct vhost_doorbell_errors),
	  .err = ENOTTY },
	{ "GET_HIST of another direction",
	  .cmd = _IOR(0xBE, 0x0E, struct vhost_doorbell_hist), .err = ENOTTY },
	{ "GET_HIST: reserved[0] not zero", GET_HIST(.reserved = { 1 }),
	  .err = EINVAL },
	{ "GET_HIST: reserved[3] not zero",
	  GET_HIST(.reserved = { [3] = 1ULL << 63 }), .err = EINVAL },
	{ "GET_ERRORS: bad pointer", GET_ERRORS(), .ptr = BAD, .err = EFAULT },
	{ "GET_ERRORS of another size",
	  .cmd = _IOWR(0xBE, 0x0F, struct vhost_doorbell_hist),
	  .err = ENOTTY },
	{ "GET_ERRORS: pad not zero", GET_ERRORS(.pad = 1), .err = EINVAL },
	{ "GET_ERRORS: reserved[0] not zero", GET_ERRORS(.reserved = { 1 }),
	  .err = EINVAL },
	{ "GET_ERRORS: reserved[5] not zero",
	  GET_ERRORS(.reserved = { [5] = 1ULL << 63 }), .err = EINVAL },
	{ "SET_BLK: half of it mapped", SET_BLK(),
	  .ptr = (void *)(EDGE + PAGE - 40), .err = EFAULT },
	{ "SET_MEM_TABLE: only its head mapped", TABLE(1, WHOLE),
	  .ptr = (void *)(EDGE + PAGE - 8), .err = EFAULT },
	{ "SET_MEM_TABLE: no pointer", TABLE(1, WHOLE), .ptr = (void *)8,
	  .err = EFAULT },

	{ "SET_BLK: flags unknown", SET_BLK(.flags = 1U << 9), .err = EINVAL },
	{ "SET_BLK: last flag unknown", SET_BLK(.flags = 1U << 31),
	  .err = EINVAL },
	{ "SET_BLK: pad not zero", SET_BLK(.pad = 1), .err = EINVAL },
	{ "SET_BLK: reserved[0] not zero", SET_BLK(.reserved = { 1 }),
	  .err = EINVAL },
	{ "SET_BLK: reserved[1] not zero", SET_BLK(.reserved = { 0, 1 }),
	  .err = EINVAL },
	{ "SET_BLK: reserved[2] not zero",
	  SET_BLK(.reserved = { [2] = 1ULL << 63 }), .err = EINVAL },
	{ "SET_BLK: pad2 not zero", SET_BLK(.pad2 = 1), .err = EINVAL },
	{ "SET_BLK: wear without its flag", SET_BLK(.pre_eol_info = 1),
	  .err = EINVAL },
	{ "SET_BLK: wear of type A without its flag",
	  SET_BLK(.lifetime_est_typ_a = 1), .err = EINVAL },
	{ "SET_BLK: wear of type B without its flag",
	  SET_BLK(.lifetime_est_typ_b = 1), .err = EINVAL },
	{ "SET_BLK: no queue", SET_BLK(.num_queues = 0), .err = EINVAL },
	{ "SET_BLK: one queue too many",
	  SET_BLK(.num_queues = VHOST_DOORBELL_MAX_QUEUES + 1), .err = EINVAL },
	{ "SET_BLK: 2^32 - 1 queues", SET_BLK(.num_queues = -1U),
	  .err = EINVAL },
	{ "SET_EXEC: unknown mode", SET_EXEC(.mode = 4), .err = EINVAL },
	{ "SET_EXEC: last mode", SET_EXEC(.mode = -1U), .err = EINVAL },
	{ "SET_EXEC: inline_max too high", SET_EXEC(.inline_max = 65536),
	  .err = EINVAL },
	{ "SET_EXEC: budget too high", SET_EXEC(.budget = 65536),
	  .err = EINVAL },
	{ "SET_EXEC: pad not zero", SET_EXEC(.pad = 1), .err = EINVAL },
	{ "SET_EXEC: poll_us too high", SET_EXEC(.poll_us = 10001),
	  .err = EINVAL },
	{ "SET_EXEC: poll_share above all", SET_EXEC(.poll_share = 101),
	  .err = EINVAL },
	{ "SET_EXEC: coalesce_us too high", SET_EXEC(.coalesce_us = 10001),
	  .err = EINVAL },
	{ "SET_EXEC: coalesce_count too high",
	  SET_EXEC(.coalesce_count = 65536), .err = EINVAL },
	{ "SET_EXEC: reserved not zero", SET_EXEC(.reserved = { 0, 1ULL << 63 }),
	  .err = EINVAL },
	{ "SET_RUN: run is 2", SET_RUN(.run = 2), .err = EINVAL },
	{ "SET_RUN: run is 2^31", SET_RUN(.run = 1U << 31), .err = EINVAL },
	{ "SET_RUN: reserved not zero", SET_RUN(.reserved = 1U << 31),
	  .err = EINVAL },
	{ "SET_RUN: reserved not zero, to stop",
	  SET_RUN(.run = 0, .reserved = 1), .err = EINVAL },
	{ "SET_RUN: unknown flag", SET_RUN(.run = 0, .flags = 1U << 1),
	  .err = EINVAL },
	{ "SET_RUN: unknown flag, the last", SET_RUN(.run = 0, .flags = 1U << 31),
	  .err = EINVAL },
	{ "SET_RUN: a flag of the stop, to start",
	  SET_RUN(.flags = VHOST_DOORBELL_RUN_F_END_HELD), .err = EINVAL },
	{ "GET_STATS: reserved[0] not zero", GET_STATS(.reserved = { 1 }),
	  .err = EINVAL },
	{ "GET_STATS: reserved[2] not zero", GET_STATS(.reserved = { [2] = 1 }),
	  .err = EINVAL },

	{ "SET_MEM_TABLE: padding not zero", TABLE(1, WHOLE),
	  .table.padding = 1, .err = EOPNOTSUPP },
	{ "SET_MEM_TABLE: 513 regions", TABLE(513, WHOLE), .err = E2BIG },
	{ "SET_MEM_TABLE: 2^32 - 1 regions", TABLE(-1U, WHOLE), .err = E2BIG },
};

/* Errors with an owner. A bad table is refused even if no queue needs it. */
static const struct row owned[] = {
	{ "SET_OWNER: there is one", OWNER, .err = EBUSY },
	{ "SET_MEM_TABLE: empty region", TABLE(1, REGION(GPA, 0, MEM)),
	  .err = EINVAL },
	{ "SET_MEM_TABLE: guest address not aligned",
	  TABLE(1, REGION(GPA + 512, MEM_LEN, MEM)), .err = EINVAL },
	{ "SET_MEM_TABLE: begins where another ends within a page",
	  TABLE(2, REGION(GPA, PAGE + 512, MEM),
		REGION(GPA + PAGE + 512, PAGE, MEM + 4 * PAGE)), .err = EINVAL },
	{ "SET_MEM_TABLE: user address not aligned",
	  TABLE(1, REGION(GPA, PAGE, MEM + 512)), .err = EINVAL },
	{ "SET_MEM_TABLE: the same region twice", TABLE(2, WHOLE, WHOLE),
	  .err = EINVAL },
	{ "SET_MEM_TABLE: regions overlap by a page",
	  TABLE(2, REGION(GPA + PAGE, PAGE, MEM),
		REGION(GPA, 2 * PAGE, MEM + 4 * PAGE)), .err = EINVAL },
	{ "SET_MEM_TABLE: a region within another",
	  TABLE(2, WHOLE, REGION(GPA + 4 * PAGE, PAGE, MEM)), .err = EINVAL },
	{ "SET_MEM_TABLE: the third overlaps the first",
	  TABLE(3, REGION(GPA, 4 * PAGE, MEM), REGION(GPA + 8 * PAGE, PAGE, MEM),
		REGION(GPA + 3 * PAGE, PAGE, MEM)), .err = EINVAL },
	{ "SET_MEM_TABLE: guest addresses wrap",
	  TABLE(1, REGION(-PAGE, 2 * PAGE, MEM)), .err = EINVAL },
	{ "SET_MEM_TABLE: user addresses wrap",
	  TABLE(1, REGION(GPA, 2 * PAGE, -PAGE)), .err = EINVAL },
	{ "SET_MEM_TABLE: size wraps", TABLE(1, REGION(GPA, -PAGE, MEM)),
	  .err = EINVAL },
	{ "SET_MEM_TABLE: kernel memory",
	  TABLE(1, REGION(GPA, PAGE, 0xffff888000000000UL)), .err = EINVAL },
	{ "SET_MEM_TABLE: beyond user space",
	  /* Beyond user space with 4 and with 5 levels of page tables */
	  TABLE(1, REGION(GPA, 1ULL << 57, 0x7fffff000000UL)), .err = EINVAL },
	{ "SET_MEM_TABLE: flags_padding not zero",
	  TABLE(1, { GPA, MEM_LEN, MEM, 1 }), .err = EINVAL },
	{ "SET_MEM_TABLE: flags_padding of the second not zero",
	  TABLE(2, REGION(0, PAGE, MEM), { GPA, MEM_LEN, MEM, 1ULL << 63 }),
	  .err = EINVAL },
	{ "SET_MEM_TABLE: not mapped", TABLE(1, REGION(GPA, PAGE, NOWHERE)),
	  .err = EFAULT },
	{ "SET_MEM_TABLE: the second is not mapped",
	  TABLE(2, WHOLE, REGION(0, PAGE, NOWHERE)), .err = EFAULT },
	{ "SET_MEM_TABLE: not writable", TABLE(1, REGION(GPA, PAGE, FROZEN)),
	  .err = EFAULT },
};

/* Errors with an owner and without a back end */
static const struct row backless[] = {
	{ "GET_FEATURES", GET_FEATURES, .err = ENXIO },
	{ "SET_FEATURES", FEATURES(V1), .err = ENXIO },
	{ "SET_VRING_NUM", SET_NUM(0, NUM), .err = ENXIO },
	{ "SET_VRING_ADDR", SET_ADDR(), .err = ENXIO },
	{ "SET_VRING_BASE", SET_BASE(0, 0), .err = ENXIO },
	{ "GET_VRING_BASE", GET_BASE(0), .err = ENXIO },
	{ "SET_VRING_KICK", SET_KICK(0, FD_KICK), .err = ENXIO },
	{ "SET_VRING_CALL", SET_CALL(0, FD_CALL), .err = ENXIO },
	{ "SET_VRING_ERR", SET_ERR(0, FD_ERR), .err = ENXIO },
	{ "SET_RUN", SET_RUN(), .err = ENXIO },
	{ "SET_RUN: stop", SET_RUN(.run = 0), .err = ENXIO },
	{ "GET_CONFIG", GET_CONFIG(), .err = ENXIO },
	{ "RESIZE", RESIZE, .err = ENXIO },
	{ "GET_STATS", GET_STATS(), .err = ENXIO },
	{ "GET_HIST", GET_HIST(), .err = ENXIO },
	{ "GET_ERRORS", GET_ERRORS(), .err = ENXIO },

	{ "SET_NET_PORT", SET_PORT(), .err = ENXIO },
	{ "SET_NET_DEV", SET_DEV(), .err = ENXIO },
	{ "GET_NET_STATS", NET_STATS(), .err = ENXIO },
	{ "SET_NET: no pair", SET_NET(.num_pairs = 0), .err = EINVAL },
	{ "SET_NET: one pair too many",
	  SET_NET(.num_pairs = VHOST_DOORBELL_MAX_PAIRS + 1), .err = EINVAL },
	{ "SET_NET: 2^31 pairs", SET_NET(.num_pairs = 1U << 31),
	  .err = EINVAL },
	{ "SET_NET: mtu of one byte", SET_NET(.mtu = 1), .err = EINVAL },
	{ "SET_NET: mtu too low", SET_NET(.mtu = 67), .err = EINVAL },
	{ "SET_NET: mtu too high", SET_NET(.mtu = 65536), .err = EINVAL },
	{ "SET_NET: mtu of 2^32 - 1", SET_NET(.mtu = -1U), .err = EINVAL },

	{ "SET_BLK: fd is -1", SET_BLK(.fd = -1), .err = EBADF },
	{ "SET_BLK: fd is not open", SET_BLK(.fd = FD_CLOSED), .err = EBADF },
	{ "SET_BLK: fd is O_PATH", SET_BLK(.fd = FD_PATH), .err = EBADF },
	{ "SET_BLK: fd is for writing only", SET_BLK(.fd = FD_WRITE),
	  .err = EACCES },
	{ "SET_BLK: a directory", SET_BLK(.fd = FD_DIRECTORY), .err = EINVAL },
	{ "SET_BLK: a character device", SET_BLK(.fd = FD_CHAR),
	  .err = EINVAL },
	{ "SET_BLK: a pipe", SET_BLK(.fd = FD_PIPE), .err = EINVAL },
	{ "SET_BLK: a socket", SET_BLK(.fd = FD_SOCKET), .err = EINVAL },
	{ "SET_BLK: an eventfd", SET_BLK(.fd = FD_KICK), .err = EINVAL },
	{ "SET_BLK: a file without asynchronous reads", SET_BLK(.fd = FD_PROC),
	  .err = EOPNOTSUPP },
	{ "SET_BLK: a file of 511 bytes", SET_BLK(.fd = FD_TINY),
	  .err = ENOSPC },
	{ "SET_BLK: less than one block",
	  SET_BLK(.fd = FD_SMALL, .blk_size = 4096), .err = ENOSPC },
	{ "SET_BLK: seg_max too high", SET_BLK(.seg_max = 1023),
	  .err = EINVAL },
	{ "SET_BLK: more than 16 MiB in a request",
	  SET_BLK(.seg_max = 128, .size_max = (128 << 10) + 4096),
	  .err = EINVAL },
	{ "SET_BLK: seg_max of 2^32 - 1", SET_BLK(.seg_max = -1U),
	  .err = EINVAL },
	{ "SET_BLK: size_max of one byte", SET_BLK(.size_max = 1),
	  .err = EINVAL },
	{ "SET_BLK: size_max below a page", SET_BLK(.size_max = 4095),
	  .err = EINVAL },
	{ "SET_BLK: blk_size below 512", SET_BLK(.blk_size = 256),
	  .err = EINVAL },
	{ "SET_BLK: blk_size no power of 2", SET_BLK(.blk_size = 1536),
	  .err = EINVAL },
	{ "SET_BLK: blk_size above 4096", SET_BLK(.blk_size = 8192),
	  .err = EINVAL },
	{ "SET_BLK: blk_size of 2^31", SET_BLK(.blk_size = 1U << 31),
	  .err = EINVAL },
};

/* Errors with an owner and a back end, whether queues run or not */
static const struct row backed[] = {
	{ "SET_BLK: there is one", SET_BLK(), .err = EBUSY },
	{ "SET_NET: it is a disk", SET_NET(), .err = EBUSY },
	{ "SET_NET: no card either, of a disk", SET_NET(.num_pairs = 0),
	  .err = EBUSY },
	{ "SET_NET_PORT: it is a disk", SET_PORT(), .err = ENXIO },
	{ "SET_NET_PORT: it is a disk, whatever the pair",
	  SET_PORT(.pair = -1U), .err = ENXIO },
	{ "SET_NET_DEV: it is a disk", SET_DEV(), .err = ENXIO },
	{ "GET_NET_STATS: it is a disk", NET_STATS(), .err = ENXIO },
	{ "GET_FEATURES: bad pointer", GET_FEATURES, .ptr = BAD,
	  .err = EFAULT },
	{ "SET_VRING_NUM: queue past the last", SET_NUM(QUEUES, NUM),
	  .err = ENOBUFS },
	{ "SET_VRING_NUM: queue 2^32 - 1", SET_NUM(-1U, NUM), .err = ENOBUFS },
	{ "SET_VRING_ADDR: queue past the last", SET_ADDR(.index = QUEUES),
	  .err = ENOBUFS },
	{ "SET_VRING_BASE: queue past the last", SET_BASE(QUEUES, 0),
	  .err = ENOBUFS },
	{ "GET_VRING_BASE: queue past the last", GET_BASE(QUEUES),
	  .err = ENOBUFS },
	{ "SET_VRING_KICK: queue past the last", SET_KICK(QUEUES, FD_KICK),
	  .err = ENOBUFS },
	{ "SET_VRING_CALL: queue past the last", SET_CALL(QUEUES, FD_CALL),
	  .err = ENOBUFS },
	{ "SET_VRING_ERR: queue past the last", SET_ERR(QUEUES, FD_ERR),
	  .err = ENOBUFS },
	{ "SET_RUN: queue past the last", SET_RUN(.index = QUEUES),
	  .err = ENOBUFS },
	{ "SET_RUN: stop the queue past the last",
	  SET_RUN(.index = QUEUES, .run = 0), .err = ENOBUFS },
	{ "SET_RUN: queue 2^31", SET_RUN(.index = 1U << 31), .err = ENOBUFS },
	{ "GET_STATS: queue past the last", GET_STATS(.index = QUEUES),
	  .err = ENOBUFS },
	{ "GET_HIST: queue past the last", GET_HIST(.index = QUEUES),
	  .err = ENOBUFS },
	{ "GET_HIST: queue 2^32 - 1", GET_HIST(.index = -1U),
	  .err = ENOBUFS },
	{ "GET_HIST: frames of a disk",
	  GET_HIST(.kind = VHOST_DOORBELL_KIND_FRAME), .err = EINVAL },
	{ "GET_HIST: unknown kind", GET_HIST(.kind = VHOST_DOORBELL_KINDS),
	  .err = EINVAL },
	{ "GET_HIST: kind 2^32 - 1", GET_HIST(.kind = -1U), .err = EINVAL },
	{ "GET_ERRORS: queue past the last", GET_ERRORS(.index = QUEUES),
	  .err = ENOBUFS },
	{ "GET_ERRORS: queue 2^32 - 1", GET_ERRORS(.index = -1U),
	  .err = ENOBUFS },
	{ "GET_STATS: queue 2^32 - 1", GET_STATS(.index = -1U),
	  .err = ENOBUFS },
	{ "SET_VRING_CALL: fd is not open", SET_CALL(0, FD_CLOSED),
	  .err = EBADF },
	{ "SET_VRING_CALL: fd is -2", SET_CALL(0, -2), .err = EBADF },
	{ "SET_VRING_CALL: a pipe", SET_CALL(0, FD_PIPE), .err = EINVAL },
	{ "SET_VRING_ERR: fd is not open", SET_ERR(0, FD_CLOSED),
	  .err = EBADF },
	{ "SET_VRING_ERR: fd is -2", SET_ERR(0, -2), .err = EBADF },
	{ "SET_VRING_ERR: a file", SET_ERR(0, FD_DISK), .err = EINVAL },
	{ "RESIZE: bad pointer", RESIZE, .ptr = BAD, .err = EFAULT },
	{ "GET_CONFIG: no byte", GET_CONFIG(.size = 0), .err = EINVAL },
	{ "GET_CONFIG: too much", GET_CONFIG(.size = 257), .err = EINVAL },
	{ "GET_CONFIG: behind the end", GET_CONFIG(.offset = 256, .size = 1),
	  .err = EINVAL },
	{ "GET_CONFIG: across the end", GET_CONFIG(.offset = 255, .size = 2),
	  .err = EINVAL },
	{ "GET_CONFIG: offset and size wrap",
	  GET_CONFIG(.offset = -1U, .size = 2), .err = EINVAL },
	{ "GET_CONFIG: size wraps", GET_CONFIG(.offset = 2, .size = -1U),
	  .err = EINVAL },
};

/* Errors while no queue runs */
static const struct row stopped[] = {
	{ "SET_FEATURES: packed rings for a legacy driver", FEATURES(PACKED),
	  .err = EOPNOTSUPP },
	{ "SET_VRING_NUM: no entry", SET_NUM(0, 0), .err = EINVAL },
	{ "SET_VRING_NUM: no power of 2", SET_NUM(0, 3), .err = EINVAL },
	{ "SET_VRING_NUM: too many",
	  SET_NUM(0, VHOST_DOORBELL_MAX_QUEUE_SIZE * 2), .err = EINVAL },
	{ "SET_VRING_NUM: 2^31", SET_NUM(0, 1U << 31), .err = EINVAL },
	{ "SET_VRING_BASE: beyond 16 bits", SET_BASE(0, 65536),
	  .err = EINVAL },
	{ "SET_VRING_BASE: wrap bits of a packed ring",
	  SET_BASE(0, 1U << 31), .err = EINVAL },
	{ "SET_VRING_ADDR: flags not zero",
	  SET_ADDR(.flags = 1U << VHOST_VRING_F_LOG), .err = EOPNOTSUPP },
	{ "SET_VRING_ADDR: last flag", SET_ADDR(.flags = 1U << 31),
	  .err = EOPNOTSUPP },
	{ "SET_VRING_ADDR: descriptors not aligned",
	  SET_ADDR(.desc_user_addr = DESC(0) + 8), .err = EINVAL },
	{ "SET_VRING_ADDR: available ring not aligned",
	  SET_ADDR(.avail_user_addr = AVAIL(0) + 1), .err = EINVAL },
	{ "SET_VRING_ADDR: used ring not aligned",
	  SET_ADDR(.used_user_addr = USED(0) + 2), .err = EINVAL },
	{ "SET_VRING_KICK: fd is not open", SET_KICK(0, FD_CLOSED),
	  .err = EBADF },
	{ "SET_VRING_KICK: fd is -2", SET_KICK(0, -2), .err = EBADF },
	{ "SET_VRING_KICK: a pipe", SET_KICK(0, FD_PIPE), .err = EINVAL },
	{ "SET_VRING_KICK: a file", SET_KICK(0, FD_DISK), .err = EINVAL },
};

/* Errors while no queue runs and packed rings are negotiated */
static const struct row packed[] = {
	{ "SET_FEATURES: packed rings for a legacy driver", FEATURES(PACKED),
	  .err = EOPNOTSUPP },
	{ "SET_VRING_NUM: no entry", SET_NUM(0, 0), .err = EINVAL },
	{ "SET_VRING_NUM: too many",
	  SET_NUM(0, VHOST_DOORBELL_MAX_QUEUE_SIZE + 1), .err = EINVAL },
	{ "SET_VRING_NUM: 2^32 - 1", SET_NUM(0, -1U), .err = EINVAL },
	{ "SET_VRING_NUM: the most",
	  SET_NUM(0, VHOST_DOORBELL_MAX_QUEUE_SIZE), .err = 0 },
	{ "SET_VRING_NUM: one", SET_NUM(0, 1), .err = 0 },
	{ "SET_VRING_NUM: no power of 2", SET_NUM(0, 3), .err = 0 },
	{ "SET_VRING_BASE: beyond the ring, which SET_RUN sees",
	  SET_BASE(0, -1U), .err = 0 },
};

/* Errors while queue 0 runs */
static const struct row running[] = {
	{ "SET_FEATURES", FEATURES(V1), .err = EBUSY },
	{ "SET_VRING_NUM", SET_NUM(0, NUM), .err = EBUSY },
	{ "SET_VRING_ADDR", SET_ADDR(), .err = EBUSY },
	{ "SET_VRING_BASE", SET_BASE(0, 0), .err = EBUSY },
	{ "GET_VRING_BASE", GET_BASE(0), .err = EBUSY },
	{ "SET_VRING_KICK", SET_KICK(0, FD_KICK), .err = EBUSY },
	{ "SET_VRING_KICK: none", SET_KICK(0, -1), .err = EBUSY },
	{ "SET_INFLIGHT", SET_INFLIGHT(), .err = EBUSY },
	{ "SET_RUN", SET_RUN(), .err = EBUSY },
	{ "SET_MEM_TABLE: a ring is outside",
	  TABLE(1, REGION(GPA + PAGE, MEM_LEN - PAGE, MEM + PAGE)),
	  .err = EBUSY },
	{ "SET_MEM_TABLE: the end of a ring is outside",
	  TABLE(1, REGION(GPA, RING(1) + 0x2000, MEM)), .err = EBUSY },
};

/* Calls from a child process, which is not the owner. */
static void expect_in_child(int dev, const char *when)
{
	unsigned int i, wrong = 0;
	int status, err;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	MUST(pid >= 0);
	if (!pid) {
		for (i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
			err = call_row(dev, &owners[i]);
			if (err == EPERM)
				continue;
			diag("%s: %s", owners[i].name, strerrorname_np(err));
			wrong++;
		}
		for (i = 0; i < sizeof(anyone) / sizeof(*anyone); i++) {
			err = call_row(dev, &anyone[i]);
			if (!err)
				continue;
			diag("%s: %s", anyone[i].name, strerrorname_np(err));
			wrong++;
		}
		if (!ioctl(dev, VHOST_SET_OWNER) || errno != EBUSY)
			wrong++;
		fflush(stdout);
		_exit(wrong);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	ok(!status, "%s: another process may ask, and change but how it is served", when);
}

static void works(int dev, const char *when, enum stage from)
{
	dev_advance(dev, from, RUNNING);
	ok(driver_works(0) && driver_works(1),
	   "%s: what failed has changed nothing", when);
}

static void test_open(void)
{
	int dev = dev_new(OPEN);
	unsigned int i;

	EXPECT(dev, "no owner", always);
	EXPECT(dev, "no owner", net_always);
	for (i = 0; i < sizeof(owners) / sizeof(*owners); i++)
		expect(dev, "no owner", &owners[i], EPERM);
	for (i = 0; i < 4; i++)
		expect(dev, "no owner", &anyone[i], 0);
	for (i = 4; i < sizeof(anyone) / sizeof(*anyone); i++)
		expect(dev, "no owner", &anyone[i], ENXIO);
	works(dev, "no owner", OPEN);
	close(dev);
}

static void test_backless(void)
{
	int dev = dev_new(OWNED);

	EXPECT(dev, "no back end", always);
	EXPECT(dev, "no back end", net_always);
	EXPECT(dev, "no back end", owned);
	EXPECT(dev, "no back end", backless);
	if (fcntl(FD_BLOCK4K, F_GETFD) >= 0) {
		static const struct row small = {
			"SET_BLK: blk_size below that of the disk",
			SET_BLK(.fd = FD_BLOCK4K, .blk_size = 512)
		};

		expect(dev, "no back end", &small, EINVAL);
	}
	works(dev, "no back end", OWNED);
	close(dev);
}

/* Feature bits that are not offered, one at a time */
static void check_features(int dev)
{
	bool good = true;
	__u64 offered;
	int i;

	MUST(!ioctl(dev, VHOST_GET_FEATURES, &offered));
	for (i = 0; i < 64; i++) {
		if (offered & 1ULL << i ||
		    (set_features(dev, V1 | 1ULL << i) && errno == EOPNOTSUPP))
			continue;
		diag("feature %d", i);
		good = false;
	}
	ok(good, "SET_FEATURES: takes none that is not offered");
	ok(!set_features(dev, offered), "SET_FEATURES: takes all that are");
	ok(!set_features(dev, 0), "SET_FEATURES: takes none");
	MUST(!set_features(dev, V1));
}

static void test_stopped(void)
{
	int dev = dev_new(READY);

	EXPECT(dev, "stopped", always);
	EXPECT(dev, "stopped", net_always);
	EXPECT(dev, "stopped", owned);
	EXPECT(dev, "stopped", backed);
	EXPECT(dev, "stopped", stopped);
	check_features(dev);
	expect_in_child(dev, "stopped");
	/* Even a call that fails releases the old eventfd. */
	ok(set_run(dev, 0, 1) && errno == ENXIO,
	   "SET_VRING_KICK: a wrong one is none");
	MUST(!set_file(dev, VHOST_SET_VRING_KICK, 0, FD_KICK));
	works(dev, "stopped", READY);
	close(dev);
}

/*
 * Size, base and features are set separately, and must fit together at the
 * start
 */
static void test_packed_start(int dev)
{
	static const struct {
		__u64 features;
		unsigned int num, base;
		int err;
	} rows[] = {
		{ V1 | PACKED, 3, 0x80008000, 0 },
		{ V1 | PACKED, 3, 0x80028002, 0 },
		{ V1 | PACKED, 3, 0x00020001, 0 },
		{ V1 | PACKED, 3, 0x80008003, EINVAL },
		{ V1 | PACKED, 3, 0x80038000, EINVAL },
		{ V1 | PACKED, 3, 0x8000ffff, EINVAL },
		{ V1 | PACKED, 3, 0xffff8000, EINVAL },
		{ V1 | PACKED, 16, 0x800f000f, 0 },
		{ V1 | PACKED, 16, 0x800f0010, EINVAL },
		/* These values were set while packed rings were negotiated */
		{ V1, 3, 0, EINVAL },
		{ V1, 16, 0x80008000, EINVAL },
		{ V1, 16, 0x8000, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vhost_vring_state base = { .index = 0 };
		int err;

		driver_reset();
		MUST(!set_features(dev, V1 | PACKED));
		MUST(!set_state(dev, VHOST_SET_VRING_NUM, 0, rows[i].num));
		MUST(!set_state(dev, VHOST_SET_VRING_BASE, 0, rows[i].base));
		MUST(!set_features(dev, rows[i].features));
		/*
		 * Keep the available index near the base; otherwise the split
		 * ring would break.
		 */
		((struct vring_avail *)AVAIL(0))->idx = rows[i].base;
		if (rows[i].features & PACKED)
			driver_reset();
		err = set_run(dev, 0, 1) ? errno : 0;
		if (!err)
			MUST(!set_run(dev, 0, 0));
		MUST(!ioctl(dev, VHOST_GET_VRING_BASE, &base));
		if (!ok(err == rows[i].err && base.num == rows[i].base,
			"SET_RUN: %s ring of %u at %#x",
			rows[i].features & PACKED ? "packed" : "split",
			rows[i].num, rows[i].base))
			diag("%s, base %#x", strerrorname_np(err), base.num);
	}
}

static void test_packed(void)
{
	int dev = dev_new(READY);

	MUST(!set_features(dev, V1 | PACKED));
	EXPECT(dev, "packed", owned);
	EXPECT(dev, "packed", backed);
	EXPECT(dev, "packed", packed);
	test_packed_start(dev);
	driver_reset();
	MUST(!set_features(dev, V1));
	dev_set_queue(dev, 0);
	works(dev, "packed", READY);
	close(dev);
}

static void test_running(void)
{
	int dev = dev_new(RUNNING);

	EXPECT(dev, "running", always);
	EXPECT(dev, "running", net_always);
	EXPECT(dev, "running", owned);
	EXPECT(dev, "running", backed);
	EXPECT(dev, "running", running);
	expect_in_child(dev, "running");
	ok(driver_works(0) && driver_works(1),
	   "running: what failed has changed nothing");
	MUST(!set_run(dev, 0, 0));
	ok(set_features(dev, V1) && errno == EBUSY,
	   "SET_FEATURES: one queue runs");
	ok(!set_state(dev, VHOST_SET_VRING_NUM, 0, NUM) &&
	   !set_addr(dev, 0) &&
	   !set_file(dev, VHOST_SET_VRING_KICK, 0, FD_KICK),
	   "a stopped queue can be set while another runs");
	ok(!set_run(dev, 0, 0), "SET_RUN: a stopped queue can be stopped");
	MUST(!set_run(dev, 0, 1));
	ok(driver_works(0), "and serves again");
	close(dev);
}

static void open_files(const char *disk)
{
	struct vhost_memory head = { .nregions = 1 };
	char path[] = "/proc/self/fd/201";
	int fds[2];

	MUST(mmap((void *)EDGE, PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	     MAP_FAILED);
	memcpy((void *)(EDGE + PAGE - sizeof(head)), &head, sizeof(head));
	MUST(mmap((void *)FROZEN, PAGE, PROT_READ,
		  MAP_SHARED | MAP_FIXED_NOREPLACE, FD_MEM, 0) != MAP_FAILED);
	fd_at(FD_READ, open(path, O_RDONLY));
	fd_at(FD_WRITE, open(path, O_WRONLY));
	fd_at(FD_PATH, open(path, O_PATH));
	fd_at(FD_DIRECTORY, open("/tmp", O_RDONLY));
	fd_at(FD_CHAR, open("/dev/null", O_RDWR));
	MUST(!pipe(fds));
	fd_at(FD_PIPE, fds[0]);
	fd_at(FD_PIPE_END, fds[1]);
	fd_at(FD_SOCKET, socket(AF_UNIX, SOCK_STREAM, 0));
	fd_at(FD_TINY, memfd_create("tiny", 0));
	MUST(!ftruncate(FD_TINY, 511));
	fd_at(FD_SMALL, memfd_create("small", 0));
	MUST(!ftruncate(FD_SMALL, 1024));
	fd_at(FD_PROC, open("/proc/self/oom_score_adj", O_RDONLY));
	if (disk)
		fd_at(FD_BLOCK4K, open(disk, O_RDWR));
}

int main(int argc, char **argv)
{
	tap_begin(60);
	driver_init();
	open_files(argc > 1 ? argv[1] : NULL);
	test_open();
	test_backless();
	test_stopped();
	test_packed();
	test_running();
	return tap_end();
}
