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
		p->rec[0].op = ops_setup();
		p->rec[0].arg[1] |= 0x0f;	/* all steps, up to the start */
	}
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
