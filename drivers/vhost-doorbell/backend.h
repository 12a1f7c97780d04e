/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend - the contract between a device and what it is a device of
 *
 * A back end takes chains from its queues when it is run, and completes them in
 * whatever context and order it likes. It never waits for the guest.
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

	/* Copy from the config space; what is beyond its end stays zero. */
	void	(*get_config)(struct bell_backend *be, u32 offset, void *buf,
			      u32 size);

	/* The driver writes there; -EPERM: not to that. */
	int	(*set_config)(struct bell_backend *be, u32 offset,
			      const void *buf, u32 size);

	/*
	 * A driver has agreed on features: the config space is as it is after a
	 * reset. Not called for features that were agreed on already.
	 */
	void	(*set_features)(struct bell_backend *be, u64 features);

	/*
	 * What is behind it may have another size: look, and say what the
	 * guest is told from here on, in sectors of 512 bytes.
	 */
	int	(*resize)(struct bell_backend *be, u64 *sectors);

	/*
	 * Per queue, around a run: what depends on its size and on the features
	 * agreed on. Stop finds nothing in flight. The back end keeps what it
	 * needs in exec->vq->priv.
	 */
	int	(*start_queue)(struct bell_backend *be, struct bell_exec *exec,
			       u64 features);
	void	(*stop_queue)(struct bell_backend *be, struct bell_exec *exec);

	/* Lines for /proc/PID/fdinfo/FD. */
	void	(*show)(struct bell_backend *be, struct seq_file *m);

	/* End what takes long between its slices; by close or a fatal signal. */
	void	(*abort)(struct bell_backend *be);

	/* With all queues stopped. */
	void	(*destroy)(struct bell_backend *be);
};

/* Embedded in the back end's own structure; constant while it lives. */
struct bell_backend {
	const struct bell_backend_ops	*ops;
	u64				 features;	/* of its device type */
	u64				 features_needed; /* no driver without */
	u32				 num_queues;
	u32				 max_segs;	/* of a chain; 0: of the ring */
	u32				 budget;	/* default of an inline pass; 0: 64 */
	/* Requests can be submitted without blocking, so by a vCPU too. */
	bool				 may_inline;
	/* A pass completes all that it takes. */
	bool				 completes_all;
	/* They are charged to the block cgroup of the thread that submits. */
	bool				 charges_runner;
};

/* backend.c */
enum bell_pass bell_backend_stop_reason(struct bell_vq *vq, int error);

#endif
