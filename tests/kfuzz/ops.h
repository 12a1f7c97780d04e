/* SPDX-License-Identifier: GPL-2.0 */
/* ops - the devices of a program, and what the operations have in common */
#ifndef KFUZZ_OPS_H
#define KFUZZ_OPS_H

#include "kfuzz.h"
#include "ring.h"

struct device {
	int		fd;		/* -1: not open */
	bool		is_net;
	int		ifindex;	/* of the device's own network device; 0: none */
	struct queue	queue[QUEUES];
};

struct run {
	struct device	dev[DEVS];
	int		bell;		/* -1: none */
	bool		torn;		/* guest memory has holes */
	bool		filled;		/* a file system was full */
	struct outcome	outcome;
};

/* What most operations begin with: their device, open, and one of its queues */
struct device *ops_device(struct run *run, const uint8_t *a);
struct queue *ops_queue(struct run *run, const uint8_t *a);
/* An ioctl. @a[12] to @a[14] may change a field of the argument before. */
int ops_call(struct device *d, unsigned long cmd, void *arg, const uint8_t *a);
/* A descriptor: mostly @right */
int ops_fd(int right, uint8_t choice);
void ops_read_fdinfo(int fd);

/* ops_config.c */
void op_setup(struct run *run, const uint8_t *a);
void op_setup_in_child(struct run *run, const uint8_t *a);
void op_owner(struct run *run, const uint8_t *a);
void op_features(struct run *run, const uint8_t *a);
void op_memory(struct run *run, const uint8_t *a);
void op_adopt(struct run *run, const uint8_t *a);
void op_num(struct run *run, const uint8_t *a);
void op_base(struct run *run, const uint8_t *a);
void op_addr(struct run *run, const uint8_t *a);
void op_file(struct run *run, const uint8_t *a);
void op_blk(struct run *run, const uint8_t *a);
void op_net(struct run *run, const uint8_t *a);
void op_port(struct run *run, const uint8_t *a);
void op_netdev(struct run *run, const uint8_t *a);
void op_exec(struct run *run, const uint8_t *a);
void op_run(struct run *run, const uint8_t *a);
void op_config(struct run *run, const uint8_t *a);
void op_log(struct run *run, const uint8_t *a);
void op_claim(struct run *run, const uint8_t *a);
void op_inflight(struct run *run, const uint8_t *a);

/* ops_guest.c */
void op_request(struct run *run, const uint8_t *a);
void op_kick(struct run *run, const uint8_t *a);
void op_write(struct run *run, const uint8_t *a);
void op_race(struct run *run, const uint8_t *a);
void op_inject(struct run *run, const uint8_t *a);
void op_burst(struct run *run, const uint8_t *a);
void op_ethtool(struct run *run, const uint8_t *a);
void op_wait(struct run *run, const uint8_t *a);

/* ops_bell.c */
void op_bell(struct run *run, const uint8_t *a);

#endif
