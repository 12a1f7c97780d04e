// SPDX-License-Identifier: GPL-2.0
/*
 * net_frame - the frames that an emulated driver and its other end exchange
 */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "bench.h"
#include "net_frame.h"

#define ETH		14u
#define IP4		20u
#define IP6		40u
#define TCP		20u
#define UDP		8u
#define TAG		14u
#define TAG_MAGIC	0xd00bbe11u

#define ARP_LEN		42u

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static void put64(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static bool is_tcp(enum net_offload offload)
{
	return offload == NET_OFFLOAD_TSO4 || offload == NET_OFFLOAD_TSO6;
}

static uint32_t ip_len(enum net_offload offload)
{
	return offload == NET_OFFLOAD_TSO6 ? IP6 : IP4;
}

uint32_t net_frame_headers(enum net_offload offload)
{
	return ETH + ip_len(offload) + (is_tcp(offload) ? TCP : UDP);
}

uint32_t net_frame_least(enum net_offload offload)
{
	uint32_t len = net_frame_headers(offload) + TAG;

	return len < ETH_ZLEN ? ETH_ZLEN : len;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	return x * 0xc4ceb9fe1a85ec53u;
}

uint32_t net_frame_size(const struct net_frame_rules *r, uint64_t seq)
{
	if (r->min_size == r->size)
		return r->size;
	return r->min_size + (uint32_t)(mix(seq ^ r->seed << 32) %
					(r->size - r->min_size + 1));
}

/* Eight bytes of the pattern behind the tag. */
static uint64_t pattern(const struct net_frame_rules *r,
			const struct net_tag *tag, uint32_t at)
{
	return (r->seed + tag->seq * 0x9e3779b97f4a7c15u +
		((uint64_t)tag->stream << 48)) ^ (at * 0xc2b2ae3d27d4eb4fu);
}

void net_frame_payload(const struct net_frame_rules *r, struct net_tag tag,
		       uint8_t *payload, uint32_t len)
{
	put32(payload, TAG_MAGIC);
	put16(payload + 4, tag.stream);
	put64(payload + 6, tag.seq);
	for (uint32_t at = TAG; at < len; at += 8) {
		uint64_t word = pattern(r, &tag, at);

		memcpy(payload + at, &word, len - at < 8 ? len - at : 8);
	}
}

/*
 * Adds the sum of @len bytes, as for an Internet checksum, to @sum. @len may be
 * odd.
 */
static uint32_t sum16(const uint8_t *at, uint32_t len, uint32_t sum)
{
	for (; len > 1; at += 2, len -= 2)
		sum += get16(at);
	if (len)
		sum += (uint32_t)*at << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void make_ip4(const struct net_frame_rules *r, uint8_t *ip, uint32_t len)
{
	memset(ip, 0, IP4);
	ip[0] = 0x45;
	put16(ip + 2, len);
	put16(ip + 6, 0x4000);	/* don't fragment */
	ip[8] = 64;
	ip[9] = is_tcp(r->offload) ? IPPROTO_TCP : IPPROTO_UDP;
	memcpy(ip + 12, &r->from.ip, 4);
	memcpy(ip + 16, &r->to.ip, 4);
	put16(ip + 10, ~sum16(ip, IP4, 0));
}

static void make_ip6(const struct net_frame_rules *r, uint8_t *ip, uint32_t len)
{
	static const uint8_t net[] = { 0xfd, 0x00, 0xd0, 0x0b };

	memset(ip, 0, IP6);
	ip[0] = 0x60;
	put16(ip + 4, len - IP6);
	ip[6] = IPPROTO_TCP;
	ip[7] = 64;
	memcpy(ip + 8, net, sizeof(net));
	memcpy(ip + 20, &r->from.ip, 4);
	memcpy(ip + 24, net, sizeof(net));
	memcpy(ip + 36, &r->to.ip, 4);
}

/*
 * Checksum of addresses, protocol and length; the card or the host adds the
 * rest.
 */
static uint32_t pseudo_sum(const struct net_frame_rules *r, const uint8_t *ip,
			   uint32_t len)
{
	uint32_t sum = len + (is_tcp(r->offload) ? IPPROTO_TCP : IPPROTO_UDP);

	if (r->offload == NET_OFFLOAD_TSO6)
		return sum16(ip + 8, 32, sum);
	return sum16(ip + 12, 8, sum);
}

static void make_transport(const struct net_frame_rules *r,
			   const struct net_tag *tag, uint8_t *at, uint32_t len)
{
	put16(at, r->from.port + tag->stream);
	put16(at + 2, r->to.port + tag->stream);
	if (is_tcp(r->offload)) {
		memset(at + 4, 0, TCP - 4);
		put32(at + 4, (uint32_t)tag->seq);
		at[12] = TCP / 4 << 4;
		at[13] = 0x10;		/* ACK */
		put16(at + 14, 0xffff);
	} else {
		put16(at + 4, len);
		put16(at + 6, 0);	/* no checksum */
	}
}

static void make_offload(const struct net_frame_rules *r,
			 struct virtio_net_hdr *hdr, uint8_t *frame,
			 uint32_t len)
{
	uint32_t transport = ETH + ip_len(r->offload);
	uint32_t headers = net_frame_headers(r->offload);
	uint32_t offset = is_tcp(r->offload) ? 16 : 6;

	memset(hdr, 0, sizeof(*hdr));
	if (r->offload == NET_OFFLOAD_NONE)
		return;
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = htole16(transport);
	hdr->csum_offset = htole16(offset);
	put16(frame + transport + offset,
	      pseudo_sum(r, frame + ETH, len - transport));
	if (!is_tcp(r->offload) || len - headers <= r->mss)
		return;
	hdr->gso_type = r->offload == NET_OFFLOAD_TSO4 ?
			VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	hdr->gso_size = htole16(r->mss);
	hdr->hdr_len = htole16(headers);
}

void net_frame_make(const struct net_frame_rules *r, struct net_tag tag,
		    struct virtio_net_hdr *hdr, uint8_t *frame)
{
	uint32_t len = net_frame_size(r, tag.seq), at = ETH + ip_len(r->offload);
	bool six = r->offload == NET_OFFLOAD_TSO6;

	memcpy(frame, r->to.mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, r->from.mac, ETH_ALEN);
	put16(frame + 12, six ? ETH_P_IPV6 : ETH_P_IP);
	if (six)
		make_ip6(r, frame + ETH, len - ETH);
	else
		make_ip4(r, frame + ETH, len - ETH);
	make_transport(r, &tag, frame + at, len - at);
	at = net_frame_headers(r->offload);
	net_frame_payload(r, tag, frame + at, len - at);
	make_offload(r, hdr, frame, len);
}

void net_frame_renumber(const struct net_frame_rules *r, uint64_t seq,
			uint8_t *frame)
{
	put64(frame + net_frame_headers(r->offload) + 6, seq);
}

bool net_frame_tag(const struct net_frame_rules *r, const uint8_t *frame,
		   uint32_t len, struct net_tag *tag)
{
	const uint8_t *at = frame + net_frame_headers(r->offload);

	if (len < net_frame_headers(r->offload) + TAG ||
	    get16(at) != TAG_MAGIC >> 16 || get16(at + 2) != (TAG_MAGIC & 0xffff))
		return false;
	tag->stream = get16(at + 4);
	tag->seq = get64(at + 6);
	return true;
}

/* Did the frame arrive with the same offloads as it was sent? */
static const char *check_offload(const struct net_frame_rules *r,
				 const struct virtio_net_hdr *hdr, uint32_t len)
{
	uint32_t headers = net_frame_headers(r->offload);
	uint8_t gso = VIRTIO_NET_HDR_GSO_NONE;

	if (r->offload == NET_OFFLOAD_NONE)
		return hdr->gso_type ? "GSO that nobody asked for" : NULL;
	if (is_tcp(r->offload) && len - headers > r->mss)
		gso = r->offload == NET_OFFLOAD_TSO4 ?
		      VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	if ((hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != gso)
		return "another type of GSO";
	if (gso && le16toh(hdr->gso_size) != r->mss)
		return "another size of GSO";
	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return gso ? "GSO without NEEDS_CSUM" : NULL;
	if (le16toh(hdr->csum_start) != ETH + ip_len(r->offload) ||
	    le16toh(hdr->csum_offset) != (is_tcp(r->offload) ? 16 : 6))
		return "another place of the checksum";
	return NULL;
}

const char *net_frame_check(const struct net_frame_rules *r,
			    const struct net_tag *tag,
			    const struct virtio_net_hdr *hdr,
			    const uint8_t *frame, uint32_t len)
{
	uint32_t headers = net_frame_headers(r->offload);
	const uint8_t *payload = frame + headers;

	if (len != net_frame_size(r, tag->seq))
		return "another length";
	if (memcmp(frame, r->to.mac, ETH_ALEN) ||
	    memcmp(frame + ETH_ALEN, r->from.mac, ETH_ALEN))
		return "another address";
	for (uint32_t at = TAG; at < len - headers; at += 8) {
		uint64_t word = pattern(r, tag, at);
		uint32_t n = len - headers - at;

		if (memcmp(payload + at, &word, n < 8 ? n : 8))
			return "other data";
	}
	return hdr ? check_offload(r, hdr, len) : NULL;
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

static bool answer_arp(const struct net_address *self, uint8_t *frame)
{
	uint8_t *arp = frame + ETH;

	if (get16(arp + 6) != 1 || memcmp(arp + 24, &self->ip, 4))
		return false;
	put16(arp + 6, 2);
	memcpy(frame, frame + ETH_ALEN, ETH_ALEN);
	memcpy(frame + ETH_ALEN, self->mac, ETH_ALEN);
	memcpy(arp + 18, arp + 8, 10);		/* sender becomes target */
	memcpy(arp + 8, self->mac, ETH_ALEN);
	memcpy(arp + 14, &self->ip, 4);
	return true;
}

bool net_frame_answer(const struct net_address *self, uint8_t *frame,
		      uint32_t len)
{
	uint8_t *ip = frame + ETH, *udp = ip + IP4;

	if (len < ARP_LEN)
		return false;
	if (get16(frame + 12) == ETH_P_ARP)
		return answer_arp(self, frame);
	if (get16(frame + 12) != ETH_P_IP || ip[0] != 0x45 ||
	    ip[9] != IPPROTO_UDP || memcmp(ip + 16, &self->ip, 4))
		return false;
	swap(frame, frame + ETH_ALEN, ETH_ALEN);
	/* Swapping addresses changes no checksum. */
	swap(ip + 12, ip + 16, 4);
	swap(udp, udp + 2, 2);
	/*
	 * If the request left its UDP checksum to us, send the answer without
	 * one.
	 */
	put16(udp + 6, 0);
	return true;
}

void net_frame_announce(const struct net_address *self, uint8_t *frame)
{
	uint8_t *arp = frame + ETH;

	memset(frame, 0, ETH_ZLEN);
	memset(frame, 0xff, ETH_ALEN);
	memcpy(frame + ETH_ALEN, self->mac, ETH_ALEN);
	put16(frame + 12, ETH_P_ARP);
	put16(arp, 1);
	put16(arp + 2, ETH_P_IP);
	put16(arp + 4, 0x0604);
	put16(arp + 6, 1);
	memcpy(arp + 8, self->mac, ETH_ALEN);
	memcpy(arp + 14, &self->ip, 4);
	memcpy(arp + 24, &self->ip, 4);
}
