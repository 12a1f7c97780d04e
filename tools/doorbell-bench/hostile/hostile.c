// SPDX-License-Identifier: GPL-2.0
/*
 * hostile - break the rules of ring and request, one at a time
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "hostile.h"
#include "victim.h"

#define HOSTILE_TIMEOUT	10000	/* ms to wait for the outcome */
#define HOSTILE_QUIET	100	/* ms in which a broken queue must complete nothing */

struct hostile {
	const struct options	*o;
	struct victim		victim;
	bool			open;
	bool			no_indirect;
	bool			told_witness;
	bool			dead;		/* no device could be opened */
	char			why[160];
};

static bool has_indirect(const struct victim *v)
{
	return dev_has(&v->dev, VIRTIO_RING_F_INDIRECT_DESC);
}

/* Returns NULL, or why the case cannot run on this device. */
static const char *cannot(const struct hostile *h, const struct hostile_case *c)
{
	const struct victim *v = &h->victim;

	if (c->need & HOSTILE_SPLIT && ring_is_packed(&v->ring[0]))
		return "a split ring's";
	if (c->need & HOSTILE_PACKED && !ring_is_packed(&v->ring[0]))
		return "a packed ring's";
	if (c->need & HOSTILE_INDIRECT && !has_indirect(v))
		return "INDIRECT_DESC is not offered";
	if (c->need & HOSTILE_WRITABLE && v->read_only)
		return "the disk is read-only";
	if (c->need & HOSTILE_READ_ONLY && !v->read_only)
		return "the disk is not read-only";
	if (c->need & HOSTILE_BIG_BLOCKS && v->dev.config.blk_size <= 512)
		return "blocks have 512 bytes";
	return NULL;
}

static int fail(struct hostile *h, const char *what, const char *how)
{
	snprintf(h->why, sizeof(h->why), "%s%s%s", what, how ? ": " : "",
		 how ? how : "");
	return -EIO;
}

/*
 * Provides the device that the case needs: connects if necessary, also after a
 * failure.
 */
static int provide(struct hostile *h, bool no_indirect)
{
	int ret;

	if (h->open && h->no_indirect == no_indirect)
		return 0;
	if (h->open)
		victim_close(&h->victim);
	h->open = false;
	ret = victim_open(&h->victim, h->o, no_indirect);
	h->dead = ret;
	if (ret)
		return fail(h, "no device", strerror(-ret));
	h->open = true;
	h->no_indirect = no_indirect;
	if (h->o->read_only_expected && !h->victim.read_only)
		return fail(h, "the disk is not read-only", NULL);
	return 0;
}

static int stays_broken(struct hostile *h, const struct hostile_case *c)
{
	struct victim *v = &h->victim;
	uint16_t used = 0;

	/*
	 * Requests that were taken before the queue broke may still complete.
	 */
	if (c->expect == EXPECT_OK_OR_BROKEN) {
		usleep(HOSTILE_QUIET * 1000);
		used = victim_used(v);
	}
	victim_send_good(v);
	usleep(HOSTILE_QUIET * 1000);
	if (victim_used(v) != used)
		return fail(h, "the broken queue completed a request", NULL);
	if (fe_gone(&v->dev.fe))
		return fail(h, "connection closed after the break", NULL);
	return 0;
}

static int goes_on(struct hostile *h)
{
	struct victim *v = &h->victim;
	unsigned int used = (uint16_t)(victim_used(v) + 1);

	victim_send_good(v);
	if (victim_wait(v, used, HOSTILE_TIMEOUT) != VICTIM_COMPLETED)
		return fail(h, "the queue does not go on", NULL);
	if (*v->status != VIRTIO_BLK_S_OK)
		return fail(h, "the next good request failed", NULL);
	return 0;
}

static bool status_expected(enum hostile_expect expect, uint8_t status)
{
	switch (expect) {
	case EXPECT_IOERR:
		return status == VIRTIO_BLK_S_IOERR;
	case EXPECT_UNSUPP:
		return status == VIRTIO_BLK_S_UNSUPP;
	case EXPECT_OK:
	case EXPECT_OK_OR_BROKEN:
		return status == VIRTIO_BLK_S_OK;
	case EXPECT_OK_OR_IOERR:
		return status == VIRTIO_BLK_S_OK ||
		       status == VIRTIO_BLK_S_IOERR;
	case EXPECT_BROKEN:
		break;
	}
	return false;
}

