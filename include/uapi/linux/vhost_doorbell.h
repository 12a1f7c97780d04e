/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * vhost_doorbell.h - user space ABI of /dev/vhost-doorbell
 *
 * One open file is one device. It takes the ioctls of
 * <linux/vhost.h> (VHOST_SET_OWNER, VHOST_GET_FEATURES, VHOST_SET_FEATURES,
 * VHOST_SET_MEM_TABLE, VHOST_SET_VRING_NUM, _ADDR, _BASE, _KICK, _CALL, _ERR,
 * VHOST_GET_VRING_BASE), and those that are defined here.
 *
 * Every structure has a fixed size and the same layout for 32- and 64-bit
 * callers. Unknown flags and reserved fields that are not zero fail with
 * EINVAL. Documentation/uapi.rst lists the order of calls and all errors.
 */
#ifndef _UAPI_LINUX_VHOST_DOORBELL_H
#define _UAPI_LINUX_VHOST_DOORBELL_H

#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/vhost_types.h>

#define VHOST_DOORBELL_ABI_VERSION	1

#define VHOST_DOORBELL_MAX_QUEUES	64
#define VHOST_DOORBELL_MAX_QUEUE_SIZE	32768
#define VHOST_DOORBELL_MAX_REGIONS	512
#define VHOST_DOORBELL_MAX_LOG		(256U << 20)
#define VHOST_DOORBELL_MAX_POLL_US	10000
#define VHOST_DOORBELL_MAX_COALESCE_US	10000

/**
 * enum vhost_doorbell_mode - which context serves a queue
 * @VHOST_DOORBELL_MODE_AUTO: the default. A disk's queue is served inline while
 *	nothing would block and one of these is true: few requests are in flight,
 *	few arrive, or the worker would have to share its CPU; otherwise by the
 *	worker. Frames of a card are served inline, or in the sender's softirq if
 *	they are for the guest; by the worker while each ring brings many and the
 *	worker serves more of them per second
 * @VHOST_DOORBELL_MODE_WORKER: always the queue's kernel thread, the worker
 * @VHOST_DOORBELL_MODE_INLINE: the thread that rings, before it returns to the
 *	guest; the worker only if the thread would block
 * @VHOST_DOORBELL_MODE_POLL: the worker, which polls an empty ring for a while
 *	before it asks the driver for a kick
 */
enum vhost_doorbell_mode {
	VHOST_DOORBELL_MODE_AUTO	= 0,
	VHOST_DOORBELL_MODE_WORKER	= 1,
	VHOST_DOORBELL_MODE_INLINE	= 2,
	VHOST_DOORBELL_MODE_POLL	= 3,
};

/**
 * struct vhost_doorbell_info - limits and modes of this module
 * @abi_version: VHOST_DOORBELL_ABI_VERSION of the module
 * @max_queues: most queues of one device
 * @max_queue_size: most entries of one queue
 * @max_regions: most guest memory regions of one device
 * @modes: bit N set: enum vhost_doorbell_mode value N is supported
 * @device_id: number of this device, unique until the module is unloaded
 * @reserved: zero
 */
struct vhost_doorbell_info {
	__u32 abi_version;
	__u32 max_queues;
	__u32 max_queue_size;
	__u32 max_regions;
	__u64 modes;
	__u64 device_id;
	__u64 reserved[4];
};

/* The guest may not write. A disk opened O_RDONLY and a block device that is set
 * read-only imply this flag.
 */
#define VHOST_DOORBELL_BLK_F_READ_ONLY	(1U << 0)
/* Offer VIRTIO_BLK_F_DISCARD if the disk is writable and supports discard. */
#define VHOST_DOORBELL_BLK_F_DISCARD	(1U << 1)
/* Offer VIRTIO_BLK_F_WRITE_ZEROES if the disk is writable; for a regular file only if
 * its file system supports fallocate().
 */
#define VHOST_DOORBELL_BLK_F_WRITE_ZEROES	(1U << 2)
/* Offer VIRTIO_BLK_F_CONFIG_WCE if the disk is writable: the driver can switch between
 * write-back, which is set at first, and write-through.
 */
#define VHOST_DOORBELL_BLK_F_CONFIG_WCE		(1U << 3)
/* Offer VIRTIO_BLK_F_SECURE_ERASE if the disk is writable and supports it. */
#define VHOST_DOORBELL_BLK_F_SECURE_ERASE	(1U << 4)
/* Offer VIRTIO_BLK_F_ZONED if the disk is host-managed zoned. Then VHOST_SET_FEATURES
 * without that feature fails with EOPNOTSUPP, as the driver would ignore the zones. A
 * zoned disk is offered no discard, write zeroes and secure erase.
 */
#define VHOST_DOORBELL_BLK_F_ZONED		(1U << 5)
/* Offer VIRTIO_BLK_F_LIFETIME, with the values that the caller gives in struct
 * vhost_doorbell_blk.
 */
#define VHOST_DOORBELL_BLK_F_LIFETIME		(1U << 6)
/* The caller vouches that no driver of this block device, or of the one that the file
 * system of this file lies on, waits when it is given a request with REQ_NOWAIT. This is
 * for stacked devices (device-mapper, md, NVMe multipath), which hide the drivers below,
 * and for drivers that say that they may sleep. Without the flag the worker submits to
 * such a device, never the thread that rings. If the flag is wrong that thread waits for
 * the disk, which harms only the caller's own VMM.
 */
