/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net - a virtio-net card with one running queue, on a fake port that records
 * frames
 *
 * The card has two pairs of queues; the running queue belongs to the second
 * pair.
 */
#ifndef TESTS_UNIT_NET_H
#define TESTS_UNIT_NET_H

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/uio.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vhost_doorbell.h>

#include "backend.h"
#include "backend_net.h"
#include "backend_net_priv.h"
#include "packed.h"
#include "port.h"

#define PORT_FD		7
#define FRAMES		256
#define FRAME_ROOM	66000

#define F(n)		BIT_ULL(VIRTIO_NET_F_##n)
#define V1		BIT_ULL(VIRTIO_F_VERSION_1)

/* One frame that the card gave to the port. */
struct sent {
	u32	len;
	u32	calls;			/* calls of send and send_large up to and with this one */
	bool	large;
	u8	hdr[12];
	u8	data[FRAME_ROOM];
};

struct fake_port {
	struct bell_port	 port;
	struct bell_net_rx	*rx;
	/* Frames for the guest; those from @next on were not delivered yet. */
	struct sk_buff		*skb[FRAMES];
	u32			 nskb, next;
	bool			 raw;		/* deliver as an XDP buffer */
	/* Frames that the guest sent. */
	struct sent		 sent[FRAMES];
	u32			 nsent, calls, longest;
	int			 send_ret, large_ret;
	bool			 holds;		/* keep the buffers of send */
	void			*held[FRAMES];
	u32			 nheld;
	u32			 refused;
	u32			 hdr_len;	/* bytes of virtio header of a large frame */
	int			 start_ret;
	u32			 starts, opens, closes;
	u16			 used_flags;	/* of the ring, at the last send */
};

static struct fake_port port;
static struct packed p;
static struct ring *const r = &p.r;
static struct bell_backend *be;
static struct bell_exec exec;

/* --- the fake port --- */

static inline int fake_send(struct bell_port *of,
			    const struct bell_port_frame *frame, unsigned int n,
			    u32 hdr_len)
{
	if (of != &port.port || !n || n > BELL_PORT_BATCH || world.atomic)
		shim_die("send of %u", n);
	port.calls++;
	if (!r->cfg.packed)
		port.used_flags = le16toh(r->used->flags);
	port.longest = max(port.longest, n);
	for (u32 i = 0; i < n; i++) {
		struct sent *s = &port.sent[port.nsent % FRAMES];

		if (BELL_PORT_BUFLEN(frame[i].len) > PAGE_SIZE)
			shim_die("a frame of %u bytes", frame[i].len);
		if (!port.send_ret) {
			s->len = frame[i].len;
			s->calls = port.calls;
			s->large = false;
			memcpy(s->hdr, &frame[i].hdr, sizeof(frame[i].hdr));
			memcpy(s->data, frame[i].buf + BELL_PORT_HEADROOM,
			       s->len);
			port.nsent++;
		} else {
			port.refused++;
		}
		/* The port may write to the whole buffer. */
		memset(frame[i].buf, 0xee, BELL_PORT_BUFLEN(frame[i].len));
		if (port.holds && port.nheld < FRAMES)
			port.held[port.nheld++] = frame[i].buf;
		else
			page_frag_free(frame[i].buf);
	}
	return port.send_ret;
}

static inline int fake_send_large(struct bell_port *of, struct iov_iter *iter,
				  u32 hdr_len, bool may_sleep)
{
	struct sent *s = &port.sent[port.nsent % FRAMES];
	size_t at = 0;

	(void)may_sleep;
	if (of != &port.port)
		shim_die("another port");
	if (iter->direction != ITER_SOURCE)
		shim_die("an iterator of direction %u", iter->direction);
	port.calls++;
	if (port.large_ret) {
		port.refused++;
		return port.large_ret;
	}
	s->len = iter->count - hdr_len;
	s->calls = port.calls;
	s->large = true;
	for (u32 i = 0; i < iter->nr_segs; i++) {
		const struct bio_vec *v = &iter->bvec[i];
		const u8 *from = page_address(v->bv_page) + v->bv_offset;

		for (u32 k = 0; k < v->bv_len; k++, at++) {
			if (at < hdr_len)
				s->hdr[at] = from[k];
			else
				s->data[at - hdr_len] = from[k];
		}
	}
	if (at != iter->count)
		shim_die("%zu bytes in pieces of %zu", at, iter->count);
	port.hdr_len = hdr_len;
	port.nsent++;
	return 0;
}

static inline int fake_start(struct bell_port *of, struct bell_net_rx *rx,
			     struct bell_exec *e)
{
	if (port.start_ret)
		return port.start_ret;
	port.rx = rx;
	port.starts++;
	return 0;
}

static inline void fake_stop(struct bell_port *of)
{
	port.rx = NULL;
	port.starts--;
}

