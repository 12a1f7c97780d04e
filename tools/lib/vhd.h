/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhd - one thin call per ioctl of /dev/vhost-doorbell
 *
 * Every function returns 0 or -errno, vhd_dev_open() the file descriptor or -errno. The
 * functions keep no state and print nothing. vhost_doorbell.h and Documentation/uapi.rst
 * describe the calls and their errors.
 */
#ifndef TOOLS_LIB_VHD_H
#define TOOLS_LIB_VHD_H

#include <stddef.h>
#include <stdint.h>
#include <linux/vhost.h>
#include <linux/vhost_doorbell.h>

#define VHD_DEV_PATH	"/dev/vhost-doorbell"

/* @path NULL: VHD_DEV_PATH. The descriptor is O_CLOEXEC. */
int vhd_dev_open(const char *path);

/* The standard vhost calls. */
int vhd_set_owner(int dev);
int vhd_get_features(int dev, uint64_t *features);
int vhd_set_features(int dev, uint64_t features);
int vhd_set_mem_table(int dev, const struct vhost_memory *mem);
int vhd_set_vring_num(int dev, uint32_t index, uint32_t num);
int vhd_set_vring_addr(int dev, const struct vhost_vring_addr *addr);
int vhd_set_vring_base(int dev, uint32_t index, uint32_t base);
int vhd_get_vring_base(int dev, uint32_t index, uint32_t *base);
/* @fd is an eventfd, or -1: none. The kernel takes a reference of its own. */
int vhd_set_vring_kick(int dev, uint32_t index, int fd);
int vhd_set_vring_call(int dev, uint32_t index, int fd);
int vhd_set_vring_err(int dev, uint32_t index, int fd);

/* Calls of this module only */
int vhd_get_info(int dev, struct vhost_doorbell_info *info);
int vhd_set_blk(int dev, const struct vhost_doorbell_blk *blk);
int vhd_set_net(int dev, const struct vhost_doorbell_net *net);
/* @fd is a tap, or -1: none. The kernel takes a reference of its own. */
int vhd_set_net_port(int dev, uint32_t pair, int fd);
int vhd_set_net_dev(int dev, struct vhost_doorbell_net_dev *net_dev);
int vhd_get_net_stats(int dev, uint32_t pair,
		      struct vhost_doorbell_net_stats *stats);
int vhd_get_config(int dev, uint32_t offset, void *data, uint32_t size);
int vhd_set_claim(int dev, int fd);
int vhd_set_log(int dev, uint64_t addr, uint64_t size);
int vhd_adopt(int dev, const struct vhost_memory *mem);
int vhd_set_inflight(int dev, uint32_t index, uint64_t addr, uint64_t size);
int vhd_resize(int dev, uint64_t *sectors);
int vhd_set_config(int dev, uint32_t offset, const void *data, uint32_t size);
int vhd_get_exec(int dev, struct vhost_doorbell_exec *exec);
int vhd_set_exec(int dev, const struct vhost_doorbell_exec *exec);
int vhd_set_run(int dev, uint32_t index, int run, uint32_t flags);
int vhd_get_stats(int dev, uint32_t index, struct vhost_doorbell_stats *stats);
int vhd_get_mem_stats(int dev, struct vhost_doorbell_mem_stats *stats);

/*
 * Bells. The first returns the file descriptor of the bell, O_CLOEXEC, or -errno; the
 * others take it. @fd is an eventfd; the kernel takes a reference of its own.
 */
int vhd_create_bell(int dev, uint32_t mode);
int vhd_bell_ring(int bell, uint64_t count);
int vhd_bell_wire(int bell, int fd);
int vhd_bell_unwire(int bell, int fd);
int vhd_bell_set_mark(int bell, uint64_t mark);
int vhd_bell_get_stats(int bell, struct vhost_doorbell_bell_stats *stats);

/*
 * The words of vhd_mode_parse() and vhd_bell_mode_parse() for options; in the order of
 * the modes.
 */
#define VHD_BELL_MODE_WORDS	"hook|worker|inline"
#define VHD_MODE_WORDS		"auto|worker|inline|poll"

/* "hook", "worker", "inline"; as vhd_mode_parse() and vhd_mode_name(). */
int vhd_bell_mode_parse(const char *word);
const char *vhd_bell_mode_name(uint32_t mode);

/*
 * "auto", "worker", "inline", "poll": the words of options and output. The first returns
 * the mode or -EINVAL, the second NULL for an unknown number.
 */
int vhd_mode_parse(const char *word);
const char *vhd_mode_name(uint32_t mode);

#endif
