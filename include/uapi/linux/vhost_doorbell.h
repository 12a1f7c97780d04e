/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * vhost_doorbell.h - user space ABI of /dev/vhost-doorbell
 *
 * One open file is one device. Its virtio half speaks the ioctls of
 * <linux/vhost.h> (VHOST_SET_OWNER, VHOST_GET_FEATURES, VHOST_SET_FEATURES,
 * VHOST_SET_MEM_TABLE, VHOST_SET_VRING_NUM, _ADDR, _BASE, _KICK, _CALL, _ERR,
 * VHOST_GET_VRING_BASE); what vhost has no word for is here.
 *
 * Every structure has a fixed size and the same layout for 32- and 64-bit
 * callers. Unknown flags and reserved fields that are not zero fail with
 * EINVAL. Documentation/uapi.rst tells the order of calls and all errors.
 */
#ifndef _UAPI_LINUX_VHOST_DOORBELL_H
#define _UAPI_LINUX_VHOST_DOORBELL_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define VHOST_DOORBELL_ABI_VERSION	1

#define VHOST_DOORBELL_MAX_QUEUES	64
#define VHOST_DOORBELL_MAX_QUEUE_SIZE	32768
#define VHOST_DOORBELL_MAX_REGIONS	512
#define VHOST_DOORBELL_MAX_POLL_US	10000
#define VHOST_DOORBELL_MAX_COALESCE_US	10000

/**
 * enum vhost_doorbell_mode - where a queue's requests are submitted
 * @VHOST_DOORBELL_MODE_AUTO: inline while few requests are in flight or come, or
 *	there is no CPU for the worker, and nothing would block; else by the
 *	worker; the default. Frames of a card go inline or, to the guest, in the
 *	sender's softirq, and by the worker while each ring brings much and more is
 *	done that way
 * @VHOST_DOORBELL_MODE_WORKER: always by the queue's kernel thread
 * @VHOST_DOORBELL_MODE_INLINE: in the thread that rings, before it goes back to
 *	the guest; by the worker only what could block there
 * @VHOST_DOORBELL_MODE_POLL: by the worker, which looks for more for a while
 *	before it asks the driver for a kick
 */
enum vhost_doorbell_mode {
	VHOST_DOORBELL_MODE_AUTO	= 0,
	VHOST_DOORBELL_MODE_WORKER	= 1,
	VHOST_DOORBELL_MODE_INLINE	= 2,
	VHOST_DOORBELL_MODE_POLL	= 3,
};

/**
 * struct vhost_doorbell_info - what this module can do
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

/* The guest may not write; also implied by a disk opened for reading only, and by a
 * block device that is set read-only.
 */
#define VHOST_DOORBELL_BLK_F_READ_ONLY	(1U << 0)
/* Offer VIRTIO_BLK_F_DISCARD if the disk can be written and knows discards. */
#define VHOST_DOORBELL_BLK_F_DISCARD	(1U << 1)
/* Offer VIRTIO_BLK_F_WRITE_ZEROES if the disk can be written; for a regular file
 * if its file system has fallocate().
 */
#define VHOST_DOORBELL_BLK_F_WRITE_ZEROES	(1U << 2)
/* Offer VIRTIO_BLK_F_CONFIG_WCE if the disk can be written: the driver switches
 * between write-back, in the beginning, and write-through.
 */
#define VHOST_DOORBELL_BLK_F_CONFIG_WCE		(1U << 3)
/* Offer VIRTIO_BLK_F_SECURE_ERASE if the disk can be written and does that. */
#define VHOST_DOORBELL_BLK_F_SECURE_ERASE	(1U << 4)
/* Offer VIRTIO_BLK_F_ZONED if the disk has zones and is host-managed. Features
 * without it then fail with EOPNOTSUPP: such a driver would write anywhere. What
 * a disk with zones does not get: discard, write zeroes and secure erase.
 */
#define VHOST_DOORBELL_BLK_F_ZONED		(1U << 5)
/* Offer VIRTIO_BLK_F_LIFETIME: the caller knows what the disk says of its wear. */
#define VHOST_DOORBELL_BLK_F_LIFETIME		(1U << 6)
/* A block device that is made of others (device-mapper, md, NVMe multipath), or
 * whose driver may sleep when it is given a request: the caller vouches that no
 * driver waits for anything then. Without it the worker submits to such a device,
 * never the thread that rings. If it is not so that thread waits for the disk,
 * which harms nobody but the caller's own VMM.
 */
#define VHOST_DOORBELL_BLK_F_NOWAIT		(1U << 7)