static inline int fake_deliver(struct sk_buff *skb)
{
	if (port.raw)
		return bell_backend_net_deliver_raw(port.rx, skb->data,
						    skb->len);
	return bell_backend_net_deliver(port.rx, skb);
}

/* Receive with bottom halves off, as a tap does. */
static inline enum bell_pass fake_receive(struct bell_port *of,
					  struct bell_run *run)
{
	enum bell_pass how = BELL_PASS_DONE;
	int ret = 0;

	world.atomic++;
	while (port.next < port.nskb && ret >= 0) {
		if (!bell_run_spend(run)) {
			how = BELL_PASS_MORE;
			break;
		}
		ret = fake_deliver(port.skb[port.next]);
		port.next += ret >= 0;
	}
	bell_backend_net_deliver_end(port.rx);
	world.atomic--;
	if (ret == -EAGAIN)
		return BELL_PASS_PUNT;
	return ret < 0 && ret != -ENOBUFS ? BELL_PASS_STOP : how;
}

static inline bool fake_pending(struct bell_port *of)
{
	return port.next < port.nskb;
}

static inline void fake_show(struct bell_port *of, struct seq_file *m)
{
}

static inline void fake_close(struct bell_port *of)
{
	port.closes++;
}

static const struct bell_port_ops fake_ops = {
	.send = fake_send, .send_large = fake_send_large,
	.start = fake_start, .stop = fake_stop,
	.receive = fake_receive, .pending = fake_pending,
	.show = fake_show, .close = fake_close,
};

struct bell_port *bell_port_tap_open(int fd)
{
	if (fd != PORT_FD)
		return ERR_PTR(-EBADF);
	port.port.ops = &fake_ops;
	port.opens++;
	return &port.port;
}

int bell_port_dev_create(struct vhost_doorbell_net_dev *cfg, u16 mtu,
			 const struct bell_net_stats **stats,
			 struct bell_port **ports, u32 n)
{
	if (port.start_ret)
		return port.start_ret;
	port.port.ops = &fake_ops;
	for (u32 i = 0; i < n; i++) {
		ports[i] = &port.port;
		port.opens++;
	}
	return 0;
}

bool bell_exec_poll(struct bell_run *run)
{
	return false;
}

/* --- the card under test --- */

static const struct vhost_doorbell_net net_cfg = { .num_pairs = 2, .mtu = 1500 };

/* Set a port in the way device.c does. */
static inline int net_set_port_of(const struct vhost_doorbell_net_port *cfg)
{
	struct bell_port *old = NULL;
	int ret = bell_backend_net_set_port(be, cfg, &old);

	bell_backend_net_close_port(old);
	return ret;
}

static inline int net_set_port(int fd)
{
	return net_set_port_of(&(struct vhost_doorbell_net_port){
		.pair = 1, .fd = fd,
	});
}

static inline struct vhost_doorbell_net_stats net_stats(void)
{
	struct vhost_doorbell_net_stats st = { .pair = 1 };

	if (bell_backend_net_get_stats(be, &st))
		shim_die("no counters");
	return st;
}

/*
 * Set up guest memory and a queue of the second pair; do not start the queue.
 */
static inline void net_init(u32 num, bool packed, bool sends)
{
	if (packed) {
		packed_init(&p, num);
	} else {
		memset(&p, 0, sizeof(p));
		ring_init(r, num);
	}
	r->vq.index = sends ? 3 : 2;
	port.rx = NULL;
	port.nskb = port.next = port.nsent = port.calls = port.longest = 0;
	port.send_ret = port.large_ret = port.start_ret = 0;
	port.refused = port.starts = port.opens = port.closes = 0;
	port.raw = port.holds = false;
	be = bell_backend_net_create(&net_cfg);
	if (IS_ERR(be))
		shim_die("no back end: %ld", PTR_ERR(be));
	exec = (struct bell_exec){ .vq = &r->vq };
}

static inline void net_start(u64 features)
{
	int ret;

	if (r->cfg.packed)
		packed_start(&p);
	else
		ring_start(r);
	ret = be->ops->start_queue(be, &exec, features);
	if (ret)
		shim_die("no queue: %d", ret);
}

static inline void net_end(void)
{
	be->ops->stop_queue(be, &exec);
	while (port.nheld)
		page_frag_free(port.held[--port.nheld]);
	if (port.rx || port.starts)
		shim_die("the port was not stopped");
	be->ops->destroy(be);
	if (port.opens != port.closes)
		shim_die("the port is still open");
	ring_end(r);
}

static inline enum bell_pass net_pass_of(bool may_sleep, unsigned int budget)
{
	struct bell_run run = {
		.exec = &exec, .budget = budget, .may_sleep = may_sleep,
	};

	return be->ops->exec.pass(&exec, &run);
}

static inline enum bell_pass net_pass(bool may_sleep)
{
	return net_pass_of(may_sleep, 1000);
}

#endif
