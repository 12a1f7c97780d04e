/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_BACKEND_NET_H
#define BELL_BACKEND_NET_H

struct bell_backend;
struct bell_port;
struct vhost_doorbell_net;
struct vhost_doorbell_net_dev;
struct vhost_doorbell_net_port;
struct vhost_doorbell_net_stats;

struct bell_backend *bell_backend_net_create(const struct vhost_doorbell_net *cfg);
bool bell_backend_is_net(const struct bell_backend *be);

int bell_backend_net_set_port(struct bell_backend *be,
			      const struct vhost_doorbell_net_port *cfg,
			      struct bell_port **old);
void bell_backend_net_close_port(struct bell_port *port);
int bell_backend_net_set_dev(struct bell_backend *be,
			     struct vhost_doorbell_net_dev *cfg);
int bell_backend_net_get_stats(struct bell_backend *be,
			       struct vhost_doorbell_net_stats *st);

#endif
