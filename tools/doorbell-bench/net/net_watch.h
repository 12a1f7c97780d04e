/* SPDX-License-Identifier: GPL-2.0 */
/* net_watch - the main thread's loop while the lanes run */
#ifndef NET_WATCH_H
#define NET_WATCH_H

struct net_run;

struct net_watch {
	int	signals;	/* signalfd */
};

/* Call before the lanes start: routes signals here. Returns 0 or -errno. */
int net_watch_begin(struct net_watch *w);
/* Waits until all lanes are done; ends the load when its time is over. */
void net_watch(struct net_watch *w, struct net_run *r);
void net_watch_end(struct net_watch *w);

#endif