static int judge(struct hostile *h, const struct hostile_case *c)
{
	struct victim *v = &h->victim;
	char status[32];

	switch (victim_wait(v, v->avail_idx, HOSTILE_TIMEOUT)) {
	case VICTIM_GONE:
		return fail(h, "the back end closed the connection", NULL);
	case VICTIM_NOTHING:
		return fail(h, "neither a completion nor an error", NULL);
	case VICTIM_BROKEN:
		if (c->expect == EXPECT_BROKEN ||
		    c->expect == EXPECT_OK_OR_BROKEN)
			return stays_broken(h, c);
		return fail(h, "the queue was broken", NULL);
	case VICTIM_COMPLETED:
		break;
	}
	snprintf(status, sizeof(status), "status %u", *v->status);
	if (!status_expected(c->expect, *v->status))
		return fail(h, "completed", status);
	if (c->check && c->check(v))
		return fail(h, c->check(v), NULL);
	return goes_on(h);
}

static int serves(struct hostile *h, unsigned int queue, const char *what)
{
	int ret = victim_serves(&h->victim, queue);

	if (ret == -EILSEQ)
		return fail(h, what, "wrong data");
	return ret ? fail(h, what, strerror(-ret)) : 0;
}

static int attack(struct hostile *h, const struct hostile_case *c)
{
	struct victim *v = &h->victim;
	int ret;

	c->craft(v);
	victim_publish(v);
	ret = judge(h, c);
	if (!ret && v->has_witness)
		ret = serves(h, 1, "queue 1 after that");
	if (!ret && !victim_guard_intact(v))
		ret = fail(h, "memory behind the region was written", NULL);
	if (ret)
		return ret;
	ret = victim_restart(v);
	if (ret)
		return fail(h, "restart", strerror(-ret));
	ret = serves(h, 0, "queue 0 after a restart");
	if (ret)
		return ret;
	/* The next case starts on an empty ring. */
	ret = victim_restart(v);
	return ret ? fail(h, "second restart", strerror(-ret)) : 0;
}

/* Returns whether the case failed. */
static bool run_case(struct hostile *h, const struct hostile_case *c,
		     unsigned int number)
{
	const char *skip;
	int ret = provide(h, c->need & HOSTILE_NO_INDIRECT);

	if (!ret) {
		if (!h->victim.has_witness && !h->told_witness)
			printf("# one queue only: no witness\n");
		h->told_witness = true;
		skip = cannot(h, c);
		if (skip) {
			printf("ok %u - %s # SKIP %s\n", number, c->name, skip);
			return false;
		}
		ret = attack(h, c);
	}
	if (!ret) {
		printf("ok %u - %s\n", number, c->name);
		return false;
	}
	printf("not ok %u - %s\n# %s\n", number, c->name, h->why);
	if (h->open)
		victim_close(&h->victim);
	h->open = false;
	return true;
}

static bool selected(const struct options *o, const struct hostile_case *c)
{
	return !strcmp(o->common.hostile, "all") || !strcmp(o->common.hostile, c->name);
}

static void list(const struct hostile_set *set, size_t n)
{
	static const char * const expects[] = {
		[EXPECT_BROKEN] = "broken queue",
		[EXPECT_IOERR] = "IOERR",
		[EXPECT_UNSUPP] = "UNSUPP",
		[EXPECT_OK] = "OK",
		[EXPECT_OK_OR_IOERR] = "OK or IOERR",
		[EXPECT_OK_OR_BROKEN] = "OK or broken queue",
	};

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < set[i].n; j++)
			printf("%-28s %s\n", set[i].cases[j].name,
			       expects[set[i].cases[j].expect]);
}

int hostile_run(const struct options *o)
{
	const struct hostile_set set[] = { hostile_ring_cases(),
					   hostile_req_cases() };
	static struct hostile h;
	unsigned int number = 0, failed = 0;

	if (!strcmp(o->common.hostile, "list")) {
		list(set, ARRAY_SIZE(set));
		return 0;
	}
	if (!strcmp(o->common.hostile, "random"))
		return hostile_random(o);
	h.o = o;
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		for (size_t j = 0; j < set[i].n && !h.dead; j++)
			if (selected(o, &set[i].cases[j]))
				failed += run_case(&h, &set[i].cases[j],
						   ++number);
	if (h.dead)
		printf("Bail out! %s\n", h.why);
	else
		printf("1..%u\n", number);
	if (h.open)
		victim_close(&h.victim);
	if (!number)
		fprintf(stderr, "doorbell-bench: no hostile case '%s'\n",
			o->common.hostile);
	return failed || !number ? -EIO : 0;
}
