/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_rig - what one row of the table is measured with: an eventfd, who listens
 * to it, and where in a machine it is rung
 *
 * All rows share a machine, so that they differ in nothing else. Rigs outlive
 * machines. They belong to one thread, which runs the guest.
 */
#ifndef BELL_RIG_H
#define BELL_RIG_H

#include <pthread.h>

#include "bell.h"
#include "bell_awake.h"
#include "vmm.h"

struct bell_place {
	int			dev;		/* /dev/vhost-doorbell, or -errno */
	int			vcpu_cpu;	/* where the guest runs */
	int			waiter_cpu;	/* where those run who wait for it */
	struct bell_awake	awake;		/* there, if that is another */
};

struct bell_rig {
	const struct bell_desc			*desc;
	struct bell_place			*place;
	struct vmm				*vmm;
	int					 efd;
	int					 bell;
	uint64_t				 total;	/* rings so far */
	struct vhost_doorbell_bell_page		*page;

	/* The thread that waits in epoll. */
	pthread_t				 thread;
	pid_t					 tid;	/* 0 until it runs */
	bool					 started;
	bool					 stop;
};

struct bell_sample {
	double	rtt;		/* ns */
	double	rate;		/* per second */
	double	seconds;	/* that it took */
	double	switches;	/* context switches of the handler's thread */
};

/*
 * The device, and CPUs for guest and waiter, of different cores if there are.
 * Gives how many CPUs these are: 1 or 2.
 */
unsigned int bell_place_init(struct bell_place *p);
void bell_place_exit(struct bell_place *p);

/*
 * 0; or 1: that row cannot be had here; or -1: something failed. Then
 * @row->reason says what.
 */
int bell_rig_open(struct bell_rig *r, struct bell_place *p,
		  struct bell_row *row);
void bell_rig_close(struct bell_rig *r);

/* Be in that machine, until it is destroyed; as bell_rig_open(). */
int bell_rig_enter(struct bell_rig *r, struct vmm *vmm, struct bell_row *row);

/* Rings @count times; 0, or -1 and a reason. */
int bell_rig_measure(struct bell_rig *r, struct bell_row *row, uint64_t count,
		     struct bell_sample *s);

/* The most that can be rung at once. */
uint64_t bell_rig_max(const struct bell_desc *d);

#endif
