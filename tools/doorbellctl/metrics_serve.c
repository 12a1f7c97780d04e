// SPDX-License-Identifier: GPL-2.0
/*
 * metrics_serve - metrics for the clients of a Unix socket
 *
 * A client that sends an HTTP request gets an HTTP response. A client that
 * sends nothing for a moment gets the text alone. The server serves one client
 * at a time, each for two seconds at most.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ctl.h"
#include "fd.h"
#include "listen.h"
#include "metrics.h"
#include "scan.h"
#include "stop.h"

#define BACKLOG		16
#define ASK_MS		200
#define GIVE_MS		2000
#define PAUSE_MS	1000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* Does the client speak HTTP? */
static bool is_http(int client)
{
	struct pollfd p = { .fd = client, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	if (poll(&p, 1, ASK_MS) <= 0)
		return false;
	n = recv(client, buf, sizeof(buf), MSG_DONTWAIT);
	return n >= 4 && !memcmp(buf, "GET ", 4);
}

static void send_all(int client, const char *text, size_t size)
{
	struct pollfd p = { .fd = client, .events = POLLOUT };
	int64_t end = now_ms() + GIVE_MS, left;
	ssize_t n;

	while (size && (left = end - now_ms()) > 0) {
		if (poll(&p, 1, left) <= 0)
			return;
		n = send(client, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0) {
			text += n;
			size -= n;
		}
	}
}

/* Serves one client. Errors are ignored: they concern this client only. */
static void serve_one(const struct ctl_options *o, int client)
{
	struct scan scan;
	char *text = NULL;
	size_t size = 0;
	FILE *out;
	char http[200];

	if (scan_run(o->proc, &scan))
		return;
	out = open_memstream(&text, &size);
	if (out) {
		metrics_write(out, &scan);
		if (fclose(out))
			size = 0;
	}
	scan_free(&scan);
	if (size && is_http(client)) {
		snprintf(http, sizeof(http),
			 "HTTP/1.0 200 OK\r\n"
			 "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
			 "Content-Length: %zu\r\n\r\n", size);
		send_all(client, http, strlen(http));
	}
	if (size)
		send_all(client, text, size);
	free(text);
}

static int serve(const struct ctl_options *o, int sock, int stop)
{
	struct pollfd p[2] = {
		{ .fd = stop, .events = POLLIN },
		{ .fd = sock, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return ctl_fail(o->socket, -errno);
		if (p[0].revents)
			return CTL_OK;
		if (p[1].revents) {
			_cleanup_fd_ int client = accept4(sock, NULL, NULL,
							  SOCK_CLOEXEC);

			/*
			 * Without a free descriptor or memory the client goes on to
			 * wait, and poll() would return at once.
			 */
			if (client >= 0)
				serve_one(o, client);
			else if (errno != EAGAIN && errno != ECONNABORTED)
				poll(p, 1, PAUSE_MS);
		}
	}
}

int metrics_serve(const struct ctl_options *o)
{
	struct listen l = { .sock = -1 };
	_cleanup_fd_ int stop = stop_open();
	int ret;

	if (stop < 0)
		return ctl_fail("signalfd", stop);
	ret = listen_open(&l, o->socket, BACKLOG);
	if (ret)
		return ctl_fail(o->socket, ret);
	ret = serve(o, l.sock, stop);
	listen_close(&l);
	return ret;
}