#define VHOST_DOORBELL_BLK_SERIAL_LEN	20

/**
 * struct vhost_doorbell_blk - make the device a virtio-blk disk
 * @fd: open block device or regular file, opened O_RDWR or, for a read-only
 *	disk, O_RDONLY; the module keeps a reference of its own. EBADF if not
 *	open, EINVAL if neither kind, EACCES if opened for writing only,
 *	EINVAL if with O_APPEND
 * @flags: VHOST_DOORBELL_BLK_F_*
 * @num_queues: queues offered to the guest, 1 to VHOST_DOORBELL_MAX_QUEUES
 * @seg_max: data segments per request offered to the guest; 0: 126, else at
 *	most 1022
 * @size_max: bytes per segment offered to the guest, at least PAGE_SIZE; a
 *	request of more than @seg_max x @size_max bytes of data, which must not be
 *	more than 16 MiB, is served in slices. 0: 131072, or as much of it as that allows
 * @blk_size: logical block size in bytes offered to the guest; 0: that of the
 *	disk (512 for a regular file), else a power of 2 from that to PAGE_SIZE
 * @serial: disk identity for VIRTIO_BLK_T_GET_ID, padded with NUL
 * @pad: must be zero
 * @pre_eol_info: as eMMC and UFS tell it of their reserved blocks: 0 unknown, 1
 *	normal, 2 80 % consumed, 3 90 % consumed; zero, as all of these three,
 *	without VHOST_DOORBELL_BLK_F_LIFETIME
 * @lifetime_est_typ_a: used lifetime of cells of type A in steps of 10 %, 1 to
 *	11; 0 unknown
 * @lifetime_est_typ_b: of type B
 * @pad2: must be zero
 * @reserved: must be zero
 *
 * A disk of less than one block fails with ENOSPC; a block device in use as swap
 * with ETXTBSY, unless it is only read.
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
 * struct vhost_doorbell_config - a window of the virtio config space
 * @offset: first byte, below VHOST_DOORBELL_CONFIG_LEN
 * @size: bytes, 1 to VHOST_DOORBELL_CONFIG_LEN - @offset
 * @data: the bytes, little endian as the virtio spec lays them out; beyond the
 *	end of the device's own config space they read as zero
 *
 * The only field that can be written is the byte wce of struct virtio_blk_config,
 * 0 or 1, of a disk with VHOST_DOORBELL_BLK_F_CONFIG_WCE.
 */
struct vhost_doorbell_config {
	__u32 offset;
	__u32 size;
	__u8  data[VHOST_DOORBELL_CONFIG_LEN];
};

/**
 * struct vhost_doorbell_exec - how the queues are served
 * @mode: an enum vhost_doorbell_mode value; VHOST_DOORBELL_MODE_POLL takes
 *	CAP_SYS_NICE, else EPERM
 * @inline_max: in auto mode, requests in flight, or brought by one ring of the
 *	bell, from which a ring may go to the worker; 1 to 65535; 0: the default
 *	of 8. No other mode uses it
 * @budget: requests that one inline pass may submit before it hands the rest
 *	to the worker, 1 to 65535, of which it uses 1024 at most; 0: the default,
 *	64 of a disk and 256 of a card
 * @pad: must be zero
 * @poll_us: in poll mode, microseconds that the worker looks at an empty ring
 *	at most, 1 to VHOST_DOORBELL_MAX_POLL_US; 0: the default of 50. It
 *	looks shorter, down to not at all, when that proves useless. No other
 *	mode uses it
 * @poll_share: in poll mode, per cent of one CPU's time that a worker may spend
 *	on looks at an empty ring, 1 to 100; 0: the default of 50
 * @coalesce_us: interrupt coalescing: microseconds that a signal to the driver
 *	may wait for more completions, at most VHOST_DOORBELL_MAX_COALESCE_US;
 *	0, the default: none waits
 * @coalesce_count: completions after which it waits no longer, 1 to 65535;
 *	0: the default of 32. Nor does it when nothing more is in flight, so
 *	that a driver with one request at a time is told at once
 * @reserved: must be zero
 *
 * May be set at any time, by whoever has the file. GET gives the values in force,
 * zero only of @coalesce_us.
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

/**
 * struct vhost_doorbell_run - start or stop one queue
 * @index: queue number, below the back end's number of queues
 * @run: 1 starts the queue, 0 stops it
 * @reserved: must be zero
 *
 * Starting takes owner, back end, features, memory table, and the queue's size,
 * addresses and kick eventfd; what is missing fails with ENXIO, a queue that
 * runs with EBUSY. Requests already in the ring are served at once.
 *
 * Stopping returns when every request taken from the ring has been put into
 * the used ring; then VHOST_GET_VRING_BASE gives where to go on. A fatal signal
 * ends that with EINTR, and the queue runs on. Stopping a queue that does not run
 * does nothing.
 */
