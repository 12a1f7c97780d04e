/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend - the contract between the generic device and one device type (disk,
 * card)
 *
 * A back end takes chains from its queues during a pass. It may complete them
 * in any context and in any order. It never waits for the guest.
 */
#ifndef BELL_BACKEND_H
#define BELL_BACKEND_H

#include <linux/types.h>

#include "exec.h"

struct bell_backend;
struct bell_vq;
struct seq_file;

struct bell_backend_ops {
	const char	*name;
	struct bell_exec_ops exec;

	/*
	 * Copy @size bytes at @offset of the config space to @buf, which the
	 * caller zeroed. Bytes beyond the end of the config space stay zero.
	 * Under the device's lock.
	 */
	void	(*get_config)(struct bell_backend *be, u32 offset, void *buf,
			      u32 size);

	/*
	 * The driver wrote @size bytes at @offset of the config space. Returns
	 * 0, -EPERM if that field is read-only, or another errno. Under the
	 * device's lock.
	 */
	int	(*set_config)(struct bell_backend *be, u32 offset,
			      const void *buf, u32 size);

	/*
	 * Driver and device have negotiated @features: set the config space to
	 * its state after a reset. Called only when the set of features
	 * changes.
	 */
	void	(*set_features)(struct bell_backend *be, u64 features);

	/*
	 * Read the size of the disk again and update the config space.
	 * @sectors: out: the new capacity in sectors of 512 bytes. Returns 0 or
	 * a negative errno.
	 */
	int	(*resize)(struct bell_backend *be, u64 *sectors);

	/*
	 * Called before and after a queue runs: allocate and free what depends
	 * on the queue's size and on the negotiated features. At the stop no
	 * request of the queue is in flight. The back end keeps its data in
	 * exec->vq->priv.
	 */
	int	(*start_queue)(struct bell_backend *be, struct bell_exec *exec,
			       u64 features);
	void	(*stop_queue)(struct bell_backend *be, struct bell_exec *exec);

	/*
	 * Age in nanoseconds of the oldest request in flight in a running
	 * queue; 0 if there is none. NULL if the back end does not measure it.
	 */
	u64	(*oldest)(struct bell_backend *be, struct bell_exec *exec);

	/* Print the back end's lines of /proc/PID/fdinfo/FD. */
	void	(*show)(struct bell_backend *be, struct seq_file *m);

	/*
	 * Make long discards, write zeroes and erases, and large reads and
	 * writes, end with an error after the current slice. Called by the last
	 * close. May be NULL.
	 */
	void	(*abort)(struct bell_backend *be);

	/* Free the back end. All queues are stopped. */
	void	(*destroy)(struct bell_backend *be);
};

/* Embedded in the back end's own structure; constant after its creation */
struct bell_backend {
	const struct bell_backend_ops	*ops;
	/* Feature bits of the device type that are offered to the driver */
	u64				 features;
	/* Of these, bits that the driver must accept */
	u64				 features_needed;
	u32				 num_queues;
	/* Longest chain, in descriptors; 0: the queue's size, at least 1024 */
	u32				 max_segs;
	/* Default budget of an inline pass, in chains; 0: 64 */
	u32				 budget;
	/* The ringing vCPU thread may submit, as that need not block. */
	bool				 may_inline;
	/* Each pass completes all chains that it takes before it ends. */
	bool				 completes_all;
	/* Kinds of requests that the back end serves: bits 1 << enum bell_kind */
	u32				 kinds;
	/* I/O is charged to the block cgroup of the thread that submits it. */
	bool				 charges_runner;
};

/* backend.c */
enum bell_pass bell_backend_stop_reason(int error);

#endif
