// SPDX-License-Identifier: GPL-2.0
/*
 * port_tap - a tap or macvtap as the port of a pair of queues
 *
 * Frames for the guest: the sender puts a packet into the ring of the tap's file and
 * wakes the reader of that file. Our hook takes the place of that reader: of a tap the
 * sk_data_ready() of its socket, with bottom halves off and no lock held; of a
 * macvtap an entry of its wait queue, under the lock of that, interrupts off. It has
 * the receiving queue served by exec_napi.c, and the pass takes the packets from the
 * ring straight into the guest's pages, in the sender's thread.
 *
 * The lock of the ring's consumers is one that others take with bottom halves on: a
 * read() of the same file, or the end of the tap. A softirq that waited for it might
 * wait for the very thread that it interrupted. So it only tries, and else leaves
 * the pass to the worker.
 *
 * Frames of the guest go the way that vhost-net's go: small ones by a batch of XDP
 * buffers, a large one as if written to the file.
 *
 * Teardown: a tap that goes calls the hook with the RTNL held and without RCU. Thus
 * the hook is taken off under the RTNL, and after a grace period none runs. It takes
 * no lock that is held around the RTNL.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/if_tap.h>
#include <linux/if_tun.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/poll.h>
#include <linux/ptr_ring.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <net/sock.h>
#include <net/xdp.h>

#include "compat_net.h"
#include "exec.h"
#include "exec_napi.h"
#include "port.h"

#define TAP_BATCH	BELL_PORT_BATCH
/* When a batch ends, so that the ring's lock is not held for long: */
#define TAP_BYTES	SZ_512K
#define TAP_PLACES	4096U	/* descriptors */
#define TAP_SPEND	16	/* of them for one of a pass's budget */

struct tap_port {
	struct bell_port	 port;
	struct file		*file;
	struct socket		*sock;
	struct ptr_ring		*ring;
	bool			 macvtap;

	/* While the receiving queue runs. */
	struct bell_net_rx	*rx;
	struct bell_napi	 napi;
	void			(*sk_data_ready)(struct sock *sk);
	struct wait_queue_entry	 wait;

	/* The receiving queue's runner: packets that were delivered. */
	void			*delivered[TAP_BATCH];

	/* The sending queue's; when the tap was last looked at, in jiffies. */
	unsigned long		 looked;
	bool			 down;
	struct xdp_buff		 xdp[BELL_PORT_BATCH];
};

static struct tap_port *tap_of(struct bell_port *port)
{
	return container_of(port, struct tap_port, port);
}

/* --- frames of the guest --- */

/* A socket with a small buffer is charged for what it has sent, frame by frame. */
static bool tap_batches(const struct tap_port *tap)
{
	return READ_ONCE(tap->sock->sk->sk_sndbuf) == INT_MAX;
}

/*
 * A tap that is down drops what is written to its file, but takes batches. Whether it
 * is up, poll() tells; that takes the lock of the ring, so not for each batch.
 */
static bool tap_is_down(struct tap_port *tap)
{
	if (tap->macvtap)
		return false;
	if (time_after(jiffies, tap->looked)) {
		tap->looked = jiffies;
		tap->down = !(vfs_poll(tap->file, NULL) & EPOLLOUT);
	}
	return tap->down;
}

static int tap_send_iter(struct tap_port *tap, struct iov_iter *iter)
{
	struct msghdr msg = {
		.msg_iter = *iter, .msg_flags = MSG_DONTWAIT,
	};
	int ret;

	ret = tap->sock->ops->sendmsg(tap->sock, &msg, iov_iter_count(iter));
	if (ret == -EIO || ret == -EBADFD)
		return -ENETDOWN;
	return min(ret, 0);
}

