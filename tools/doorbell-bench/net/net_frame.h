/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net_frame - the frames that an emulated driver and its other end exchange
 *
 * Ethernet, IPv4 or IPv6, UDP or TCP; the payload begins with a tag that says
 * which stream of frames and which frame of it this is, and goes on with a
 * pattern made from both. The length of a frame follows from its number.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#include "net_options.h"

#define NET_HDR		sizeof(struct virtio_net_hdr)
#define NET_HDR_MRG	sizeof(struct virtio_net_hdr_mrg_rxbuf)

/* Ports, to which the number of the stream is added. */
#define NET_PORT_HOST	7000
#define NET_PORT_GUEST	9000
/* Bytes from the frame's start to the port that a frame without IPv6 goes to. */
#define NET_AT_PORT	36
#define NET_AT_PORT6	56

/* One end of a stream. Addresses are in network order. */
struct net_address {
	uint8_t		mac[ETH_ALEN];
	uint32_t	ip;
	uint16_t	port;		/* in host order, of stream 0 */
};

/* What the frames of one direction have in common; constant. */
struct net_frame_rules {
	enum net_offload	offload;
	uint32_t		size;
	uint32_t		min_size;
	uint32_t		mss;
	uint64_t		seed;
	struct net_address	from;
	struct net_address	to;
};

struct net_tag {
	uint16_t	stream;
	uint64_t	seq;
};

/* The shortest frame that has room for a tag. */
uint32_t net_frame_least(enum net_offload offload);
uint32_t net_frame_size(const struct net_frame_rules *r, uint64_t seq);
/* Bytes of headers before the payload. */
uint32_t net_frame_headers(enum net_offload offload);

/* All of frame and virtio header; num_buffers is left alone. */
void net_frame_make(const struct net_frame_rules *r, struct net_tag tag,
		    struct virtio_net_hdr *hdr, uint8_t *frame);
/* Only another number for a frame that was made before, of the same size. */
void net_frame_renumber(const struct net_frame_rules *r, uint64_t seq,
			uint8_t *frame);

/* True if it is a frame of ours. */
bool net_frame_tag(const struct net_frame_rules *r, const uint8_t *frame,
		   uint32_t len, struct net_tag *tag);
/* NULL, or what is wrong with it. @hdr NULL: not known. */
const char *net_frame_check(const struct net_frame_rules *r,
			    const struct net_tag *tag,
			    const struct virtio_net_hdr *hdr,
			    const uint8_t *frame, uint32_t len);
/* The payload alone, as UDP sockets have it. */
void net_frame_payload(const struct net_frame_rules *r, struct net_tag tag,
		       uint8_t *payload, uint32_t len);

/*
 * Makes the answer out of a request, in place: of UDP over IPv4, and of ARP for
 * the address of @self. False if it is neither.
 */
bool net_frame_answer(const struct net_address *self, uint8_t *frame,
		      uint32_t len);
/* An ARP frame of 60 bytes by which bridges learn where @self is. */
void net_frame_announce(const struct net_address *self, uint8_t *frame);

#endif
