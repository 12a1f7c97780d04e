// SPDX-License-Identifier: GPL-2.0
/*
 * ivshmem.c: the messages that a server sends to each client, and their order.
 */
#include <errno.h>
#include <string.h>

#include "ivshmem.h"
#include "test_vu.h"

#define SHM	900
#define VECTORS	3

static const int host[IVSHMEM_MAX_VECTORS] = { 100, 101, 102 };

/* The table does not use the descriptors, so any numbers will do. */
static const int fds[][VECTORS] = {
	{ 110, 111, 112 }, { 120, 121, 122 }, { 130, 131, 132 },
};

static struct ivshmem table;

static struct ivshmem_peer *join(const int *eventfd)
{
	struct ivshmem_peer *peer = NULL;

	CHECK_EQ(ivshmem_join(&table, eventfd, &peer), 0);
	if (!peer)
		abort();
	return peer;
}

static bool next_is(struct ivshmem_peer *peer, int64_t value, int fd)
{
	const struct ivshmem_msg *msg = ivshmem_next(peer);

	if (!msg) {
		printf("# nothing instead of %lld\n", (long long)value);
		return false;
	}
	if (msg->value != value || msg->fd != fd) {
		printf("# %lld with %d, not %lld with %d\n",
		       (long long)msg->value, msg->fd, (long long)value, fd);
		return false;
	}
	ivshmem_told(peer);
	return true;
}

static bool next_are(struct ivshmem_peer *peer, int64_t id, const int *eventfd)
{
	for (int i = 0; i < VECTORS; i++)
		if (!next_is(peer, id, eventfd[i]))
			return false;
	return true;
}

static bool hello(struct ivshmem_peer *peer)
{
	return next_is(peer, 0, -1) && next_is(peer, peer->id, -1) &&
	       next_is(peer, -1, SHM) && next_are(peer, 0, host);
}

static void setup(unsigned int vectors)
{
	if (ivshmem_init(&table, vectors, SHM, host))
		abort();
}

static void teardown(void)
{
	while (table.num_peers)
		ivshmem_leave(&table, table.peer[0]);
	ivshmem_free(&table);
}

static void test_encode(void)
{
	static const struct {
		int64_t value;
		uint8_t bytes[8];
	} rows[] = {
		{ 0, { 0 } },
		{ -1, { 255, 255, 255, 255, 255, 255, 255, 255 } },
		{ 65535, { 255, 255 } },
		{ 0x123, { 0x23, 1 } },
		{ INT64_MIN, { 0, 0, 0, 0, 0, 0, 0, 0x80 } },
	};
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ivshmem_encode(rows[i].value, bytes);
		CHECK(!memcmp(bytes, rows[i].bytes, sizeof(bytes)));
	}
}

static void test_order(void)
{
	struct ivshmem_peer *a, *b, *c;

	setup(VECTORS);
	a = join(fds[0]);
	CHECK(a->id != IVSHMEM_HOST_ID);
	CHECK(hello(a) && next_are(a, a->id, fds[0]) && !ivshmem_next(a));
	b = join(fds[1]);
	c = join(fds[2]);
	CHECK(b->id != a->id && c->id != a->id && c->id != b->id);
	CHECK(next_are(a, b->id, fds[1]) && next_are(a, c->id, fds[2]));
	CHECK(!ivshmem_next(a));
	/*
	 * A new client hears of its own vectors after those of the peers that
	 * were there, and before those of later peers.
	 */
	CHECK(hello(b) && next_are(b, a->id, fds[0]) &&
	      next_are(b, b->id, fds[1]) && next_are(b, c->id, fds[2]));
	CHECK(hello(c) && next_are(c, a->id, fds[0]) &&
	      next_are(c, b->id, fds[1]) && next_are(c, c->id, fds[2]));
	CHECK(!ivshmem_next(b) && !ivshmem_next(c));
	teardown();
}