#define VHOST_DOORBELL_BLK_F_NOWAIT		(1U << 7)
/* Hold a write, write zeroes or discard for which the disk has no room (ENOSPC,
 * EDQUOT); other requests are served meanwhile. Each second the oldest held request of
 * each queue is submitted again; when it completes, so are all others. Without the flag
 * such a request ends with VIRTIO_BLK_S_IOERR. A held request ends so when held requests
 * would keep too much memory. Without an in-flight region (VHOST_DOORBELL_SET_INFLIGHT) it
 * also ends so when its queue stops, the memory table changes, or the device is adopted or
 * closed; with one only when VHOST_DOORBELL_RUN_F_END_HELD says so. A zoned disk holds no
 * requests.
 */
#define VHOST_DOORBELL_BLK_F_HOLD_NOSPC		(1U << 8)

#define VHOST_DOORBELL_BLK_SERIAL_LEN	20

/**
 * struct vhost_doorbell_blk - make the device a virtio-blk disk
 * @fd: a block device or regular file, opened O_RDWR or, for a read-only disk,
 *	O_RDONLY; the module keeps a reference of its own. EBADF if it is not
 *	open, EINVAL if it is of another kind or opened with O_APPEND, EACCES if
 *	it is opened for writing only
 * @flags: VHOST_DOORBELL_BLK_F_*
 * @num_queues: queues offered to the guest, 1 to VHOST_DOORBELL_MAX_QUEUES
 * @seg_max: data segments per request offered to the guest; 0: 126, else at
 *	most 1022
 * @size_max: bytes per segment offered to the guest, at least PAGE_SIZE. @seg_max x
 *	@size_max may be at most 16 MiB; a request with more data than this product
 *	is served in slices. 0: the largest value up to 131072 that fits
 * @blk_size: logical block size in bytes offered to the guest, a power of 2 from
 *	that of the disk to PAGE_SIZE; 0: that of the disk (512 for a regular file)
 * @serial: disk identity for VIRTIO_BLK_T_GET_ID, padded with NUL
 * @pad: must be zero
 * @pre_eol_info: how many of the reserved blocks are consumed, as eMMC and UFS
 *	report it: 0 unknown, 1 normal, 2 80 %, 3 90 %. Must be zero, as must the
 *	next two fields, without VHOST_DOORBELL_BLK_F_LIFETIME
 * @lifetime_est_typ_a: used lifetime of cells of type A in steps of 10 %, 1 to
 *	11; 0 unknown
 * @lifetime_est_typ_b: the same for cells of type B
 * @pad2: must be zero
 * @reserved: must be zero
 *
 * A disk smaller than one block fails with ENOSPC. A block device in use as swap fails
 * with ETXTBSY, unless the disk is read-only.
 */
struct vhost_doorbell_blk {
	__s32 fd;
	__u32 flags;
	__u32 num_queues;
	__u32 seg_max;
	__u32 size_max;
	__u32 blk_size;
	__u8  serial[VHOST_DOORBELL_BLK_SERIAL_LEN];
	__u32 pad;
	__u16 pre_eol_info;
	__u16 lifetime_est_typ_a;
	__u16 lifetime_est_typ_b;
	__u16 pad2;
	__u64 reserved[3];
};

#define VHOST_DOORBELL_CONFIG_LEN	256

/**
 * struct vhost_doorbell_config - a part of the virtio config space
 * @offset: first byte, below VHOST_DOORBELL_CONFIG_LEN
 * @size: bytes, 1 to VHOST_DOORBELL_CONFIG_LEN - @offset
 * @data: the bytes, in the layout of the virtio spec and little endian; bytes
 *	beyond the end of the device's own config space read as zero
 *
 * Only one field can be written: the byte wce of struct virtio_blk_config, to 0 or 1, of
 * a disk with VHOST_DOORBELL_BLK_F_CONFIG_WCE.
 */
struct vhost_doorbell_config {
	__u32 offset;
	__u32 size;
	__u8  data[VHOST_DOORBELL_CONFIG_LEN];
};

/**
 * struct vhost_doorbell_exec - how the queues are served
 * @mode: an enum vhost_doorbell_mode value; EPERM for VHOST_DOORBELL_MODE_POLL
 *	without CAP_SYS_NICE
 * @inline_max: for auto mode only: a ring may go to the worker when this many requests
 *	are in flight, or when one ring brings this many; 1 to 65535; 0: the default
 *	of 8
 * @budget: requests that one inline pass may submit before it leaves the rest
 *	to the worker, 1 to 65535, of which it uses 1024 at most; 0: the default,
 *	64 for a disk and 256 for a card
 * @pad: must be zero
 * @poll_us: for poll mode only: longest time in microseconds that the worker polls
 *	an empty ring, 1 to VHOST_DOORBELL_MAX_POLL_US; 0: the default of 50. The
 *	worker polls for less time, or not at all, while polling finds nothing
 * @poll_share: for poll mode only: largest part of one CPU's time, in per cent, in
 *	which a worker polls an empty ring, 1 to 100; 0: the default of 50
 * @coalesce_us: interrupt coalescing: microseconds that a signal to the driver
 *	may wait for more completions, at most VHOST_DOORBELL_MAX_COALESCE_US;
 *	0, the default: no signal waits
 * @coalesce_count: completions after which the signal is sent without further
 *	wait, 1 to 65535; 0: the default of 32. It is also sent when nothing more
 *	is in flight, so a driver with one request at a time never waits
 * @reserved: must be zero
 *
 * Any process that has the device open may set them at any time. GET_EXEC returns the values in
 * use: a 0 that selected a default is replaced by the default.
 */