/* The header goes into the headroom. What the socket has no room for is dropped. */
static int tap_send_each(struct tap_port *tap,
			 const struct bell_port_frame *frame, unsigned int n,
			 u32 hdr_len)
{
	struct iov_iter iter;
	int ret = 0, error;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct kvec vec = {
			.iov_base = frame[i].buf + BELL_PORT_HEADROOM - hdr_len,
			.iov_len = hdr_len + frame[i].len,
		};

		memset(vec.iov_base, 0, hdr_len);
		memcpy(vec.iov_base, &frame[i].hdr, sizeof(frame[i].hdr));
		iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, vec.iov_len);
		error = tap_send_iter(tap, &iter);
		page_frag_free(frame[i].buf);
		ret = ret ?: error;
	}
	return ret;
}

static int tap_send(struct bell_port *port, const struct bell_port_frame *frame,
		    unsigned int n, u32 hdr_len)
{
	struct tap_port *tap = tap_of(port);
	struct tun_msg_ctl ctl = {
		.type = TUN_MSG_PTR, .num = n, .ptr = tap->xdp,
	};
	struct msghdr msg = {
		.msg_control = &ctl,
		.msg_controllen = sizeof(ctl),
		.msg_flags = MSG_DONTWAIT,
	};
	unsigned int i;
	int ret;

	if (!tap_batches(tap))
		return tap_send_each(tap, frame, n, hdr_len);
	if (tap_is_down(tap))
		return bell_backend_net_drop_frames(frame, n, -ENETDOWN);
	for (i = 0; i < n; i++)
		bell_tun_init_xdp(&tap->xdp[i], frame[i].buf,
				  BELL_PORT_BUFLEN(frame[i].len),
				  BELL_PORT_HEADROOM, frame[i].len,
				  &frame[i].hdr);
	ret = tap->sock->ops->sendmsg(tap->sock, &msg, 0);
	/* The buffers stay ours then. */
	return ret < 0 ? bell_backend_net_drop_frames(frame, n, -ENETDOWN) : 0;
}

static int tap_send_large(struct bell_port *port, struct iov_iter *iter,
			  u32 hdr_len, bool may_sleep)
{
	return tap_send_iter(tap_of(port), iter);
}

/* --- frames for the guest --- */

static int tap_deliver(struct tap_port *tap, void *ptr)
{
	struct xdp_frame *frame;
	struct sk_buff *skb;
	u32 len;
	int ret;

	if (unlikely(!tap->macvtap && tun_is_xdp_frame(ptr))) {
		frame = tun_ptr_to_xdp(ptr);
		return bell_backend_net_deliver_raw(tap->rx, frame->data,
						    frame->len);
	}
	skb = ptr;
	len = skb->len;
	ret = bell_backend_net_deliver(tap->rx, skb);
	/* While it is in the ring the tap cannot go. */
	if (!ret && !tap->macvtap)
		dev_sw_netstats_tx_add(skb->dev, 1, len);
	return ret;
}

static u32 tap_len(struct tap_port *tap, void *ptr)
{
	if (!tap->macvtap && tun_is_xdp_frame(ptr))
		return tun_ptr_to_xdp(ptr)->len;
	return ((struct sk_buff *)ptr)->len;
}

static enum bell_pass tap_reason(int ret)
{
	switch (ret) {
	case -ENOBUFS:
		return BELL_PASS_DONE;
	case -EAGAIN:
		return BELL_PASS_PUNT;
	default:
		return BELL_PASS_STOP;
	}
}

/*
 * Deliver a batch. It stays in the ring's order, and what cannot be delivered stays
 * in the ring. Return: true if there may be more, else @how says why not.
 */
static bool tap_receive_batch(struct tap_port *tap, struct bell_run *run,
			      enum bell_pass *how, unsigned int *n)
{
	u32 bytes = 0, places = 0, more;
	void *ptr;
	int ret;