struct vhost_doorbell_run {
	__u32 index;
	__u32 run;
	__u64 reserved;
};

/* State of a queue, in struct vhost_doorbell_stats. */
#define VHOST_DOORBELL_QUEUE_RUNNING	(1U << 0)
/* The guest broke the rules of the ring; served again after a stop and start. */
#define VHOST_DOORBELL_QUEUE_BROKEN	(1U << 1)
/* Never set any more: the device keeps its kick eventfds open. */
#define VHOST_DOORBELL_QUEUE_HUNGUP	(1U << 2)
/* The owner's memory is gone (it died): requests wait for the next owner. */
#define VHOST_DOORBELL_QUEUE_PARKED	(1U << 3)

/**
 * struct vhost_doorbell_stats - counters of one queue
 * @index: in: queue number, below the back end's number of queues
 * @state: VHOST_DOORBELL_QUEUE_*
 * @size: entries of the ring
 * @in_flight: requests taken and not yet put into the used ring
 * @kicks: calls of the wait-queue hook by a write to the kick eventfd
 * @inline_passes: passes over the ring in a ringing thread
 * @worker_passes: passes over the ring in the worker
 * @punts: requests or passes handed from a ringing thread to the worker
 * @requests: requests taken from the available ring
 * @bytes_read: bytes of data the guest got from the disk
 * @bytes_written: bytes of data the disk got from the guest
 * @errors: requests completed with a status other than VIRTIO_BLK_S_OK
 * @broken: times the queue was broken by a bad ring
 * @signals: times the call eventfd was signalled
 * @suppressed: completions that the driver wanted no signal for
 * @completed: requests put into the used ring
 * @worker_pid: process id of the queue's worker, which other queues may share; 0 when
 *	stopped (as @state says), or in another pid namespace
 * @polls: times that the worker looked for more in poll mode
 * @poll_hits: times that it found some
 * @poll_ns: nanoseconds that it looked
 * @coalesced: completions whose signal waited for more
 * @reserved: zero; must be zero on input
 *
 * All counters are since the device was opened; they survive a stop.
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
	__u64 reserved[5];
};

/**
 * struct vhost_doorbell_mem_stats - guest memory of one device
 * @bytes: bytes of guest memory in the table, all of them accounted to
 *	RLIMIT_MEMLOCK
 * @pinned: pages pinned now, without those of the rings
 * @pins: pages pinned since the device was opened
 * @invalidations: times that pages behind our pins went away
 * @regions: regions in the table
 * @pad: zero
 * @reserved: zero
 */
