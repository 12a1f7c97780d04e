// SPDX-License-Identifier: GPL-2.0
/* engine - make programs: new ones, and others from those of the corpus */
#include <string.h>

#include "kfuzz.h"

static uint64_t state = 1;

/* splitmix64: the same seed gives the same programs */
uint64_t engine_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void engine_seed(uint64_t seed)
{
	state = seed;
}

static uint32_t below(uint32_t n)
{
	return engine_random() % n;
}

static void make_record(struct record *r)
{
	r->op = ops_pick(engine_random());
	for (size_t i = 0; i < sizeof(r->arg); i++)
		r->arg[i] = engine_random();
	/* Most calls are valid; see mutated() in ops.c */
	if (below(4))
		r->arg[12] = 0xff;
	/* Most calls are for the first device. */
	if (below(4))
		r->arg[0] &= 0xfc;
}

void engine_generate(struct program *p)
{
	p->n = 2 + below(below(4) ? 12 : RECORDS - 2);
	for (uint32_t i = 0; i < p->n; i++)
		make_record(&p->rec[i]);
	if (below(8)) {
		p->rec[0].op = ops_find("setup");
		p->rec[0].arg[1] |= 0x0f;	/* all steps, up to the start */
	}
}

/*
 * What op_setup() in ops_config.c makes of these: a kind of disk or card, with the number
 * that 10-kfuzz.sh gives that disk. Rings have 256 entries, so that all requests fit.
 */
