/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_EXEC_NAPI_H
#define BELL_EXEC_NAPI_H

#include <linux/netdevice.h>
#include <linux/types.h>

struct bell_exec;

/* Serves one queue in softirq context, for what a network brings. */
struct bell_napi {
	struct napi_struct	 napi;
	struct net_device	*dummy;		/* of no name, for @napi */
	struct bell_exec	*exec;
	u64			*polls;		/* the runner's counter */
};

int bell_exec_napi_start(struct bell_napi *n, struct bell_exec *exec,
			 u64 *polls);
void bell_exec_napi_stop(struct bell_napi *n);
void bell_exec_napi_ring(struct bell_napi *n);

#endif