struct vhost_doorbell_exec {
	__u32 mode;
	__u32 inline_max;
	__u32 budget;
	__u32 pad;
	__u32 poll_us;
	__u32 poll_share;
	__u32 coalesce_us;
	__u32 coalesce_count;
	__u64 reserved[2];
};

/* End requests that wait for a full disk (VHOST_DOORBELL_BLK_F_HOLD_NOSPC) with
 * VIRTIO_BLK_S_IOERR, in place of keeping them in the in-flight region
 * (VHOST_DOORBELL_SET_INFLIGHT); and serve first what the region has. For a guest that may
 * go on elsewhere, where the region does not go.
 */
#define VHOST_DOORBELL_RUN_F_END_HELD		(1U << 0)

/**
 * struct vhost_doorbell_run - start or stop one queue
 * @index: queue number, below the back end's number of queues
 * @run: 1 starts the queue, 0 stops it
 * @flags: zero, or to stop VHOST_DOORBELL_RUN_F_END_HELD
 * @reserved: must be zero
 *
 * Before the start these must be set: owner, back end, features, memory table, and the
 * queue's size, addresses and kick eventfd; otherwise ENXIO. EBUSY if the queue runs.
 * Requests already in the ring are served at once.
 *
 * The stop returns when every request taken from the ring has been put into the used
 * ring; then VHOST_GET_VRING_BASE returns where the next start is to begin. A fatal
 * signal ends the wait with EINTR, and the queue runs on. Stopping a queue that does not
 * run does nothing.
 */
struct vhost_doorbell_run {
	__u32 index;
	__u32 run;
	__u32 flags;
	__u32 reserved;
};

/* State of a queue, in struct vhost_doorbell_stats. */
#define VHOST_DOORBELL_QUEUE_RUNNING	(1U << 0)
/* The guest broke the rules of the ring. The queue is served again after a stop and
 * start.
 */
#define VHOST_DOORBELL_QUEUE_BROKEN	(1U << 1)
/* No longer set: the device keeps its kick eventfds open. */
#define VHOST_DOORBELL_QUEUE_HUNGUP	(1U << 2)
/* No longer set: the device keeps the address space of an owner that has died. */
#define VHOST_DOORBELL_QUEUE_PARKED	(1U << 3)

/**
 * struct vhost_doorbell_stats - counters of one queue
 * @index: in: queue number, below the back end's number of queues
 * @state: VHOST_DOORBELL_QUEUE_*
 * @size: entries of the ring
 * @in_flight: requests taken and not yet put into the used ring
 * @kicks: writes to the kick eventfd that called the module's hook
 * @inline_passes: passes over the ring in a ringing thread
 * @worker_passes: passes over the ring in the worker
 * @punts: requests or passes handed from a ringing thread to the worker
 * @requests: requests taken from the available ring
 * @bytes_read: bytes of data the guest got from the disk
 * @bytes_written: bytes of data the disk got from the guest
 * @errors: requests completed with a status other than VIRTIO_BLK_S_OK
 * @broken: times the queue was broken by a bad ring
 * @signals: times the call eventfd was signalled
 * @suppressed: completions for which the driver wanted no signal
 * @completed: requests put into the used ring
 * @worker_pid: process id of the thread of the queue's worker, which other queues may
 *	share; 0 if the queue does not run, if the worker had no work lately, or if the
 *	caller's pid namespace does not see it
 * @polls: times that the worker polled the ring in poll mode
 * @poll_hits: times that it found a request
 * @poll_ns: nanoseconds that it polled
 * @coalesced: completions whose signal waited for more completions
 * @held: requests that now wait for room on a full disk, see
 *	VHOST_DOORBELL_BLK_F_HOLD_NOSPC; they are in flight
 * @holds: requests that began to wait for room, in total
 * @reserved: zero; must be zero on input
 *
 * All counters count from the open of the device on; a stop does not reset them.
 */
struct vhost_doorbell_stats {
	__u32 index;
	__u32 state;
	__u32 size;
	__u32 in_flight;
	__u64 kicks;
	__u64 inline_passes;
	__u64 worker_passes;
	__u64 punts;
	__u64 requests;
	__u64 bytes_read;
	__u64 bytes_written;
	__u64 errors;
	__u64 broken;
	__u64 signals;
	__u64 suppressed;
	__u64 completed;
	__u64 worker_pid;
	__u64 polls;
	__u64 poll_hits;
	__u64 poll_ns;
	__u64 coalesced;
	__u64 held;
	__u64 holds;
	__u64 reserved[3];
};

