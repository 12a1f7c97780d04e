/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BELL_DEVICE_H
#define BELL_DEVICE_H

#include <linux/types.h>

struct bell_device;
struct seq_file;
struct vhost_doorbell_blk;
struct vhost_doorbell_claim;
struct vhost_doorbell_config;
struct vhost_doorbell_exec;
struct vhost_doorbell_errors;
struct vhost_doorbell_hist;
struct vhost_doorbell_inflight;
struct vhost_doorbell_info;
struct vhost_doorbell_log;
struct vhost_doorbell_mem_stats;
struct vhost_doorbell_net;
struct vhost_doorbell_net_dev;
struct vhost_doorbell_net_port;
struct vhost_doorbell_net_stats;
struct vhost_doorbell_run;
struct vhost_doorbell_stats;
struct vhost_memory_region;
struct vhost_vring_addr;
struct vhost_vring_file;
struct vhost_vring_state;

int bell_device_init(void);
void bell_device_exit(void);

struct bell_device *bell_device_create(void);
void bell_device_release(struct bell_device *dev);

int bell_device_lock(struct bell_device *dev);
void bell_device_unlock(struct bell_device *dev);
int bell_device_show_lock(struct bell_device *dev);
void bell_device_show_unlock(struct bell_device *dev);

/*
 * Each is one ioctl; with bell_device_lock() held. Returns 0 or a negative errno, as
 * Documentation/uapi.rst lists.
 */
int bell_device_set_owner(struct bell_device *dev);
int bell_device_get_features(struct bell_device *dev, u64 *features);
int bell_device_set_features(struct bell_device *dev, u64 features);
int bell_device_set_claim(struct bell_device *dev,
			  const struct vhost_doorbell_claim *cfg);
int bell_device_set_log(struct bell_device *dev,
			const struct vhost_doorbell_log *cfg);
int bell_device_set_mem_table(struct bell_device *dev,
			      const struct vhost_memory_region *regions,
			      unsigned int n);
int bell_device_adopt(struct bell_device *dev,
		      const struct vhost_memory_region *regions, unsigned int n);
int bell_device_set_vring_num(struct bell_device *dev,
			      const struct vhost_vring_state *s);
int bell_device_set_vring_base(struct bell_device *dev,
			       const struct vhost_vring_state *s);
int bell_device_get_vring_base(struct bell_device *dev,
			       struct vhost_vring_state *s);
int bell_device_set_vring_addr(struct bell_device *dev,
			       const struct vhost_vring_addr *a);
int bell_device_set_vring_kick(struct bell_device *dev,
			       const struct vhost_vring_file *f);
int bell_device_set_vring_call(struct bell_device *dev,
			       const struct vhost_vring_file *f);
int bell_device_set_vring_err(struct bell_device *dev,
			      const struct vhost_vring_file *f);
int bell_device_set_inflight(struct bell_device *dev,
			     const struct vhost_doorbell_inflight *cfg);
int bell_device_set_blk(struct bell_device *dev,
			const struct vhost_doorbell_blk *cfg);
int bell_device_set_net(struct bell_device *dev,
			const struct vhost_doorbell_net *cfg);
int bell_device_set_net_port(struct bell_device *dev,
			     const struct vhost_doorbell_net_port *cfg);
int bell_device_set_net_dev(struct bell_device *dev,
			    struct vhost_doorbell_net_dev *cfg);
int bell_device_get_config(struct bell_device *dev,
			   struct vhost_doorbell_config *cfg);
int bell_device_set_config(struct bell_device *dev,
			   const struct vhost_doorbell_config *cfg);
int bell_device_resize(struct bell_device *dev, u64 *sectors);
int bell_device_set_exec(struct bell_device *dev,
			 const struct vhost_doorbell_exec *e);
int bell_device_set_run(struct bell_device *dev,
			const struct vhost_doorbell_run *run);

/*
 * Each is one ioctl that only reads. The caller holds bell_device_show_lock(), so that
 * the ioctl is answered while another call waits for the disk.
 */
int bell_device_get_info(struct bell_device *dev,
			 struct vhost_doorbell_info *info);
int bell_device_get_exec(struct bell_device *dev,
			 struct vhost_doorbell_exec *e);
int bell_device_get_stats(struct bell_device *dev,
			  struct vhost_doorbell_stats *st);
int bell_device_get_mem_stats(struct bell_device *dev,
			      struct vhost_doorbell_mem_stats *st);
int bell_device_get_net_stats(struct bell_device *dev,
			      struct vhost_doorbell_net_stats *st);
int bell_device_get_hist(struct bell_device *dev,
			 struct vhost_doorbell_hist *h);
int bell_device_get_errors(struct bell_device *dev,
			   struct vhost_doorbell_errors *e);

/* Prints the device's fdinfo; takes the show_lock itself. */
void bell_device_show(struct bell_device *dev, struct seq_file *m);

#endif
