/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_watch - the main thread while the lanes work
 */
#ifndef NET_WATCH_H
#define NET_WATCH_H

struct net_run;

struct net_watch {
	int	signals;	/* signalfd */
};

/* Before the lanes start: signals come here from now on. 0 or -errno. */
int net_watch_begin(struct net_watch *w);
/* Until all lanes are done: ends the load when its time is up. */
void net_watch(struct net_watch *w, struct net_run *r);
void net_watch_end(struct net_watch *w);

#endif