/**
 * enum vhost_doorbell_kind - kinds of requests, for histograms and errors
 * @VHOST_DOORBELL_KIND_READ: reads
 * @VHOST_DOORBELL_KIND_WRITE: writes and zone appends
 * @VHOST_DOORBELL_KIND_FLUSH: flushes
 * @VHOST_DOORBELL_KIND_DISCARD: discards
 * @VHOST_DOORBELL_KIND_ZEROES: write zeroes
 * @VHOST_DOORBELL_KIND_OTHER: all other requests of a disk: secure erase, zone
 *	commands, GET_ID, GET_LIFETIME, unknown types
 * @VHOST_DOORBELL_KIND_FRAME: frames, the only kind that a card has
 * @VHOST_DOORBELL_KINDS: number of kinds
 */
enum vhost_doorbell_kind {
	VHOST_DOORBELL_KIND_READ	= 0,
	VHOST_DOORBELL_KIND_WRITE	= 1,
	VHOST_DOORBELL_KIND_FLUSH	= 2,
	VHOST_DOORBELL_KIND_DISCARD	= 3,
	VHOST_DOORBELL_KIND_ZEROES	= 4,
	VHOST_DOORBELL_KIND_OTHER	= 5,
	VHOST_DOORBELL_KIND_FRAME	= 6,
	VHOST_DOORBELL_KINDS		= 7,
};

#define VHOST_DOORBELL_HIST_BUCKETS	128

/**
 * struct vhost_doorbell_hist - histogram of one queue and one kind of requests
 * @index: in: queue number, below the back end's number of queues
 * @kind: in: an enum vhost_doorbell_kind value that the device has
 * @count: requests or frames counted: the sum of all @buckets
 * @sum: sum of their values
 * @max: the largest value
 * @reserved: zero; must be zero on input
 * @buckets: number of values in each bucket
 *
 * The value of a request is its latency in nanoseconds, from when it is taken off the
 * available ring until it is put into the used ring. The value of a frame is its length
 * in bytes, without the virtio header.
 *
 * There are four buckets for each power of 2. Bucket N holds the values from L(N) to
 * L(N + 1) - 1, where L(N) is N for N below 4, else (4 + N % 4) << (N / 4 - 1). The
 * last bucket also holds all larger values.
 */
struct vhost_doorbell_hist {
	__u32 index;
	__u32 kind;
	__u64 count;
	__u64 sum;
	__u64 max;
	__u64 reserved[4];
	__u64 buckets[VHOST_DOORBELL_HIST_BUCKETS];
};

/**
 * enum vhost_doorbell_cause - why a request failed
 * @VHOST_DOORBELL_CAUSE_IO: the disk failed it
 * @VHOST_DOORBELL_CAUSE_NOSPC: the file system or the pool under the disk is full
 *	(ENOSPC, EDQUOT)
 * @VHOST_DOORBELL_CAUSE_UNSUPP: the device or the disk does not know this request
 * @VHOST_DOORBELL_CAUSE_INVALID: the device refused it: beyond the end of the disk,
 *	not in whole blocks, a write to a read-only disk, data outside guest memory
 * @VHOST_DOORBELL_CAUSE_NOMEM: the host had no memory for it
 * @VHOST_DOORBELL_CAUSE_ZONE: it broke a rule of a zoned disk
 * @VHOST_DOORBELL_CAUSES: number of causes
 */
enum vhost_doorbell_cause {
	VHOST_DOORBELL_CAUSE_IO		= 0,
	VHOST_DOORBELL_CAUSE_NOSPC	= 1,
	VHOST_DOORBELL_CAUSE_UNSUPP	= 2,
	VHOST_DOORBELL_CAUSE_INVALID	= 3,
	VHOST_DOORBELL_CAUSE_NOMEM	= 4,
	VHOST_DOORBELL_CAUSE_ZONE	= 5,
	VHOST_DOORBELL_CAUSES		= 6,
};

#define VHOST_DOORBELL_ERRORS_KINDS	8
#define VHOST_DOORBELL_ERRORS_CAUSES	8
/* In last_sector: the request has no sector. */
#define VHOST_DOORBELL_NO_SECTOR	(~0ULL)

/**
 * struct vhost_doorbell_errors - failed and oldest requests of one queue
 * @index: in: queue number, below the back end's number of queues
 * @pad: must be zero
 * @failed: requests that failed, by enum vhost_doorbell_kind and enum
 *	vhost_doorbell_cause; their sum is @errors of struct vhost_doorbell_stats
 * @last_sector: first sector of the request that failed last, in units of 512 bytes.
 *	Of a request served in slices: first sector of the slice; of a request with
 *	ranges: first sector of the first range. VHOST_DOORBELL_NO_SECTOR if the
 *	request has no sector, or if none failed
 * @last_time: when it failed, in nanoseconds since 1970 (UTC); 0: none failed
 * @last_kind: its enum vhost_doorbell_kind value
 * @last_cause: its enum vhost_doorbell_cause value
 * @last_errno: what the disk returned, a positive errno; 0: the device refused it
 * @last_status: the virtio status that the driver got
 * @oldest_ns: age of the oldest request in flight, in nanoseconds; 0 if none is
 * @held: requests that wait for room on a full disk
 * @pad2: zero; must be zero on input
 * @reserved: zero; must be zero on input
 *
 * Counters count from the open of the device on; a stop does not reset them.
 */
