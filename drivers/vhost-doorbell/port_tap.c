// SPDX-License-Identifier: GPL-2.0
/*
 * port_tap - a tap or macvtap as the port of a pair of queues
 *
 * Frames for the guest: the sender puts a packet into the ring of the tap's file and
 * wakes the reader of that file. The hook here takes the reader's place. For a tap it
 * is sk_data_ready() of the socket, called with bottom halves off and without a lock.
 * For a macvtap it is an entry of the socket's wait queue, called under that queue's
 * lock with interrupts off. The hook has exec_napi.c serve the receiving queue. The
 * pass takes packets from the ring and copies them into the guest's pages, in the
 * sender's thread.
 *
 * Other users of the ring's consumer lock (a read() of the same file, or the end of the
 * tap) take it with bottom halves on. If a softirq waited for it, it might wait for the
 * thread that it interrupted. So the softirq only tries the lock, and leaves the pass
 * to the worker if that fails.
 *
 * Frames of the guest are sent as vhost-net sends them: small ones as a batch of XDP
 * buffers, a large one like a write() to the file.
 *
 * Teardown: a tap that is being deleted calls the hook with the RTNL held, but outside
 * of RCU. So the hook is removed under the RTNL, and after a grace period none runs.
 * The hook takes no lock that is held around the RTNL.
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
/* Limits of a batch, so that the ring's lock is not held for long */
#define TAP_BYTES	SZ_512K
#define TAP_PLACES	4096U	/* descriptors of the driver's buffers */
#define TAP_SPEND	16	/* descriptors that cost one unit of a pass's budget */

struct tap_port {
	struct bell_port	 port;
	struct file		*file;
	struct socket		*sock;
	struct ptr_ring		*ring;
	bool			 macvtap;

	/* Constant while the receiving queue runs */
	struct bell_net_rx	*rx;
	struct bell_napi	 napi;
	void			(*sk_data_ready)(struct sock *sk);
	struct wait_queue_entry	 wait;

	/* Only the runner of the receiving queue: packets delivered in this batch */
	void			*delivered[TAP_BATCH];

	/* Only the runner of the sending queue accesses these: */

	/* When it last read the tap's state, in jiffies */
	unsigned long		 looked;
	/* At that time the interface was down */
	bool			 down;
	struct xdp_buff		 xdp[BELL_PORT_BATCH];
};

static struct tap_port *tap_of(struct bell_port *port)
{
	return container_of(port, struct tap_port, port);
}

/* --- frames of the guest --- */

/*
 * Does the tap accept batches? A socket whose send buffer was limited must be charged
 * for each frame, which only single frames are.
 */
static bool tap_batches(const struct tap_port *tap)
{
	return READ_ONCE(tap->sock->sk->sk_sndbuf) == INT_MAX;
}

/*
 * Is the tap's interface down? Then the tap drops what is written to its file, but not
 * batches, so drop these here. poll() reports the state; it takes the ring's lock, so
 * ask once a jiffy at most.
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

/*
 * Send frames one by one; the virtio header is written into the headroom. A frame that
 * the socket has no room for is dropped.
 */
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
	/* On an error the buffers are not consumed: free them. */
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
	/* skb->dev is valid: the tap is not deleted while the packet is in its ring. */
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
 * Deliver a batch in the ring's order. A packet that cannot be delivered stays in the
 * ring. Returns true if there may be more packets; else @how says why the pass ends.
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

/* Deliver a batch, with bottom halves off. Returns as tap_receive_batch() does. */
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

/*
 * The tap may exchange the ring's memory when it resizes the ring: read it only with
 * the lock.
 */
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

/* Hook of a tap's socket; runs in the sender, or in a process that deletes the tap. */
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

/* Hook of a macvtap; runs under the lock of its wait queue, with interrupts off. */
static int tap_wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
		    void *key)
{
	if (!key || key_to_poll(key) & EPOLLIN)
		tap_ring(container_of(wait, struct tap_port, wait));
	return 0;
}

/*
 * Install the hook, under the RTNL. A socket has one hook at most: two queues cannot
 * share its packets.
 */
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
	/* A sender that sees the new function also sees sk_user_data. */
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
	/* While the RTNL is held synchronize_net() expedites the grace period. */
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
	/* Under the RTNL, so that its grace period is expedited, too. */
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
 * Context: Process context, in the process that has @fd open.
 * Return: the port, or an ERR_PTR: -EBADF if @fd is not open for reading and writing,
 * -EINVAL if it is neither a tap nor a macvtap, -ENOMEM.
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
	/* Allow no more than read() and write() on this descriptor would. */
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
