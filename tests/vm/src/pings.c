// SPDX-License-Identifier: GPL-2.0
/*
 * pings ADDRESS [FROM [TO [STEP]]]: send ICMP echo requests with FROM, FROM +
 * STEP ... TO bytes of data, one at a time; each answer must hold the same
 * bytes
 *
 * One process sends all sizes. ping(8) would be started once for each size,
 * which takes most of the time on an emulated processor.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "args.h"

#define MAX_DATA	65507
#define TRIES		3

static uint8_t out[sizeof(struct icmphdr) + MAX_DATA];
static uint8_t in[sizeof(struct ip) + 40 + sizeof(out)];

static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void make_request(unsigned int size, uint16_t seq)
{
	struct icmphdr *icmp = (struct icmphdr *)out;
	unsigned int i;

	memset(icmp, 0, sizeof(*icmp));
	icmp->type = ICMP_ECHO;
	icmp->un.echo.id = htons(getpid());
	icmp->un.echo.sequence = htons(seq);
	for (i = 0; i < size; i++)
		out[sizeof(*icmp) + i] = i * 7 + (i >> 8) + size + seq;
	icmp->checksum = checksum(out, sizeof(*icmp) + size);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static const char lost_one[] = "no answer";

/*
 * Returns NULL for the right answer, or what is wrong. Skips other packets that
 * the raw socket receives.
 */
static const char *answer(int fd, unsigned int size, uint16_t seq)
{
	const struct icmphdr *icmp;
	double end = now() + 1;
	ssize_t n, head;

	while (now() < end) {
		n = recv(fd, in, sizeof(in), 0);
		if (n < 0)
			return lost_one;
		head = ((struct ip *)in)->ip_hl * 4;
		icmp = (const struct icmphdr *)(in + head);
		if (n < head + (ssize_t)sizeof(*icmp) ||
		    icmp->type != ICMP_ECHOREPLY ||
		    icmp->un.echo.id != htons(getpid()) ||
		    icmp->un.echo.sequence != htons(seq))
			continue;
		if (n != head + (ssize_t)sizeof(*icmp) + size)
			return "an answer of another size";
		if (memcmp(icmp + 1, out + sizeof(*icmp), size))
			return "an answer with other data";
		return NULL;
	}
	return lost_one;
}

int main(int argc, char **argv)
{
	unsigned int from = argc > 2 ? arg_number("FROM", argv[2], MAX_DATA) : 0;
	unsigned int to = argc > 3 ? arg_number("TO", argv[3], MAX_DATA) : from;
	unsigned int step = argc > 4 ? arg_number("STEP", argv[4], MAX_DATA) : 1;
	struct sockaddr_in peer = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 1 };
	unsigned int size, try, asked = 0, lost = 0, seq = 0;
	const char *why;
	double start = now();
	int fd, buffer = 1 << 20;

	if (argc < 2 || !step ||
	    !inet_pton(AF_INET, argv[1], &peer.sin_addr))
		errx(2, "usage: pings ADDRESS [FROM [TO [STEP]]]");
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));

	for (size = from; size <= to; size += step) {
		for (try = 0; try < TRIES; try++) {
			make_request(size, ++seq);
			if (sendto(fd, out, sizeof(struct icmphdr) + size, 0,
				   (struct sockaddr *)&peer, sizeof(peer)) < 0)
				err(1, "%u bytes", size);
			asked++;
			why = answer(fd, size, seq);
			if (why != lost_one)
				break;
			lost++;
		}
		if (why)
			errx(1, "%u bytes: %s", size, why);
	}
	printf("%u pings, %u lost, %.1f ms each\n", asked, lost,
	       (now() - start) * 1000 / asked);
	return 0;
}