static const struct seed {
	const char	*op;
	uint8_t		 arg[15];
} seeds[] = {
	{ "setup", { 0, 0x0f, 12, 7, 2, 0, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	/* Auto mode with a few requests inline; packed rings with event indices */
	{ "setup", { 0, 0x0f, 12, 7, 4, 0, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x1f, 12, 7, 4, 0, 0, 0, 0, 0, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x0f, 3, 7, 2, 0, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x0f, 9, 7, 2, 0, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x0f, 12, 7, 1, 1, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	/* The zoned disk */
	{ "setup", { 0, 0x0f, 12, 7, 2, 2, 0xc0, 0, 0, 0x1a, 0, 0xff, 0xff } },
	/* Files, buffered and direct */
	{ "setup", { 0, 0x0f, 12, 7, 2, 3, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x0f, 12, 7, 2, 4, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	/* The full file system: held requests, with an in-flight region, too */
	{ "setup", { 0, 0x0f, 12, 7, 2, 5, 0x9e, 0, 0, 0x1e, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x4f, 12, 7, 2, 5, 0x9e, 0, 0, 0x1e, 0, 0xff, 0xff } },
	/* In-flight regions with chains in flight, split and packed */
	{ "setup", { 0, 0x4f, 12, 7, 3, 5, 0x9e, 0, 0, 0x1e, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x4f, 2, 7, 3, 5, 0x9e, 0, 0, 0x1e, 0, 0xff, 0xff } },
	/* Requests in slices */
	{ "setup", { 0, 0x0f, 12, 7, 2, 0, 0x9e, 0, 0xc0, 0x1a, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x0f, 12, 7, 2, 4, 0x9e, 0, 0xc0, 0x1a, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x0f, 12, 7, 2, 5, 0x9e, 0, 0xc0, 0x1e, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x4f, 12, 7, 2, 5, 0x9e, 0, 0xc0, 0x1e, 0, 0xff, 0xff } },
	/* A dirty log */
	{ "setup", { 0, 0x2f, 12, 7, 2, 0, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	/* Cards: a tap, and a network device of their own */
	{ "setup", { 0, 0x1f, 12, 7, 2, 0, 0, 0, 0, 0, 0, 0xff, 0xff } },
	{ "setup", { 0, 0x1f, 9, 7, 2, 0, 0, 0, 0, 6, 0, 0xfc, 0xff } },
	/* An owner that dies, and an adoption */
	{ "setup-in-child", { 0, 0x0f, 12, 7, 2, 0, 0x9e, 0, 0, 0x1a, 0, 0xff, 0xff } },
	{ "setup-in-child", { 0, 0x8f, 12, 7, 1, 5, 0x9e, 0, 0, 0x1e, 0, 0xff, 0xff } },
};

static void add(struct program *p, const char *op, const uint8_t *arg, size_t n)
{
	struct record *r = &p->rec[p->n++];

	*r = (struct record){ .op = ops_find(op) };
	r->arg[12] = 0xff;
	memcpy(r->arg, arg, n);
}

#define ADD(p, op, ...) \
	add(p, op, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

/* Valid requests of all types, kicked at once */
static void seed_requests(struct program *p, bool net)
{
	/*
	 * Long ones, at an odd address and not; append, open and write at a zone's begin;
	 * write across a zone's end
	 */
	static const uint8_t type[] = { 0, 1, 10, 12, 1, 1 };

	for (uint8_t i = 0; i < 16; i++) {
		/* Queue 1 of a card sends, queue 0 receives. */
		uint8_t queue = net ? i << 2 & 4 : 0;

		ADD(p, "request", queue, i, i * 4, 1 + i % 3, i / 2, i * 8, 0x3a);
		if (i % 4 == 3)
			ADD(p, "wait", queue, 32, 3);
	}
	for (uint8_t i = 0; i < 6; i++)
		ADD(p, "request", 0, type[i], 8 + i / 5, i < 2 ? 7 : 1, i < 2 || i == 5 ? 10 : 1,
		    i & 1 ? 14 : 15, 0x3a, 0, 0, i < 2 ? 0 : i < 5 ? 6 : 14);
	/* Event flags of a packed ring: notify at one position. */
	ADD(p, "write", 0, 2, 1, 0, 1, 2);
	ADD(p, "burst", net ? 4 : 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xff);
}

bool engine_seed_program(struct program *p, unsigned int i)
{
	static const size_t n = sizeof(seeds) / sizeof(*seeds);
	const struct seed *seed = &seeds[i];
	bool full, net;

	if (i >= n)
		return false;
	full = seed->arg[5] == 5;
	net = seed->arg[1] & 0x10;
	*p = (struct program){};
	add(p, seed->op, seed->arg, sizeof(seed->arg));
	if (full)
		ADD(p, "disk", 0, 2);
	seed_requests(p, net);
	for (uint8_t k = 0; net && k < 8; k++)
		ADD(p, "ethtool", 0, k, 7);
	ADD(p, "inject", 0);
	/*
	 * What is held is tried again while there is no room, and when there is. With an
	 * in-flight region it is still held when the device is closed.
	 */
	for (unsigned int k = 0; full && !(seed->arg[1] & 0x40) && k < 2; k++) {
		ADD(p, "wait", 0, 0, 0xff);
		ADD(p, "disk", 0, 3);
	}
	ADD(p, "get", 0, 15);
	ADD(p, "run", 0);
	return true;
}

static void insert(struct program *p)
{
	uint32_t at = below(p->n + 1);

	if (p->n == RECORDS)
		return;
	memmove(&p->rec[at + 1], &p->rec[at], (p->n - at) * sizeof(p->rec[0]));
	p->n++;
	if (p->n > 1 && below(3) == 0)
		p->rec[at] = p->rec[below(p->n)];
	else
		make_record(&p->rec[at]);
}

static void erase(struct program *p)
{
	uint32_t at = below(p->n);

	if (p->n < 2)
		return;
	p->n--;
	memmove(&p->rec[at], &p->rec[at + 1], (p->n - at) * sizeof(p->rec[0]));
}

/* Take the end of another program, or insert a piece of it. */
static void splice(struct program *p, const struct program *other)
{
	uint32_t at = below(p->n + 1), from = below(other->n + 1);
	uint32_t n = other->n - from;

	if (n > RECORDS - at)
		n = RECORDS - at;
	memcpy(&p->rec[at], &other->rec[from], n * sizeof(p->rec[0]));
	if (at + n > p->n || below(2))
		p->n = at + n;
	if (!p->n)
		p->n = 1;
}

static void change_byte(struct program *p)
{
	static const uint8_t some[] = { 0, 1, 2, 0x7f, 0x80, 0xfe, 0xff };
	struct record *r = &p->rec[below(p->n)];
	uint8_t *byte = &r->arg[below(sizeof(r->arg))];

	switch (below(5)) {
	case 0:
		*byte ^= 1U << below(8);
		break;
	case 1:
		*byte = some[below(sizeof(some))];
		break;
	case 2:
		*byte += below(2) ? 1 : -1;
		break;
	case 3:
		*byte = engine_random();
		break;
	default:
		r->op = ops_pick(engine_random());
	}
}

void engine_mutate(struct program *p, const struct program *other)
{
	for (uint32_t n = 1 + below(4); n; n--) {
		switch (below(8)) {
		case 0:
		case 1:
			insert(p);
			break;
		case 2:
			erase(p);
			break;
		case 3:
			splice(p, other);
			break;
		default:
			change_byte(p);
		}
	}
}
