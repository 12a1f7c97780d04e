// SPDX-License-Identifier: GPL-2.0
/*
 * stream listen PORT MIB | stream ADDRESS PORT MIB: send MIB over TCP in each
 * direction and compare each byte
 *
 * Both ends generate the same data, so no file is needed. The lengths of the
 * writes are odd, so that the network stack splits and joins them in many ways.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "args.h"

#define MAX_PIECE	(128 << 10)

static uint64_t state;

static uint64_t number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/*
 * Generates @n whole numbers: both ends must split the sequence at the same
 * places.
 */
static void generate(uint64_t *to, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = number();
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void send_all(int fd, uint64_t bytes, uint64_t seed)
{
	static uint64_t piece[MAX_PIECE / 8];
	size_t want, done, most;
	unsigned int i = 0;
	ssize_t n;

	state = seed;
	for (; bytes; bytes -= want) {
		want = bytes < sizeof(piece) ? bytes : sizeof(piece);
		generate(piece, want / 8);
		for (done = 0; done < want; done += n) {
			/* Between a few bytes and all that is left */
			most = ++i % 4 ? want - done : 1 + i * 397 % 9000;
			if (most > want - done)
				most = want - done;
			n = write(fd, (char *)piece + done, most);
			if (n < 0)
				err(1, "write");
		}
	}
}

static void receive_all(int fd, uint64_t bytes, uint64_t seed)
{
	static uint64_t piece[MAX_PIECE / 8], expected[MAX_PIECE / 8];
	uint64_t at = 0;
	size_t want, i;
	ssize_t n;

	state = seed;
	while (at < bytes) {
		want = bytes - at < sizeof(piece) ? bytes - at : sizeof(piece);
		n = recv(fd, piece, want, MSG_WAITALL);
		if (n < 0)
			err(1, "read");
		if ((size_t)n != want)
			errx(1, "end after %llu bytes", (unsigned long long)(at + n));
		generate(expected, want / 8);
		if (memcmp(piece, expected, want)) {
			for (i = 0; piece[i] == expected[i]; i++)
				;
			errx(1, "other data at byte %llu",
			     (unsigned long long)(at + i * 8));
		}
		at += want;
	}
}

static int open_socket(const char *address, uint16_t port)
{
	struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	bool listens = !strcmp(address, "listen");
	int fd, on = 1, try;

	if (!listens && !inet_pton(AF_INET, address, &peer.sin_addr))
		errx(2, "%s: no address", address);
	/* Try again: the other end may not listen yet. */
	for (try = 0; ; try++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0)
			err(1, "socket");
		if (listens)
			break;
		if (!connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
			return fd;
		if (try == 100)
			err(1, "connect");
		close(fd);
		usleep(100000);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&peer, sizeof(peer)) || listen(fd, 1))
		err(1, "listen");
	fd = accept(fd, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	return fd;
}

int main(int argc, char **argv)
{
	struct timeval limit = { .tv_sec = 20 };
	uint64_t bytes;
	double start, half, end;
	int fd;

	if (argc != 4)
		errx(2, "usage: stream listen|ADDRESS PORT MIB");
	bytes = arg_number("MIB", argv[3], 1 << 20) << 20;
	fd = open_socket(argv[1], arg_number("PORT", argv[2], UINT16_MAX));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		err(1, "setsockopt");
	start = now();
	if (strcmp(argv[1], "listen")) {
		send_all(fd, bytes, 1);
		half = now();
		receive_all(fd, bytes, 2);
	} else {
		receive_all(fd, bytes, 1);
		half = now();
		send_all(fd, bytes, 2);
	}
	end = now();
	printf("%s MiB there in %.1f s, back in %.1f s\n", argv[3],
	       half - start, end - half);
	return 0;
}
