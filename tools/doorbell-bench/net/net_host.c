// SPDX-License-Identifier: GPL-2.0
/* net_host - the other end of a card: a socket in the host */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "net_host.h"

#define ROOM		(NET_HDR + NET_MAX_FRAME)
#define SOCKET_BUFFER	(64 << 20)

/* Lets only frames from the guest to the port of this stream pass. */
static int packet_filter(const struct net_host *h)
{
	bool six = h->in.offload == NET_OFFLOAD_TSO6;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 3, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
			 six ? NET_AT_PORT6 : NET_AT_PORT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 (uint32_t)h->in.to.port + h->stream, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ROOM),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return setsockopt(h->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ? -errno : 0;
}

static int packet_open(struct net_host *h, const char *ifname, bool receives)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	int one = 1, ret;

	h->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->fd < 0)
		return -errno;
	if (setsockopt(h->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		return -errno;
	ret = receives ? packet_filter(h) : 0;
	if (ret)
		return ret;
	at.sll_ifindex = (int)if_nametoindex(ifname);
	at.sll_protocol = receives ? htons(ETH_P_ALL) : 0;
	if (!at.sll_ifindex)
		return -ENODEV;
	return bind(h->fd, (void *)&at, sizeof(at)) ? -errno : 0;
}

static int udp_open(struct net_host *h)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET, .sin_addr = { h->out.from.ip },
		.sin_port = htons((uint16_t)(h->out.from.port + h->stream)),
	};
	struct sockaddr_in there = {
		.sin_family = AF_INET, .sin_addr = { h->out.to.ip },
		.sin_port = htons((uint16_t)(h->out.to.port + h->stream)),
	};

	h->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->fd < 0 || bind(h->fd, (void *)&here, sizeof(here)) ||
	    connect(h->fd, (void *)&there, sizeof(there)))
		return -errno;
	return 0;
}

int net_host_create(struct net_host *h, const char *ifname, bool receives)
{
	int size = SOCKET_BUFFER, ret;

	h->fd = -1;
	h->frame = calloc(1, ROOM);
	h->got = calloc(1, ROOM);
	if (!h->frame || !h->got)
		return -ENOMEM;
	ret = h->kind == NET_HOST_PACKET ? packet_open(h, ifname, receives) :
					   udp_open(h);
	if (ret)
		return ret;
	/* Without CAP_NET_ADMIN the buffers keep their size. */
	(void)setsockopt(h->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(h->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return 0;
}

void net_host_destroy(struct net_host *h)
{
	if (h->kind > NET_HOST_NONE && h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	free(h->frame);
	free(h->got);
	h->frame = NULL;
	h->got = NULL;
}

int net_host_send(struct net_host *h, uint64_t seq)
{
	const struct net_frame_rules *r = &h->out;
	uint8_t *at = h->frame, *frame = h->frame + NET_HDR;
	uint32_t len = net_frame_size(r, seq);

	if (h->made) {
		net_frame_renumber(r, seq, frame);
	} else {
		net_frame_make(r, (struct net_tag){ h->stream, seq },
			       (void *)at, frame);
		h->made = !h->checked && r->size == r->min_size;
	}
	if (h->kind == NET_HOST_UDP) {
		at = frame + net_frame_headers(NET_OFFLOAD_NONE);
		len -= net_frame_headers(NET_OFFLOAD_NONE);
	} else {
		len += NET_HDR;
	}
	if (send(h->fd, at, len, MSG_DONTWAIT) >= 0)
		return 0;
	/* ECONNREFUSED: an ICMP error for an earlier frame. */
	if (errno == ECONNREFUSED)
		return 0;
	return errno == ENOBUFS ? -EAGAIN : -errno;
}

static bool wait_for(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

/*
 * A UDP socket gives only the payload; rebuild the headers as the guest must
 * have sent them.
 */
static void complete_frame(struct net_host *h, uint8_t *frame)
{
	memcpy(frame, h->in.to.mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, h->in.from.mac, ETH_ALEN);
}

int net_host_receive(struct net_host *h, struct net_got *got, bool check,
		     int timeout_ms)
{
	bool udp = h->kind != NET_HOST_PACKET;
	uint32_t skip = udp ? net_frame_headers(NET_OFFLOAD_NONE) : 0;
	uint8_t *frame = h->got + NET_HDR;
	ssize_t n;

	do {
		n = recv(h->fd, udp ? frame + skip : h->got, ROOM - skip,
			 MSG_DONTWAIT);
		/*
		 * EINVAL: the frame was part of an attack; the kernel cannot
		 * express its offloads.
		 */
		if (n < 0 && errno != EAGAIN && errno != ECONNREFUSED &&
		    errno != EINVAL)
			return -errno;
	} while (n < 0 && timeout_ms && wait_for(h->fd, timeout_ms));
	if (n < 0)
		return -EAGAIN;
	got->len = (uint32_t)n + skip - (udp ? 0 : NET_HDR);
	got->wrong = NULL;
	got->tag = (struct net_tag){ 0 };
	if (!net_frame_tag(&h->in, frame, got->len, &got->tag)) {
		got->wrong = "not a frame of ours";
		return 0;
	}
	if (!check)
		return 0;
	if (udp)
		complete_frame(h, frame);
	got->wrong = net_frame_check(&h->in, &got->tag, udp ? NULL :
				     (void *)h->got, frame, got->len);
	return 0;
}