	lockdep_assert_held(&tap->ring->consumer_lock);
	while (*n < TAP_BATCH && bytes < TAP_BYTES && places < TAP_PLACES) {
		if (READ_ONCE(run->exec->dead)) {
			*how = BELL_PASS_STOP;
			return false;
		}
		ptr = __ptr_ring_peek(tap->ring);
		if (!ptr) {
			*how = BELL_PASS_DONE;
			return false;
		}
		if (!bell_run_spend(run)) {
			*how = BELL_PASS_MORE;
			return false;
		}
		ret = tap_deliver(tap, ptr);
		more = bell_backend_net_places(tap->rx);
		run->budget -= min(run->budget, more / TAP_SPEND);
		places += more;
		if (ret < 0) {
			*how = tap_reason(ret);
			return false;
		}
		__ptr_ring_discard_one(tap->ring);
		bytes += tap_len(tap, ptr);
		tap->delivered[(*n)++] = ptr;
	}
	return true;
}

static void tap_free_delivered(struct tap_port *tap, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (tap->macvtap || !tun_is_xdp_frame(tap->delivered[i]))
			napi_consume_skb(tap->delivered[i], 1);
		else
			tun_ptr_free(tap->delivered[i]);
	}
}

/* Bottom halves are off. Return: as for tap_receive_batch(). */
static bool tap_receive_bh(struct tap_port *tap, struct bell_run *run,
			   enum bell_pass *how)
{
	unsigned int n = 0;
	bool more;

	if (run->may_sleep) {
		spin_lock(&tap->ring->consumer_lock);
	} else if (!spin_trylock(&tap->ring->consumer_lock)) {
		*how = BELL_PASS_PUNT;
		return false;
	}
	more = tap_receive_batch(tap, run, how, &n);
	if (n && !tap->macvtap)
		tun_wake_queue(tap->file, n);
	spin_unlock(&tap->ring->consumer_lock);
	bell_backend_net_deliver_end(tap->rx);
	tap_free_delivered(tap, n);
	return more;
}

static enum bell_pass tap_receive(struct bell_port *port, struct bell_run *run)
{
	struct tap_port *tap = tap_of(port);
	enum bell_pass how = BELL_PASS_DONE;
	bool more;

	if (run->softirq) {
		while (tap_receive_bh(tap, run, &how))
			;
		return how;
	}
	do {
		local_bh_disable();
		more = tap_receive_bh(tap, run, &how);
		local_bh_enable();
	} while (more);
	return how;
}

/* The ring may be exchanged by a larger one: not without the lock. */
static bool tap_pending(struct bell_port *port)
{
	struct ptr_ring *ring = tap_of(port)->ring;
	bool pending;

	if (!spin_trylock_bh(&ring->consumer_lock))
		return true;
	pending = __ptr_ring_peek(ring);
	spin_unlock_bh(&ring->consumer_lock);
	return pending;
}

/* --- the hook --- */

static void tap_ring(struct tap_port *tap)
{
	bell_backend_net_hooked(tap->rx);
	bell_exec_napi_ring(&tap->napi);
}

/* Of a tap's socket; in the sender, or in a process that takes the tap away. */
static void tap_data_ready(struct sock *sk)
{
	struct tap_port *tap;

	rcu_read_lock();
	tap = rcu_dereference_sk_user_data(sk);
	if (likely(tap)) {
		tap->sk_data_ready(sk);
		tap_ring(tap);
	}
	rcu_read_unlock();
}

/* Of a macvtap; under the lock of its wait queue, interrupts off. */
static int tap_wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
		    void *key)
{
	if (!key || key_to_poll(key) & EPOLLIN)
		tap_ring(container_of(wait, struct tap_port, wait));
	return 0;
}

/* A socket has one hook: what is in its ring is not for two. Under the RTNL. */
static int tap_hook(struct tap_port *tap)
{
	struct sock *sk = tap->sock->sk;

	ASSERT_RTNL();
	if (sk->sk_user_data)
		return -EBUSY;
	rcu_assign_sk_user_data(sk, tap);
	if (tap->macvtap) {
		init_waitqueue_func_entry(&tap->wait, tap_wake);
		add_wait_queue(sk_sleep(sk), &tap->wait);
		return 0;
	}
	tap->sk_data_ready = sk->sk_data_ready;
	/* Pairs with the caller's read of the function: the hook finds the port. */
	smp_store_release(&sk->sk_data_ready, tap_data_ready);
	return 0;
}