struct vhost_doorbell_mem_stats {
	__u64 bytes;
	__u64 pinned;
	__u64 pins;
	__u64 invalidations;
	__u32 regions;
	__u32 pad;
	__u64 reserved[3];
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
 * The ports come later: VHOST_DOORBELL_SET_NET_PORT or VHOST_DOORBELL_SET_NET_DEV.
 */
struct vhost_doorbell_net {
	__u32 num_pairs;
	__u32 flags;
	__u32 mtu;
	__u32 pad;
	__u64 reserved[4];
};

/**
 * struct vhost_doorbell_net_port - what a pair of queues sends to and receives from
 * @pair: number of the pair, below the card's number of pairs
 * @fd: an open /dev/net/tun attached to a tap (IFF_TAP), or /dev/tapN of a
 *	macvtap; the module keeps a reference of its own. VHOST_FILE_UNBIND (-1)
 *	detaches. EBADF if not open for reading and writing, EINVAL if neither
 *	kind
 * @reserved: must be zero
 *
 * The caller has set the port up for what driver and device agreed on: IFF_VNET_HDR,
 * a header of 12 bytes (TUNSETVNETHDRSZ) for VIRTIO_F_VERSION_1 or
 * VIRTIO_NET_F_MRG_RXBUF and else of 10, and TUNSETOFFLOAD for the
 * VIRTIO_NET_F_GUEST_* bits. The module cannot see this: of a port that is set up
 * otherwise the card's own frames are lost, or are not what was sent.
 *
 * EBUSY while a queue of the pair runs, and for the device of
 * VHOST_DOORBELL_SET_NET_DEV while any does. The start of the pair's receiving queue
 * fails with EBUSY if another one receives from the same file.
 *
 * A pair without a port may run: what the guest sends is dropped and counted, and
 * it receives nothing.
 */
struct vhost_doorbell_net_port {
	__u32 pair;
	__s32 fd;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_net_dev - a network device of the card's own as its port
 * @name: of the device, ended by NUL; "%d" in it is replaced by a number, and the
 *	name that it got is given back
 * @mac: address of the host's end; all zero: a random one
 * @pad: must be zero
 * @ifindex: out: interface index; must be zero on input
 * @flags: must be zero
 * @reserved: must be zero
 *
 * It is the port of all pairs, one queue each, in the caller's network namespace, and
 * goes with the device's file. EINVAL if @name is no name or @mac no address of one
 * station, EPERM without CAP_NET_ADMIN there, EEXIST if there is such a name, EBUSY
 * if the card has a port or a queue runs.
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
 * struct vhost_doorbell_net_stats - counters of one pair, beyond those of its queues
 * @pair: in: number of the pair
 * @pad: must be zero
 * @rx_packets: frames that the guest received
 * @rx_bytes: bytes of these, without virtio header
 * @rx_batches: times that received frames were put into the used ring
 * @rx_hooks: times that the port said that it has frames
 * @rx_polls: passes in softirq context, most in the sender's thread
 * @rx_punts: passes left to the worker: a page was not pinned, or the port's lock
 *	was held
 * @rx_dry: times that frames waited for the driver to add buffers
 * @rx_drop_long: frames dropped that the driver's buffers cannot hold
 * @rx_drop_offload: frames dropped that need an offload that was not agreed on
 * @rx_drop_dead: frames dropped as the driver took fewer than 64 in 2.5 seconds, or as
 *	the queue is broken; network device of our own only: a tap drops before we
 *	see them
 * @tx_packets: frames that the port accepted
 * @tx_bytes: bytes of these, without virtio header
 * @tx_batches: times that frames were given to the port
 * @tx_large: frames of these that were given one by one, for their size
 * @tx_drop_bad: frames dropped for their size or their header
 * @tx_drop_port: frames dropped by the port, or as there is none
 * @tx_drop_down: frames dropped as the port is down or gone
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
 * enum vhost_doorbell_bell_mode - where the rings of a bell are counted
 * @VHOST_DOORBELL_BELL_HOOK: in the wake-up of the eventfd, within the signal;
 *	for VHOST_DOORBELL_BELL_RING in the call
 * @VHOST_DOORBELL_BELL_WORKER: by a kernel thread of the bell, which has nice
 *	value, CPU affinity and cgroups of its maker
 * @VHOST_DOORBELL_BELL_INLINE: in the thread that rings, before it leaves the
 *	kernel or enters its guest again; by the kernel thread what rings from
 *	interrupts and kernel threads
 *
 * The last two are what serves a virtqueue in the modes of that name.
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
 * The call returns a file descriptor, close-on-exec: the bell, which lives until
 * it is closed, whatever becomes of the file it was made from. It takes the
 * VHOST_DOORBELL_BELL_* ioctls, and
 *
 * read() of 8 bytes or more gives the counter as a __u64, at once, and sets the
 *	mark to it (EINVAL for less);
 * poll() waits until the counter has passed the mark, which begins at zero;
 * mmap() of one page at offset 0, MAP_SHARED, gives struct
 *	vhost_doorbell_bell_page.
 */
struct vhost_doorbell_bell {
	__u32 mode;
	__u32 flags;
	__u64 reserved[3];
};

/**
 * struct vhost_doorbell_bell_wire - an eventfd that rings a bell
 * @fd: an eventfd. EBADF if not open, EINVAL if no eventfd
 * @flags: must be zero
 * @reserved: must be zero
 *
 * A wired eventfd gives its count to the bell at each signal, so that what was
 * written to it adds up in the counter and reading it finds nothing. What it
 * held when it was wired counts too. Of an eventfd made with EFD_SEMAPHORE at
 * most 64 are taken at each signal, the rest stays in it until the next. Where
 * several bells or others wait on one eventfd, one of them gets the count.
 *
 * When the last descriptor of the eventfd is closed it hangs up: the wire is
 * gone then, and what it counted stays.
 */
struct vhost_doorbell_bell_wire {
	__s32 fd;
	__u32 flags;
	__u64 reserved;
};

/**
 * struct vhost_doorbell_bell_page - what ringers and waiters share with a bell
 * @stamp: written by whoever rings, before that: the time in cycles of the
 *	host's counter (x86: TSC). The bell takes it, leaving zero, when it
 *	counts, and adds the time since to the histogram; zero: not known
 * @entered: when the bell last began to count, in the same cycles
 * @count: the counter, written last
 * @reserved: zero
 *
 * A hint for measurements and busy waiting. Whoever has the page may write
 * anything to it: the bell's own counter is not there.
 */
struct vhost_doorbell_bell_page {
	__u64 stamp;
	__u64 reserved[7];
	__u64 entered;
	__u64 count;
};

#define VHOST_DOORBELL_BELL_BUCKETS	48

/**
 * struct vhost_doorbell_bell_stats - what a bell knows
 * @count: the counter: sum of all that was rung
 * @mark: what poll() waits for the counter to pass
 * @rings: signals of eventfds, and calls of VHOST_DOORBELL_BELL_RING
 * @handled: times that the bell counted; less than @rings when one pass of the
 *	thread or of the ringer answered several
 * @wires: eventfds wired now
 * @hangups: wires that ended by a hang-up
 * @samples: times in the histogram
 * @sum_ns: their sum, in nanoseconds
 * @min_ns: the shortest, in nanoseconds; 0 without samples
 * @max_ns: the longest, in nanoseconds
 * @worker_pid: process id of the bell's thread, 0 in hook mode
 * @cycles_khz: cycles of the stamps per millisecond
 * @reserved: zero
 * @hist: the times, from the stamp (if the ringer left none: from the signal)
 *	to when the bell began to count: entry N is how many of at least 2^N and
 *	less than 2^(N+1) ns; the first also has zero, the last all longer ones.
 *	In hook mode there is no time to tell without a stamp
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

/* Any process may ask; needs no owner. */
#define VHOST_DOORBELL_GET_INFO \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x00, struct vhost_doorbell_info)
/* Once per device (EBUSY after that), by the owner. */
#define VHOST_DOORBELL_SET_BLK \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x01, struct vhost_doorbell_blk)
#define VHOST_DOORBELL_GET_CONFIG \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x02, struct vhost_doorbell_config)
/* By the owner. EPERM for what cannot be written, EINVAL for a value that cannot
 * be. Where wce becomes 0, all that was completed before is stable on return, and
 * each write from then on when it completes; if that fails, with the disk's error,
 * the second holds still.
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
/* The disk may have another size: the config space tells it from here on, and *arg
 * is the capacity in sectors of 512 bytes. Requests beyond a smaller one fail. By
 * the owner; ENOSPC and no change if it has become smaller than one block.
 */
#define VHOST_DOORBELL_RESIZE \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x09, __u64)

/* Once per device (EBUSY after that, or if it is a disk), by the owner. */
#define VHOST_DOORBELL_SET_NET \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x0A, struct vhost_doorbell_net)
/* By the owner; ENXIO if the device is no card, ENOBUFS if it has no such pair. */
#define VHOST_DOORBELL_SET_NET_PORT \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x0B, struct vhost_doorbell_net_port)
/* By the owner; ENXIO if the device is no card. */
#define VHOST_DOORBELL_SET_NET_DEV \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x0C, struct vhost_doorbell_net_dev)
/* For anyone with the file; ENXIO and ENOBUFS as above. */
#define VHOST_DOORBELL_GET_NET_STATS \
	_IOWR(VHOST_DOORBELL_IOC_MAGIC, 0x0D, struct vhost_doorbell_net_stats)

/* Any process may make bells; needs no owner. Returns a file descriptor. */
#define VHOST_DOORBELL_CREATE_BELL \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x20, struct vhost_doorbell_bell)
/* On a bell: add *arg, which is not zero, to the counter. */
#define VHOST_DOORBELL_BELL_RING \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x21, __u64)
/* EEXIST if it is wired to this bell already. */
#define VHOST_DOORBELL_BELL_WIRE \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x22, struct vhost_doorbell_bell_wire)
/* ENOENT if it is not wired to this bell. */
#define VHOST_DOORBELL_BELL_UNWIRE \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x23, struct vhost_doorbell_bell_wire)
/* poll() waits for the counter to pass *arg. */
#define VHOST_DOORBELL_BELL_SET_MARK \
	_IOW(VHOST_DOORBELL_IOC_MAGIC, 0x24, __u64)
#define VHOST_DOORBELL_BELL_GET_STATS \
	_IOR(VHOST_DOORBELL_IOC_MAGIC, 0x25, struct vhost_doorbell_bell_stats)

#endif /* _UAPI_LINUX_VHOST_DOORBELL_H */