static void test_leave(void)
{
	struct ivshmem_peer *a, *b;
	uint16_t id;

	setup(VECTORS);
	a = join(fds[0]);
	while (ivshmem_next(a))
		ivshmem_told(a);

	/* @a heard of all vectors of @b. */
	b = join(fds[1]);
	id = b->id;
	CHECK(next_are(a, id, fds[1]));
	ivshmem_leave(&table, b);
	CHECK(next_is(a, id, -1) && !ivshmem_next(a));

	/*
	 * @a heard of one vector of @b, so the server drops the messages of the
	 * other vectors.
	 */
	b = join(fds[1]);
	id = b->id;
	CHECK(next_is(a, id, fds[1][0]));
	ivshmem_leave(&table, b);
	CHECK(next_is(a, id, -1) && !ivshmem_next(a));

	/*
	 * @a heard of no vector of @b, so the server must not tell it that @b
	 * left.
	 */
	b = join(fds[1]);
	ivshmem_leave(&table, b);
	CHECK(!ivshmem_next(a));

	/* Messages of other peers are still sent. */
	b = join(fds[1]);
	join(fds[2]);
	id = b->id;
	CHECK(next_is(a, id, fds[1][0]));
	ivshmem_leave(&table, b);
	CHECK(next_are(a, table.peer[1]->id, fds[2]) && next_is(a, id, -1));
	CHECK(!ivshmem_next(a));
	teardown();
}

static void test_ids(void)
{
	struct ivshmem_peer *a, *b;
	uint16_t first, second;

	setup(VECTORS);
	a = join(fds[0]);
	first = a->id;
	ivshmem_leave(&table, a);
	a = join(fds[0]);
	CHECK_EQ(a->id, first);
	b = join(fds[1]);
	second = b->id;
	ivshmem_leave(&table, b);
	b = join(fds[1]);
	/*
	 * @a is still there and saw the peer @second leave, so that ID is not
	 * given again.
	 */
	CHECK(b->id != first && b->id != second);
	ivshmem_leave(&table, a);
	a = join(fds[0]);
	/*
	 * The new @b saw @first leave but never saw the old @second, so @second
	 * may be given again.
	 */
	CHECK_EQ(a->id, second);
	ivshmem_leave(&table, a);
	ivshmem_leave(&table, b);
	a = join(fds[0]);
	CHECK_EQ(a->id, first);
	teardown();
}

static void test_ids_run_out(void)
{
	struct ivshmem_peer *peer, *old;
	int ret = 0, n = 0;

	setup(1);
	old = join(fds[0]);
	while (!ret && n <= IVSHMEM_MAX_ID) {
		ret = ivshmem_join(&table, fds[1], &peer);
		if (ret)
			break;
		n++;
		ivshmem_leave(&table, peer);
	}
	CHECK_EQ(ret, -ENOSPC);
	CHECK_EQ(n, IVSHMEM_MAX_ID - 1);
	ivshmem_leave(&table, old);
	CHECK_EQ(join(fds[1])->id, 1);
	teardown();
}

static void test_limits(void)
{
	static const struct {
		unsigned int vectors, peers;
	} rows[] = {
		{ 1, 64 }, { 7, 64 }, { 8, 63 }, { 16, 31 }, { 256, 1 },
	};
	static const int none[IVSHMEM_MAX_VECTORS];
	struct ivshmem_peer *peer;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_EQ(ivshmem_max_peers(rows[i].vectors), rows[i].peers);
		setup(rows[i].vectors);
		for (unsigned int n = 0; n < rows[i].peers; n++)
			join(none);
		CHECK_EQ(ivshmem_join(&table, none, &peer), -EUSERS);
		teardown();
	}
}

/*
 * A client's knowledge from its messages: the number of vectors of each peer.
 */
struct view {
	bool	used;
	int	hello;
	uint8_t	vectors[IVSHMEM_MAX_ID + 1];
	bool	gone[IVSHMEM_MAX_ID + 1];
};

static struct view views[IVSHMEM_MAX_PEERS];
static int numbers[IVSHMEM_MAX_PEERS][VECTORS];

