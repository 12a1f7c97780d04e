// SPDX-License-Identifier: GPL-2.0
/* ask - send requests named on the command line, one at a time */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "bench.h"
#include "dev.h"
#include "number.h"
#include "quick.h"
#include "run.h"

#define ASK_BYTES	(1u << 20)
#define ASK_MEMORY	(4u << 20)
#define ASK_TIMEOUT	20000	/* ms */
#define ASK_WORDS	4

/* Request types of virtio 1.3, which older headers lack. */
#define T_GET_LIFETIME	10
#define T_SECURE_ERASE	14
#define T_ZONE_APPEND	15
#define T_ZONE_REPORT	16
/* A pseudo type of our own: the write cache byte in the config space */
#define T_CONFIG_WCE	UINT32_MAX

struct zone {
	uint64_t	cap;
	uint64_t	start;
	uint64_t	wp;
	uint8_t		type;
	uint8_t		state;
	uint8_t		reserved[38];
};

#define REPORT_HEAD	64	/* bytes of a zone report before its zones */

struct ask {
	struct dev	dev;
	struct mem	mem;
	struct ring	ring;

	/* In guest memory; the status byte is the last byte of @tail: */
	struct virtio_blk_outhdr *header;
	uint8_t		*data;
	uint8_t		*tail;

	/* About the current request: */
	uint64_t	word[ASK_WORDS];	/* arguments; [0] is the command */
	uint32_t	out;		/* bytes of data that the device reads */
	uint32_t	in;		/* bytes of data that the device writes */
	uint32_t	tail_len;
	bool		split;		/* @tail is in two pieces */
};

struct command {
	const char	*name;
	unsigned int	nargs;
	uint32_t	type;
	void		(*prepare)(struct ask *a);
	void		(*print)(const struct ask *a);
};

/* --- reads, writes and ranges --- */

static uint32_t data_bytes(const struct ask *a)
{
	return a->word[2] > ASK_BYTES / 512 ? ASK_BYTES :
					      (uint32_t)a->word[2] * 512;
}

static void put_data(struct ask *a)
{
	a->out = data_bytes(a);
	memset(a->data, (int)a->word[3], a->out);
}

static void get_data(struct ask *a)
{
	a->in = data_bytes(a);
	memset(a->data, 0x5a, a->in);
}

static void print_data(const struct ask *a)
{
	for (uint32_t i = 1; i < a->in; i++) {
		if (a->data[i] != a->data[0]) {
			printf(" mixed");
			return;
		}
	}
	printf(" 0x%02x", a->data[0]);
}

static void put_range(struct ask *a)
{
	struct virtio_blk_discard_write_zeroes r = {
		.sector = htole64(a->word[1]),
		.num_sectors = htole32((uint32_t)a->word[2]),
	};

	a->out = sizeof(r);
	memcpy(a->data, &r, sizeof(r));
	a->word[1] = 0;
}

/* --- zone commands --- */

static void put_append(struct ask *a)
{
	put_data(a);
	a->tail_len = sizeof(uint64_t) + 1;
}

static void print_append(const struct ask *a)
{
	uint64_t sector;

	memcpy(&sector, a->tail, sizeof(sector));
	printf(" at %" PRIu64, le64toh(sector));
}

static void get_report(struct ask *a)
{
	uint64_t most = (ASK_BYTES - REPORT_HEAD) / sizeof(struct zone);

	if (a->word[2] < most)
		most = a->word[2];
	a->in = (uint32_t)(REPORT_HEAD + most * sizeof(struct zone));
	memset(a->data, 0x5a, a->in);
}

static void print_report(const struct ask *a)
{
	uint64_t n, most = (a->in - REPORT_HEAD) / sizeof(struct zone);
	struct zone z;

	memcpy(&n, a->data, sizeof(n));
	n = le64toh(n);
	printf(" %" PRIu64, n);
	for (uint64_t i = 0; i < n && i < most; i++) {
		memcpy(&z, a->data + REPORT_HEAD + i * sizeof(z), sizeof(z));
		printf("\n  zone %" PRIu64 " type %u state %u wp %" PRIu64
		       " cap %" PRIu64, le64toh(z.start), z.type, z.state,
		       le64toh(z.wp), le64toh(z.cap));
	}
}

