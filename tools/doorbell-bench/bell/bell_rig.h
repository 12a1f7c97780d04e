/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_rig - the parts of one row: an eventfd, its listener, and the place in a
 * machine where the guest rings it
 *
 * All rows share a machine, so that they differ in nothing else. A rig outlives
 * a machine. Rigs belong to one thread, which also runs the guest.
 */
#ifndef BELL_RIG_H
#define BELL_RIG_H

#include <pthread.h>

#include "bell.h"
#include "bell_awake.h"
#include "vmm.h"

struct bell_place {
	int			dev;		/* descriptor of /dev/vhost-doorbell, or -errno */
	int			vcpu_cpu;	/* CPU of the guest */
	int			waiter_cpu;	/* CPU of the handlers */
	struct bell_awake	awake;		/* keeps waiter_cpu awake, if it is not vcpu_cpu */
};

struct bell_rig {
	const struct bell_desc			*desc;
	struct bell_place			*place;
	struct vmm				*vmm;
	int					 efd;
	int					 bell;
	uint64_t				 total;	/* rings so far */
	struct vhost_doorbell_bell_page		*page;

	/* The thread in epoll_wait(). */
	pthread_t				 thread;
	pid_t					 tid;	/* 0 until the thread runs */
	bool					 started;
	bool					 stop;
};

struct bell_sample {
	double	rtt;		/* nanoseconds */
	double	rate;		/* per second */
	double	seconds;	/* duration */
	double	switches;	/* context switches of the handler's thread */
};

/*
 * Opens the device, and chooses CPUs for guest and handler, on different cores
 * if possible. Returns the number of CPUs: 1 or 2.
 */
unsigned int bell_place_init(struct bell_place *p);
void bell_place_exit(struct bell_place *p);

/*
 * Returns 0; 1 if this row cannot be measured here; or -1 if something failed.
 * On 1 and -1 @row->reason says why.
 */
int bell_rig_open(struct bell_rig *r, struct bell_place *p,
		  struct bell_row *row);
void bell_rig_close(struct bell_rig *r);

/*
 * Registers the rig with @vmm, until that machine is destroyed. Returns as
 * bell_rig_open().
 */
int bell_rig_enter(struct bell_rig *r, struct vmm *vmm, struct bell_row *row);

/* Rings @count times. Returns 0, or -1 with a reason. */
int bell_rig_measure(struct bell_rig *r, struct bell_row *row, uint64_t count,
		     struct bell_sample *s);

/* The highest count that bell_rig_measure() takes. */
uint64_t bell_rig_max(const struct bell_desc *d);

#endif