static void hear(struct view *v, struct ivshmem_peer *peer)
{
	const struct ivshmem_msg *msg = ivshmem_next(peer);
	int64_t id = msg->value;

	if (v->hello < 3) {
		CHECK(v->hello == 0 ? id == 0 && msg->fd < 0 :
		      v->hello == 1 ? id == peer->id && msg->fd < 0 :
				      id == -1 && msg->fd == SHM);
		v->hello++;
	} else if (msg->fd < 0) {
		CHECK(v->vectors[id] && id != peer->id && id != IVSHMEM_HOST_ID);
		v->vectors[id] = 0;
		v->gone[id] = true;
	} else {
		CHECK(v->vectors[id] < VECTORS && !v->gone[id]);
		CHECK_EQ(msg->fd % 10, v->vectors[id]);
		v->vectors[id]++;
	}
	ivshmem_told(peer);
}

static struct view *view_of(const struct ivshmem_peer *peer)
{
	return &views[(peer->eventfd - numbers[0]) / VECTORS];
}

static void random_join(void)
{
	for (int i = 0; i < IVSHMEM_MAX_PEERS; i++) {
		if (views[i].used)
			continue;
		memset(&views[i], 0, sizeof(views[i]));
		views[i].used = true;
		for (int v = 0; v < VECTORS; v++)
			numbers[i][v] = 1000 + i * 10 + v;
		join(numbers[i]);
		return;
	}
}

static void random_leave(void)
{
	struct ivshmem_peer *peer = table.peer[rand() % table.num_peers];

	view_of(peer)->used = false;
	ivshmem_leave(&table, peer);
}

static void check_view(const struct ivshmem_peer *peer)
{
	const struct view *v = view_of(peer);
	unsigned int known = 0;

	for (int id = 0; id <= IVSHMEM_MAX_ID; id++)
		known += !!v->vectors[id];
	CHECK_EQ(known, table.num_peers + 1);
	for (unsigned int i = 0; i < table.num_peers; i++)
		CHECK_EQ(v->vectors[table.peer[i]->id], VECTORS);
	CHECK_EQ(v->vectors[IVSHMEM_HOST_ID], VECTORS);
}

static void test_random(void)
{
	setup(VECTORS);
	srand(1);
	for (int i = 0; i < 20000 && !test_failed; i++) {
		struct ivshmem_peer *peer;

		switch (rand() % 8) {
		case 0:
			random_join();
			break;
		case 1:
			if (table.num_peers)
				random_leave();
			break;
		default:
			if (!table.num_peers)
				break;
			peer = table.peer[rand() % table.num_peers];
			for (int n = rand() % 9; n && ivshmem_next(peer); n--)
				hear(view_of(peer), peer);
		}
	}
	for (unsigned int i = 0; i < table.num_peers; i++) {
		while (ivshmem_next(table.peer[i]))
			hear(view_of(table.peer[i]), table.peer[i]);
		check_view(table.peer[i]);
	}
	CHECK(table.num_peers > 1);
	teardown();
}

/*
 * For a client that does not read, the server keeps no more messages than the
 * peers that are there need, however many peers come and go.
 */
static void test_deaf(void)
{
	struct ivshmem_peer *deaf, *b, *c;
	size_t most = 0;

	setup(VECTORS);
	deaf = join(fds[0]);
	for (int i = 0; i < 20000; i++) {
		b = join(fds[1]);
		c = join(fds[2]);
		if (deaf->len > most)
			most = deaf->len;
		ivshmem_leave(&table, b);
		ivshmem_leave(&table, c);
	}
	CHECK_EQ(most, 3 + VECTORS * 4);
	CHECK(deaf->size < 100);
	CHECK(hello(deaf) && next_are(deaf, deaf->id, fds[0]));
	CHECK(!ivshmem_next(deaf));
	teardown();
}

static const struct test tests[] = {
	{ "numbers are little endian", test_encode },
	{ "the order of what is told", test_order },
	{ "who leaves before all was told of him", test_leave },
	{ "no ID that somebody saw leave comes again", test_ids },
	{ "IDs run out, and come back", test_ids_run_out },
	{ "as many peers as a guest's MMIO bus has room for", test_limits },
	{ "whatever happens, all views are right in the end", test_random },
	{ "a client that does not listen", test_deaf },
};

TEST_MAIN(tests)