static void tap_unhook(struct tap_port *tap)
{
	struct sock *sk = tap->sock->sk;

	ASSERT_RTNL();
	if (tap->macvtap)
		remove_wait_queue(sk_sleep(sk), &tap->wait);
	else
		WRITE_ONCE(sk->sk_data_ready, tap->sk_data_ready);
	rcu_assign_sk_user_data(sk, NULL);
	/* With the RTNL held this grace period is an expedited one. */
	synchronize_net();
	/*
	 * A hook that was still running may have found sk_user_data NULL and dropped its
	 * wake-up: wake the tap's other readers now.
	 */
	sk->sk_data_ready(sk);
}

static int tap_start(struct bell_port *port, struct bell_net_rx *rx,
		     struct bell_exec *exec)
{
	struct tap_port *tap = tap_of(port);
	int ret;

	ret = bell_exec_napi_start(&tap->napi, exec,
				   bell_backend_net_polls(rx));
	if (ret)
		return ret;
	tap->rx = rx;
	rtnl_lock();
	ret = tap_hook(tap);
	rtnl_unlock();
	if (ret)
		bell_exec_napi_stop(&tap->napi);
	return ret;
}

static void tap_stop(struct bell_port *port)
{
	struct tap_port *tap = tap_of(port);

	rtnl_lock();
	tap_unhook(tap);
	/* It has a grace period, too. */
	bell_exec_napi_stop(&tap->napi);
	rtnl_unlock();
	tap->rx = NULL;
}

static void tap_show(struct bell_port *port, struct seq_file *m)
{
	seq_puts(m, tap_of(port)->macvtap ? "macvtap" : "tap");
}

static void tap_close(struct bell_port *port)
{
	struct tap_port *tap = tap_of(port);

	fput(tap->file);
	kfree(tap);
}

static const struct bell_port_ops tap_ops = {
	.send = tap_send,
	.send_large = tap_send_large,
	.start = tap_start,
	.stop = tap_stop,
	.receive = tap_receive,
	.pending = tap_pending,
	.show = tap_show,
	.close = tap_close,
};

static int tap_find(struct tap_port *tap)
{
	tap->sock = tun_get_socket(tap->file);
	if (IS_ERR(tap->sock)) {
		tap->sock = tap_get_socket(tap->file);
		tap->macvtap = true;
	}
	if (IS_ERR(tap->sock))
		return PTR_ERR(tap->sock);
	tap->ring = tap->macvtap ? tap_get_ptr_ring(tap->file) :
				   tun_get_tx_ring(tap->file);
	return PTR_ERR_OR_ZERO(tap->ring);
}

/**
 * bell_port_tap_open() - make a port of an open tap or macvtap
 * @fd: file descriptor
 *
 * Context: Process context, of the process that has @fd.
 * Return: the port or an ERR_PTR: -EBADF if @fd is not open for both, -EINVAL if it is
 * neither, -ENOMEM.
 */
struct bell_port *bell_port_tap_open(int fd)
{
	struct tap_port *tap;
	int ret;

	tap = kzalloc(sizeof(*tap), GFP_KERNEL_ACCOUNT);
	if (!tap)
		return ERR_PTR(-ENOMEM);
	tap->port.ops = &tap_ops;
	ret = -EBADF;
	tap->file = fget(fd);
	if (!tap->file)
		goto err_free;
	ret = tap_find(tap);
	if (ret)
		goto err_file;
	/* No more than read() and write() may. */
	ret = -EBADF;
	if ((tap->file->f_mode & (FMODE_READ | FMODE_WRITE)) !=
	    (FMODE_READ | FMODE_WRITE))
		goto err_file;
	tap->looked = jiffies - 1;
	return &tap->port;

err_file:
	fput(tap->file);
err_free:
	kfree(tap);
	return ERR_PTR(ret);
}