/* --- requests about the device --- */

static void get_id(struct ask *a)
{
	a->in = VIRTIO_BLK_ID_BYTES;
}

static void print_id(const struct ask *a)
{
	printf(" %.*s", VIRTIO_BLK_ID_BYTES, (const char *)a->data);
}

static void get_lifetime(struct ask *a)
{
	a->in = 3 * sizeof(uint16_t);
}

static void print_lifetime(const struct ask *a)
{
	uint16_t v[3];

	memcpy(v, a->data, sizeof(v));
	printf(" pre_eol_info %u typ_a %u typ_b %u", le16toh(v[0]),
	       le16toh(v[1]), le16toh(v[2]));
}

static const struct command commands_known[] = {
	{ "read", 2, VIRTIO_BLK_T_IN, get_data, print_data },
	{ "write", 3, VIRTIO_BLK_T_OUT, put_data, NULL },
	{ "flush", 0, VIRTIO_BLK_T_FLUSH, NULL, NULL },
	{ "discard", 2, VIRTIO_BLK_T_DISCARD, put_range, NULL },
	{ "zero", 2, VIRTIO_BLK_T_WRITE_ZEROES, put_range, NULL },
	{ "erase", 2, T_SECURE_ERASE, put_range, NULL },
	{ "append", 3, T_ZONE_APPEND, put_append, print_append },
	{ "report", 2, T_ZONE_REPORT, get_report, print_report },
	{ "open", 1, 18, NULL, NULL },
	{ "close", 1, 20, NULL, NULL },
	{ "finish", 1, 22, NULL, NULL },
	{ "reset", 1, 24, NULL, NULL },
	{ "reset-all", 0, 26, NULL, NULL },
	{ "id", 0, VIRTIO_BLK_T_GET_ID, get_id, print_id },
	{ "lifetime", 0, T_GET_LIFETIME, get_lifetime, print_lifetime },
	{ "wce", 0, T_CONFIG_WCE, NULL, NULL },
};

/* --- parse, send and print one request --- */

static const struct command *parse(struct ask *a, char *text)
{
	const struct command *c = NULL;
	char *save, *word = strtok_r(text, " ", &save);
	unsigned int n = 0;

	for (size_t i = 0; word && i < ARRAY_SIZE(commands_known); i++)
		if (!strcmp(commands_known[i].name, word))
			c = &commands_known[i];
	if (!c)
		return NULL;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (++n > c->nargs)
			return NULL;
		if (number_any(word, UINT64_MAX, &a->word[n]))
			return NULL;
	}
	return n == c->nargs ? c : NULL;
}

static unsigned int build(struct ask *a, struct ring_seg *seg)
{
	uint32_t cut = a->split && a->tail_len > 1 ? a->tail_len / 2 : 0;
	unsigned int n = 0;

	seg[n++] = (struct ring_seg){
		mem_gpa(&a->mem, a->header), sizeof(*a->header), false,
	};
	if (a->out)
		seg[n++] = (struct ring_seg){
			mem_gpa(&a->mem, a->data), a->out, false,
		};
	if (a->in)
		seg[n++] = (struct ring_seg){
			mem_gpa(&a->mem, a->data), a->in, true,
		};
	if (cut)
		seg[n++] = (struct ring_seg){
			mem_gpa(&a->mem, a->tail), cut, true,
		};
	seg[n++] = (struct ring_seg){
		mem_gpa(&a->mem, a->tail + cut), a->tail_len - cut, true,
	};
	return n;
}

