/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bell_epoll - a handler in user space, as a VMM has it: a thread in
 * epoll_wait()
 */
#ifndef BELL_EPOLL_H
#define BELL_EPOLL_H

struct bell_rig;

/*
 * Starts the handler on the waiter CPU, with the page of @r. Returns 0 or
 * -errno.
 */
int bell_epoll_start(struct bell_rig *r);
void bell_epoll_stop(struct bell_rig *r);

#endif
