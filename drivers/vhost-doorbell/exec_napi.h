/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_EXEC_NAPI_H
#define BELL_EXEC_NAPI_H

#include <linux/netdevice.h>
#include <linux/types.h>

struct bell_exec;

/*
 * NAPI instance that serves one queue in softirq context, for frames of a tap. Constant
 * from start to stop.
 */
struct bell_napi {
	struct napi_struct	 napi;
	/* Not registered: a NAPI instance must belong to a device */
	struct net_device	*dummy;
	struct bell_exec	*exec;
	/* Counter of polls; written by the poll */
	u64			*polls;
};

int bell_exec_napi_start(struct bell_napi *n, struct bell_exec *exec,
			 u64 *polls);
void bell_exec_napi_stop(struct bell_napi *n);
void bell_exec_napi_ring(struct bell_napi *n);

#endif