struct vhost_doorbell_errors {
	__u32 index;
	__u32 pad;
	__u64 failed[VHOST_DOORBELL_ERRORS_KINDS][VHOST_DOORBELL_ERRORS_CAUSES];
	__u64 last_sector;
	__u64 last_time;
	__u32 last_kind;
	__u32 last_cause;
	__u32 last_errno;
	__u32 last_status;
	__u64 oldest_ns;
	__u32 held;
	__u32 pad2;
	__u64 reserved[6];
};

/**
 * struct vhost_doorbell_log - the dirty log of a guest that is being migrated
 * @user_addr: address of the bitmap in the owner's memory; a multiple of 8. It must be
 *	writable, and stays pinned until it is replaced
 * @size: bytes of the bitmap; a multiple of 8, at most VHOST_DOORBELL_MAX_LOG; 0, with
 *	@user_addr 0: no log
 * @reserved: must be zero
 *
 * The bitmap has one bit for each 4 KiB of guest physical addresses, bit 0 of byte 0
 * first. It must have a bit for each page of the memory table. The module sets the bit
 * of a page after each write to it: data, status, used ring, and what the device tells
 * the driver about kicks. The VMM clears bits with atomic operations.
 *
 * The call waits for the requests in flight. When it returns, all later writes are
 * logged here and nothing writes to the former one. Pages of the bitmap count for
 * RLIMIT_MEMLOCK as the rings do: without room for them they take the place of data.
 */
struct vhost_doorbell_log {
	__u64 user_addr;
	__u64 size;
	__u64 reserved[2];
};

/**
 * struct vhost_doorbell_claim - an open file that the device keeps open
 * @fd: of a regular file or a block device; the module keeps a reference of its own.
 *	VHOST_FILE_UNBIND (-1) lets the file go. EBADF if not open, EINVAL if of
 *	another kind
 * @pad: must be zero
 * @reserved: must be zero
 *
 * The locks of this open file description, and its exclusive claim on a block device
 * (O_EXCL), last until it is replaced or let go, or until the device is closed and no
 * request is in flight. The disk itself may be another open file. EBUSY while a queue
 * runs.
 */