static const char *status_name(uint8_t status)
{
	static const char * const names[] = {
		"ok", "ioerr", "unsupp", "invalid", "unaligned",
		"open-resource", "active-resource",
	};

	return status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

static int ask_wce(struct ask *a)
{
	struct virtio_blk_config c;
	int ret = fe_get_config(&a->dev.fe, &c, offsetof(struct virtio_blk_config,
							 wce) + sizeof(c.wce));

	if (!ret)
		printf("wce: %u\n", c.wce);
	return ret;
}

static int ask_one(struct ask *a, char *text)
{
	struct ring_seg seg[5];
	const struct command *c;
	uint8_t status;
	int ret;

	memset(a->word, 0, sizeof(a->word));
	a->out = a->in = 0;
	a->tail_len = 1;
	c = parse(a, text);
	if (!c)
		return -EINVAL;
	if (c->type == T_CONFIG_WCE)
		return ask_wce(a);
	if (c->prepare)
		c->prepare(a);
	*a->header = (struct virtio_blk_outhdr){
		.type = htole32(c->type), .sector = htole64(a->word[1]),
	};
	memset(a->tail, 0xee, a->tail_len);
	ret = ring_add(&a->ring, seg, build(a, seg),
		       (struct ring_shape){ 0 }, 0);
	if (!ret) {
		ring_publish(&a->ring);
		ret = quick_pop(&a->ring, ASK_TIMEOUT);
	}
	if (ret)
		return ret;
	status = a->tail[a->tail_len - 1];
	printf("%s: %s", c->name, status_name(status));
	if (!status && c->print)
		c->print(a);
	putchar('\n');
	return 0;
}

static int ask_all(struct ask *a, const char *commands)
{
	char *text = strdup(commands), *save, *one;
	int ret = text ? 0 : -ENOMEM;

	for (one = text ? strtok_r(text, ";", &save) : NULL; one && !ret;
	     one = strtok_r(NULL, ";", &save)) {
		ret = ask_one(a, one);
		if (ret)
			fprintf(stderr, "doorbell-bench: %s: %s\n", one,
				strerror(-ret));
	}
	free(text);
	return ret;
}

/* --- connect, and run all commands --- */

static int ask_memory(struct ask *a, const struct options *o)
{
	int ret = mem_create(&a->mem, o->common.mem_kind, o->common.mem_path,
			     (unsigned int)o->common.regions,
			     ASK_MEMORY + 2 * mem_punch_size(o->common.mem_kind));

	if (ret)
		return ret;
	ret = ring_create(&a->ring, &a->mem, &(struct ring_config){
		.num = 16, .packed = o->common.packed, .seed = o->common.seed,
	});
	if (ret)
		return ret;
	a->ring.event_idx = dev_has(&a->dev, VIRTIO_RING_F_EVENT_IDX);
	a->split = o->layout == LAYOUT_SPLIT;
	a->header = mem_alloc(&a->mem, sizeof(*a->header), 16, 0);
	a->tail = mem_alloc(&a->mem, 16, 16, 0);
	a->data = mem_alloc(&a->mem, ASK_BYTES + 4096, 4096, 0);
	if (!a->header || !a->tail || !a->data)
		return -ENOMEM;
	a->data += o->align;
	return 0;
}

static int ask_start(struct ask *a, const struct dev_wish *wish)
{
	int ret = dev_setup(&a->dev, wish, &a->mem);

	if (!ret)
		ret = dev_queue_start(&a->dev, 0, &a->ring,
				      ring_base(&a->ring));
	if (ret)
		fprintf(stderr, "doorbell-bench: vhost-user: %s: %s\n",
			fe_name(a->dev.fe.last), strerror(-ret));
	return ret;
}

int ask_run(const struct options *o, const char *commands)
{
	struct ask a = {
		.dev.fe.sock = -1, .mem.fd = -1,
		.ring = { .kick = -1, .call = -1, .err = -1 },
	};
	struct dev_wish wish = run_wish(o);
	unsigned int base;
	int ret;

	ret = dev_open(&a.dev, &wish);
	if (ret)
		fprintf(stderr, "doorbell-bench: vhost-user: %s: %s\n",
			fe_name(a.dev.fe.last), strerror(-ret));
	if (!ret)
		ret = ask_memory(&a, o);
	if (!ret)
		ret = ask_start(&a, &wish);
	if (!ret)
		ret = ask_all(&a, commands);
	if (!ret)
		ret = dev_queue_stop(&a.dev, 0, &base);
	if (a.ring.kick >= 0)
		ring_destroy(&a.ring);
	dev_close(&a.dev);
	mem_destroy(&a.mem);
	return ret;
}
