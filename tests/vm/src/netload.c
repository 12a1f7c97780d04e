// SPDX-License-Identifier: GPL-2.0
/*
 * netload - one end of a network load; the other end is netload, too
 *
 *	netload echo udp|tcp PORT
 *		answer each request, one at a time, until killed
 *	netload ask udp|tcp ADDRESS PORT SECONDS
 *		send a request, wait for its answer, repeat. Prints
 *		"rate N p50 N p99 N": requests a second, microseconds
 *	netload send ADDRESS PORT SECONDS
 *		send UDP frames of 64 bytes, as fast as possible
 *	netload take PORT
 *		receive such frames until none came for a second. Prints
 *		"rate N": frames per second
 *
 * Requests and answers are one byte each.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "args.h"

/* 64 bytes with the headers of Ethernet, IPv4 and UDP. */
#define PAYLOAD		22
/* Lost requests in a row after which the program fails */
#define PATIENCE	20

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int type_of(const char *protocol)
{
	if (!strcmp(protocol, "udp"))
		return SOCK_DGRAM;
	if (!strcmp(protocol, "tcp"))
		return SOCK_STREAM;
	errx(2, "%s: neither udp nor tcp", protocol);
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons(arg_number("PORT", port, UINT16_MAX));
	if (text && inet_pton(AF_INET, text, &a.sin_addr) != 1)
		errx(2, "%s: not an address", text);
	return a;
}

static void no_delay(int fd)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "TCP_NODELAY");
}

static int bound(int type, const char *port)
{
	struct sockaddr_in a = address(NULL, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&a, sizeof(a)))
		err(1, "port %s", port);
	return fd;
}

static int connected(int type, const char *to, const char *port)
{
	struct sockaddr_in a = address(to, port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (void *)&a, sizeof(a)))
		err(1, "%s port %s", to, port);
	if (type == SOCK_STREAM)
		no_delay(fd);
	return fd;
}

static void answer_all(int fd)
{
	struct sockaddr_in from;
	socklen_t len;
	char byte;

	for (;;) {
		ssize_t n;

		len = sizeof(from);
		n = recvfrom(fd, &byte, 1, 0, (void *)&from, &len);
		if (n <= 0)
			return;
		if (sendto(fd, &byte, 1, 0, len ? (void *)&from : NULL, len) < 0)
			warn("answer");
	}
}

static void echo(int type, const char *port)
{
	int fd = bound(type, port), peer;

	if (type == SOCK_DGRAM) {
		for (;;)
			answer_all(fd);
	}
	if (listen(fd, 1))
		err(1, "listen");
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		no_delay(peer);
		answer_all(peer);
		close(peer);
	}
	err(1, "accept");
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Returns false if the first request or its answer was lost. */
static bool ask_once(int fd)
{
	static uint8_t question;
	uint8_t answer;
	int lost = 0;

	question++;
	while (lost < PATIENCE) {
		if (send(fd, &question, 1, 0) != 1 && errno != ECONNREFUSED)
			err(1, "send");
		/* Skip late answers to requests that were given up. */
		while (recv(fd, &answer, 1, 0) == 1)
			if (answer == question)
				return !lost;
		if (errno != EAGAIN && errno != ECONNREFUSED)
			err(1, "recv");
		lost++;
	}
	errx(1, "no answers");
}

static void ask(int fd, unsigned int seconds)
{
	struct timeval timeout = { .tv_usec = 200000 };
	uint64_t start, end, now;
	size_t n = 0, room = 0;
	uint32_t *took = NULL;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		err(1, "SO_RCVTIMEO");
	/* The first request resolves addresses, so it is not measured. */
	ask_once(fd);
	start = now_ns();
	end = start + seconds * 1000000000ull;
	for (now = start; now < end; ) {
		uint64_t from = now;
		bool first = ask_once(fd);

		now = now_ns();
		if (!first)
			continue;
		if (n == room) {
			room = 2 * room + 4096;
			took = realloc(took, room * sizeof(*took));
			if (!took)
				err(1, "memory");
		}
		took[n++] = now - from;
	}
	qsort(took, n, sizeof(*took), compare);
	printf("rate %.1f p50 %.1f p99 %.1f\n", n * 1e9 / (now - start),
	       took[n / 2] / 1e3, took[n * 99 / 100] / 1e3);
}

static void send_all(int fd, unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * 1000000000ull;
	char data[PAYLOAD] = "";
	unsigned int i;

	while (now_ns() < end)
		for (i = 0; i < 32; i++)
			if (send(fd, data, sizeof(data), 0) < 0 &&
			    errno != ENOBUFS && errno != ECONNREFUSED)
				err(1, "send");
}

static void take(int fd)
{
	struct timeval second = { .tv_sec = 1 };
	uint64_t first = 0, last = 0, n = 0;
	char data[64];

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)))
		err(1, "SO_RCVTIMEO");
	for (;;) {
		if (recv(fd, data, sizeof(data), 0) >= 0) {
			last = now_ns();
			if (!n++)
				first = last;
		} else if (errno != EAGAIN) {
			err(1, "recv");
		} else if (n) {
			break;
		}
	}
	printf("rate %.1f\n", n > 1 ? (n - 1) * 1e9 / (last - first) : 0);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "echo"))
		echo(type_of(argv[2]), argv[3]);
	else if (argc == 6 && !strcmp(argv[1], "ask"))
		ask(connected(type_of(argv[2]), argv[3], argv[4]),
		    arg_number("SECONDS", argv[5], INT32_MAX));
	else if (argc == 5 && !strcmp(argv[1], "send"))
		send_all(connected(SOCK_DGRAM, argv[2], argv[3]),
			 arg_number("SECONDS", argv[4], INT32_MAX));
	else if (argc == 3 && !strcmp(argv[1], "take"))
		take(bound(SOCK_DGRAM, argv[2]));
	else
		errx(2, "usage: netload echo|ask|send|take ...");
	return 0;
}