struct vhost_doorbell_claim {
	__s32 fd;
	__u32 pad;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_inflight - a queue's part of the in-flight region
 * @index: number of the queue
 * @pad: must be zero
 * @user_addr: address of the part in the owner's memory, a multiple of 8; 0: the queue
 *	has no region
 * @size: bytes of the part, at least what the ring needs when it starts; 0 if @user_addr
 *	is 0
 * @reserved: must be zero
 *
 * The VMM keeps the region over the end of the owner, in the layout of the vhost-user
 * specification (VHOST_USER_SET_INFLIGHT_FD). The start of the queue pins the part, reads
 * it and marks it as used; the stop writes it and unpins it, also if the owner was killed.
 * So nothing is in flight there, save for two kinds of requests of a split ring without
 * VIRTIO_F_IN_ORDER, while there is no dirty log: those that wait for room on a full disk
 * (VHOST_DOORBELL_BLK_F_HOLD_NOSPC), and those that the last close cuts short. With a region
 * these do not fail at the stop, and the next start with this region serves them first.
 * Pages of the part count for RLIMIT_MEMLOCK as those of the ring do.
 *
 * VHOST_DOORBELL_ADOPT forgets where the region is: the address is one of the old owner's.
 */
struct vhost_doorbell_inflight {
	__u32 index;
	__u32 pad;
	__u64 user_addr;
	__u64 size;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_mem_stats - guest memory of one device
 * @bytes: bytes of guest memory in the table, all of them accounted to
 *	RLIMIT_MEMLOCK
 * @pinned: pages pinned now, without those of the rings
 * @pins: pages pinned since the device was opened
 * @invalidations: 2 MiB parts of the table that were unpinned, as a page of theirs went
 *	away or others needed the room
 * @regions: regions in the table
 * @pad: zero
 * @logged: bits set in dirty logs since the device was opened, see VHOST_DOORBELL_SET_LOG
 * @reserved: zero
 */
struct vhost_doorbell_mem_stats {
	__u64 bytes;
	__u64 pinned;
	__u64 pins;
	__u64 invalidations;
	__u32 regions;
	__u32 pad;
	__u64 logged;
	__u64 reserved[2];
};

/* --- network cards --- */

#define VHOST_DOORBELL_MAX_PAIRS	32
#define VHOST_DOORBELL_NET_NAME_LEN	16

/**
 * struct vhost_doorbell_net - make the device a virtio-net card
 * @num_pairs: pairs of queues offered to the guest, 1 to
 *	VHOST_DOORBELL_MAX_PAIRS. Queue 2N receives for the guest and queue 2N + 1
 *	sends for it; the control queue is the VMM's
 * @flags: must be zero
 * @mtu: bytes of payload of a frame, 68 to 65535, for VIRTIO_NET_F_MTU; 0: that
 *	feature is not offered
 * @pad: must be zero
 * @reserved: must be zero
 *
 * A port is set by VHOST_DOORBELL_SET_NET_PORT or VHOST_DOORBELL_SET_NET_DEV.
 */
struct vhost_doorbell_net {
	__u32 num_pairs;
	__u32 flags;
	__u32 mtu;
	__u32 pad;
	__u64 reserved[4];
};

/**
 * struct vhost_doorbell_net_port - attach a tap or macvtap to a pair of queues
 * @pair: number of the pair, below the card's number of pairs
 * @fd: an open /dev/net/tun attached to a tap (IFF_TAP), or /dev/tapN of a
 *	macvtap; the module keeps a reference of its own. VHOST_FILE_UNBIND (-1)
 *	detaches. EBADF if it is not open for reading and writing, EINVAL if it is
 *	of another kind
 * @reserved: must be zero
 *
 * The caller must set the port up for the negotiated features: IFF_VNET_HDR;
 * TUNSETVNETHDRSZ of 12 bytes with VIRTIO_F_VERSION_1 or VIRTIO_NET_F_MRG_RXBUF, else of
 * 10 bytes; TUNSETOFFLOAD for the VIRTIO_NET_F_GUEST_* bits. The module cannot check
 * this. If it is wrong, this card's frames are lost or damaged.
 *
 * EBUSY while a queue of the pair runs, or, if the pair has the device of
 * VHOST_DOORBELL_SET_NET_DEV, while any queue of the card runs. The start of the pair's
 * receiving queue fails with EBUSY if another queue receives from the same file.
 *
 * A pair may run without a port: frames that the guest sends are dropped and counted, and
 * it receives none.
 */
struct vhost_doorbell_net_port {
	__u32 pair;
	__s32 fd;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_net_dev - create a network device as the card's port
 * @name: name of the device, terminated by NUL; "%d" in it is replaced by a number;
 *	out: the resulting name
 * @mac: MAC address of the host's end; all zero: a random one
 * @pad: must be zero
 * @ifindex: out: interface index; must be zero on input
 * @flags: must be zero
 * @reserved: must be zero
 *
 * The network device is created in the caller's network namespace, with one queue for
 * each pair. It exists until the card's file is closed or the namespace is deleted. EINVAL
 * if @name is not valid or @mac is not a unicast address, EPERM without CAP_NET_ADMIN in
 * that namespace, EEXIST if the name is in use, EBUSY if the card has a port or a queue
 * runs.
 */
struct vhost_doorbell_net_dev {
	char  name[VHOST_DOORBELL_NET_NAME_LEN];
	__u8  mac[6];
	__u16 pad;
	__u32 ifindex;
	__u32 flags;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_net_stats - counters of one pair, in addition to those of its
 *	queues
 * @pair: in: number of the pair
 * @pad: must be zero
 * @rx_packets: frames that the guest received
 * @rx_bytes: bytes of @rx_packets, without virtio headers
 * @rx_batches: times that received frames were put into the used ring
 * @rx_hooks: times that the port called the module's hook, as it had frames
 * @rx_polls: passes in softirq context, most of them in the sender's thread
 * @rx_punts: passes left to the worker: a page was not pinned, or the port's lock
 *	was held
 * @rx_dry: times that frames waited for the driver to add buffers
 * @rx_drop_long: frames dropped as the driver's buffers cannot hold them
 * @rx_drop_offload: frames dropped as they need an offload that was not negotiated
 * @rx_drop_dead: frames dropped as the driver took fewer than 64 in 2.5 seconds, or as
 *	the queue is broken. Only for a network device of VHOST_DOORBELL_SET_NET_DEV:
 *	a tap drops such frames itself
 * @tx_packets: frames that the port accepted
 * @tx_bytes: bytes of @tx_packets, without virtio headers
 * @tx_batches: times that a batch of frames was given to the port
 * @tx_large: frames of @tx_packets that were given one by one, as they are large
 * @tx_drop_bad: frames dropped for their size or their header
 * @tx_drop_port: frames dropped by the port, or as there is no port
 * @tx_drop_down: frames dropped as the port is down or deleted
 * @reserved: zero; must be zero on input
 */
struct vhost_doorbell_net_stats {
	__u32 pair;
	__u32 pad;
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 rx_batches;
	__u64 rx_hooks;
	__u64 rx_polls;
	__u64 rx_punts;
	__u64 rx_dry;
	__u64 rx_drop_long;
	__u64 rx_drop_offload;
	__u64 rx_drop_dead;
	__u64 tx_packets;
	__u64 tx_bytes;
	__u64 tx_batches;
	__u64 tx_large;
	__u64 tx_drop_bad;
	__u64 tx_drop_port;
	__u64 tx_drop_down;
	__u64 reserved[6];
};

/* --- the bell --- */

/**
 * enum vhost_doorbell_bell_mode - which context counts the rings of a bell
 * @VHOST_DOORBELL_BELL_HOOK: the wake-up of the eventfd, inside the write that
 *	signals it; for VHOST_DOORBELL_BELL_RING the ioctl itself
 * @VHOST_DOORBELL_BELL_WORKER: a kernel thread of the bell, which has nice value,
 *	CPU affinity and cgroups of the process that made the bell
 * @VHOST_DOORBELL_BELL_INLINE: the thread that rings, before it leaves the kernel
 *	or enters its guest again; the bell's kernel thread for rings from
 *	interrupts and kernel threads
 *
 * The last two use the same code as the virtqueue modes of that name.
 */
enum vhost_doorbell_bell_mode {
	VHOST_DOORBELL_BELL_HOOK	= 0,
	VHOST_DOORBELL_BELL_WORKER	= 1,
	VHOST_DOORBELL_BELL_INLINE	= 2,
};

/**
 * struct vhost_doorbell_bell - make a bell, a counter that eventfds ring
 * @mode: an enum vhost_doorbell_bell_mode value
 * @flags: must be zero
 * @reserved: must be zero
 *
 * The ioctl returns a file descriptor of the bell, with close-on-exec set. The bell lives
 * until that is closed, even if the file that it was made from is closed before. It takes
 * the VHOST_DOORBELL_BELL_* ioctls, and
 *
 * read() of 8 bytes or more returns the counter as a __u64, without waiting, and sets
 *	the mark to it (EINVAL for fewer bytes);
 * poll() waits until the counter has passed the mark, which is zero at first;
 * mmap() of one page at offset 0, MAP_SHARED, maps struct
 *	vhost_doorbell_bell_page.
 */
struct vhost_doorbell_bell {
	__u32 mode;
	__u32 flags;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_bell_wire - an eventfd that rings a bell
 * @fd: an eventfd. EBADF if it is not open, EINVAL if it is no eventfd
 * @flags: must be zero
 * @reserved: must be zero
 *
 * At each signal the bell takes the eventfd's count and adds it to the counter, so a
 * read() of the eventfd finds nothing. The count that the eventfd has when it is wired is
 * taken, too. From an eventfd made with EFD_SEMAPHORE at most 64 are taken at each
 * signal; the rest stays until the next. If several bells or readers wait on one eventfd,
 * one of them gets the count.
 *
 * When the last descriptor of the eventfd is closed it hangs up: the wire ends, and the
 * counter keeps its value.
 */
struct vhost_doorbell_bell_wire {
	__s32 fd;
	__u32 flags;
	__u64 reserved;
};

/**
 * struct vhost_doorbell_bell_page - memory that a bell shares with ringers and waiters
 * @stamp: a ringer may write the time here before it rings, in cycles of the host's
 *	counter (x86: TSC). When the bell counts, it adds the time since then to the
 *	histogram and writes zero here. Zero: no time was written
 * @entered: when the bell last began to count, in the same cycles
 * @count: the counter; the bell writes it last
 * @reserved: zero
 *
 * The page is a hint, for measurements and busy waiting. Any process that maps it can
 * write to it; the bell keeps its own counter elsewhere.
 */
struct vhost_doorbell_bell_page {
	__u64 stamp;
	__u64 reserved[7];
	__u64 entered;
	__u64 count;
};

#define VHOST_DOORBELL_BELL_BUCKETS	48

/**
 * struct vhost_doorbell_bell_stats - state and counters of a bell
 * @count: the counter: sum of all rings
 * @mark: the value that the counter must pass for poll() to return
 * @rings: signals of eventfds, and calls of VHOST_DOORBELL_BELL_RING
 * @handled: times that the bell counted; fewer than @rings if one pass of the
 *	kernel thread or of the ringer counted several rings
 * @wires: eventfds wired now
 * @hangups: wires that ended by a hang-up
 * @samples: number of times in the histogram
 * @sum_ns: sum of these times, in nanoseconds
 * @min_ns: the shortest, in nanoseconds; 0 without samples
 * @max_ns: the longest, in nanoseconds
 * @worker_pid: process id of the bell's thread, 0 in hook mode
 * @cycles_khz: cycles of @stamp per millisecond
 * @reserved: zero
 * @hist: histogram of the time from the stamp, or from the signal if the ringer left
 *	no stamp, until the bell began to count. Entry N counts times of at least 2^N
 *	and less than 2^(N+1) ns; the first entry also counts zero, the last one all
 *	longer times. In hook mode a ring without a stamp is not counted here
 */
struct vhost_doorbell_bell_stats {
	__u64 count;
	__u64 mark;
	__u64 rings;
	__u64 handled;
	__u64 wires;
	__u64 hangups;
	__u64 samples;
	__u64 sum_ns;
	__u64 min_ns;
	__u64 max_ns;
	__u64 worker_pid;
	__u64 cycles_khz;
	__u64 reserved[4];
	__u64 hist[VHOST_DOORBELL_BELL_BUCKETS];
};

#define VHOST_DOORBELL_IOC_MAGIC	0xBE

/* Any process that has the file may call it; needs no owner. */
#define VHOST_DOORBELL_GET_INFO \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x00, struct vhost_doorbell_info)
/* By the owner, once per device; EBUSY after that. */
#define VHOST_DOORBELL_SET_BLK \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x01, struct vhost_doorbell_blk)
#define VHOST_DOORBELL_GET_CONFIG \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x02, struct vhost_doorbell_config)
/* By the owner. EPERM for a field that cannot be written, EINVAL for a value that wce
 * cannot have. Setting wce to 0 (write-through) returns when all completed writes are
 * stable, or with the disk's error if that fails. In both cases each later write is
 * stable when it completes.
 */
#define VHOST_DOORBELL_SET_CONFIG \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x03, struct vhost_doorbell_config)
#define VHOST_DOORBELL_GET_EXEC \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x04, struct vhost_doorbell_exec)
#define VHOST_DOORBELL_SET_EXEC \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x05, struct vhost_doorbell_exec)
#define VHOST_DOORBELL_SET_RUN \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x06, struct vhost_doorbell_run)
#define VHOST_DOORBELL_GET_STATS \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x07, struct vhost_doorbell_stats)
#define VHOST_DOORBELL_GET_MEM_STATS \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x08, struct vhost_doorbell_mem_stats)
/* Read the size of the disk again, as it may have changed. The config space then has
 * the new capacity, and *arg is that in sectors of 512 bytes. Requests beyond a smaller
 * one fail. By the owner; ENOSPC, and no change, if the disk is now smaller than one
 * block.
 */
#define VHOST_DOORBELL_RESIZE \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x09, __u64)

/* By the owner, once per device; EBUSY after that, or if it is a disk. */
#define VHOST_DOORBELL_SET_NET \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x0A, struct vhost_doorbell_net)
/* By the owner; ENXIO if the device is no card, ENOBUFS if it has no pair of that
 * number.
 */
#define VHOST_DOORBELL_SET_NET_PORT \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x0B, struct vhost_doorbell_net_port)
/* By the owner; ENXIO if the device is no card. */
#define VHOST_DOORBELL_SET_NET_DEV \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x0C, struct vhost_doorbell_net_dev)
/* Any process that has the file may call it; ENXIO and ENOBUFS as for SET_NET_PORT. */
#define VHOST_DOORBELL_GET_NET_STATS \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x0D, struct vhost_doorbell_net_stats)
/* Any process that has the file may call it, also while another call waits for the
 * disk. ENXIO without a back end, ENOBUFS if it has no queue of that number, EINVAL if
 * it has no requests of that kind.
 */
#define VHOST_DOORBELL_GET_HIST \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x0E, struct vhost_doorbell_hist)
/* As VHOST_DOORBELL_GET_HIST; ENXIO also for a card. */
#define VHOST_DOORBELL_GET_ERRORS \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x0F, struct vhost_doorbell_errors)

/* By the owner; ENXIO without a memory table, EINVAL if the bitmap does not cover it,
 * EFAULT if it cannot be pinned, ENOMEM beyond RLIMIT_MEMLOCK, EINTR if the caller is
 * being killed while it waits: nothing has changed then. While there is a log,
 * VHOST_SET_MEM_TABLE fails with EINVAL for memory that has no bit in it; no
 * memory at all ends the log.
 */
#define VHOST_DOORBELL_SET_LOG \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x10, struct vhost_doorbell_log)

/* By the owner. */
#define VHOST_DOORBELL_SET_CLAIM \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x11, struct vhost_doorbell_claim)

/* Make the caller the owner, in place of one that has died, and set the memory table to
 * addresses of the caller's memory, in one step. By any process that has the file, but
 * not while a thread of the owner's process uses the owner's address space: EBUSY. ENXIO
 * if the device has no owner.
 *
 * The queues run on while no process of the owner lives, as long as the file is open
 * anywhere: the device holds the owner's address space, and pins pages through it. This
 * call pauses the queues, as VHOST_SET_MEM_TABLE does. The addresses of rings are moved by
 * their guest physical address from the old table to the new one; base, counters,
 * eventfds, features, back end, execution settings, dirty log and claim stay as they
 * are. Where in-flight regions are is forgotten; running queues go on with theirs. EBUSY,
 * too, if the new table does not have the rings of a running queue, each part in one
 * region. A stopped queue whose rings are not in both tables needs
 * VHOST_SET_VRING_ADDR before it can start. The table may be empty only if the device has
 * none: EINVAL. The new table should map the same memory: the rings stay on the pages
 * where they are, and everything else is looked up in the new table.
 *
 * All of the table is accounted to the caller, and nothing to the old address space any
 * more: ENOMEM beyond the caller's RLIMIT_MEMLOCK. Other errors are those of
 * VHOST_SET_MEM_TABLE; EINTR if the caller is being killed while it waits. After an error
 * nothing has changed.
 */
#define VHOST_DOORBELL_ADOPT \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x12, struct vhost_memory)
/* By the owner; EBUSY while the queue runs, EOPNOTSUPP for a card. Holds for all later
 * starts. VHOST_DOORBELL_SET_RUN fails with EINVAL if the part is too small for the ring,
 * EFAULT if it cannot be pinned for writing, EBUSY while another queue runs with it, of
 * any device, EBADMSG if it contradicts itself, EOPNOTSUPP if another back end has left
 * requests of a packed ring there.
 */
#define VHOST_DOORBELL_SET_INFLIGHT \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x13, struct vhost_doorbell_inflight)

/* Any process that has the file may call it; needs no owner. Returns a file descriptor.
 */
#define VHOST_DOORBELL_CREATE_BELL \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x20, struct vhost_doorbell_bell)
/* On a bell: add *arg, which is not zero, to the counter. */
#define VHOST_DOORBELL_BELL_RING \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x21, __u64)
/* EEXIST if the eventfd is wired to this bell already. */
#define VHOST_DOORBELL_BELL_WIRE \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x22, struct vhost_doorbell_bell_wire)
/* ENOENT if the eventfd is not wired to this bell. */
#define VHOST_DOORBELL_BELL_UNWIRE \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x23, struct vhost_doorbell_bell_wire)
/* Set the mark: poll() waits until the counter has passed *arg. */
#define VHOST_DOORBELL_BELL_SET_MARK \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x24, __u64)
#define VHOST_DOORBELL_BELL_GET_STATS \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x25, struct vhost_doorbell_bell_stats)

#endif /* _UAPI_LINUX_VHOST_DOORBELL_H */
