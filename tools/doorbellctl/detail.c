// SPDX-License-Identifier: GPL-2.0
#include "detail.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

const char * const detail_kinds[] = {
	[VHOST_DOORBELL_KIND_READ]	= "read",
	[VHOST_DOORBELL_KIND_WRITE]	= "write",
	[VHOST_DOORBELL_KIND_FLUSH]	= "flush",
	[VHOST_DOORBELL_KIND_DISCARD]	= "discard",
	[VHOST_DOORBELL_KIND_ZEROES]	= "zeroes",
	[VHOST_DOORBELL_KIND_OTHER]	= "other",
	[VHOST_DOORBELL_KIND_FRAME]	= "frame",
	[VHOST_DOORBELL_KINDS]		= NULL,
};

const char * const detail_causes[] = {
	[VHOST_DOORBELL_CAUSE_IO]	= "io",
	[VHOST_DOORBELL_CAUSE_NOSPC]	= "nospc",
	[VHOST_DOORBELL_CAUSE_UNSUPP]	= "unsupp",
	[VHOST_DOORBELL_CAUSE_INVALID]	= "invalid",
	[VHOST_DOORBELL_CAUSE_NOMEM]	= "nomem",
	[VHOST_DOORBELL_CAUSE_ZONE]	= "zone",
	[VHOST_DOORBELL_CAUSES]		= NULL,
};

static int find(const char * const *names, const char *name, size_t n)
{
	for (int i = 0; names[i]; i++)
		if (strlen(names[i]) == n && !strncmp(names[i], name, n))
			return i;
	return -ENOENT;
}

/* Parses the number of a queue behind @prefix; *@rest is the text after it. */
static int parse_index(const char *key, const char *prefix, const char **rest)
{
	size_t n = strlen(prefix);
	const char *at = key + n;
	uint64_t i;
	int ret;

	if (strncmp(key, prefix, n))
		return -ENOENT;
	ret = number_next(&at, VHOST_DOORBELL_MAX_QUEUES - 1, &i);
	if (ret)
		return ret == -ERANGE ? -EINVAL : -ENOENT;
	*rest = at;
	return (int)i;
}

/* "BUCKET:NUMBER" */
static int parse_bucket(struct vhost_doorbell_hist *h, char *word)
{
	char *number = strchr(word, ':');
	uint64_t bucket, value;

	if (!number)
		return 0;
	*number++ = '\0';
	if (number_decimal(word, VHOST_DOORBELL_HIST_BUCKETS - 1, &bucket) ||
	    number_decimal(number, UINT64_MAX, &value))
		return -EINVAL;
	h->buckets[bucket] = value;
	h->count += value;
	return 0;
}

static int parse_hist(struct detail *d, uint32_t queue, const char *kind_name,
		      char *value)
{
	int ret = 0, kind = find(detail_kinds, kind_name, strlen(kind_name));
	struct vhost_doorbell_hist *h;
	char *save, *word;

	/* A newer module may have more kinds. */
	if (kind < 0)
		return 0;
	h = reallocarray(d->hist, d->num_hists + 1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	d->hist = h;
	h += d->num_hists++;
	*h = (struct vhost_doorbell_hist){ .index = queue, .kind = kind };
	for (word = strtok_r(value, " ", &save); word && !ret;
	     word = strtok_r(NULL, " ", &save)) {
		uint64_t number = 0;

		if (!strncmp(word, "sum=", 4)) {
			ret = number_decimal(word + 4, UINT64_MAX, &number);
			h->sum = number;
		} else if (!strncmp(word, "max=", 4)) {
			ret = number_decimal(word + 4, UINT64_MAX, &number);
			h->max = number;
		} else {
			ret = parse_bucket(h, word);
		}
	}
	return ret;
}

/* "KIND-CAUSE=NUMBER" */
static int parse_failed(struct vhost_doorbell_errors *e, const char *name,
			uint64_t number)
{
	const char *dash = strchr(name, '-');
	int kind, cause;

	if (!dash)
		return 0;
	kind = find(detail_kinds, name, dash - name);
	cause = find(detail_causes, dash + 1, strlen(dash + 1));
	if (kind >= 0 && cause >= 0)
		e->failed[kind][cause] = number;
	return 0;
}

static int parse_word(struct vhost_doorbell_errors *e, const char *name,
		      const char *value)
{
	uint64_t number;
	int i;

	if (!strcmp(name, "last_kind") || !strcmp(name, "last_cause")) {
		i = find(name[5] == 'k' ? detail_kinds : detail_causes, value,
			 strlen(value));
		if (i >= 0 && name[5] == 'k')
			e->last_kind = i;
		else if (i >= 0)
			e->last_cause = i;
		return 0;
	}
	if (!strcmp(name, "last_errno"))
		return number_u32(value, &e->last_errno);
	if (!strcmp(name, "last_status"))
		return number_u32(value, &e->last_status);
	if (!strcmp(name, "held"))
		return number_u32(value, &e->held);
	if (number_decimal(value, UINT64_MAX, &number))
		return strchr(name, '-') ? -EINVAL : 0;
	if (!strcmp(name, "oldest_ns"))
		e->oldest_ns = number;
	else if (!strcmp(name, "last_sector"))
		e->last_sector = number;
	else if (!strcmp(name, "last_time"))
		e->last_time = number;
	return parse_failed(e, name, number);
}

static int parse_words(struct vhost_doorbell_errors *e, char *value)
{
	char *save, *word;
	int ret = 0;

	for (word = strtok_r(value, " ", &save); word && !ret;
	     word = strtok_r(NULL, " ", &save)) {
		char *number = strchr(word, '=');

		if (!number)
			continue;
		*number++ = '\0';
		ret = parse_word(e, word, number);
	}
	return ret;
}

/* Other code parses the other words of the line, so @value is not changed. */
static void parse_held(struct vhost_doorbell_errors *e, const char *value)
{
	const char *at = strstr(value, " held=");

	uint64_t held;

	if (!at)
		return;
	at += strlen(" held=");
	if (!number_next(&at, UINT32_MAX, &held))
		e->held = held;
}

int detail_parse(struct detail *d, const char *key, char *value)
{
	const char *rest;
	int i;

	i = parse_index(key, "queue", &rest);
	if (i >= 0) {
		parse_held(&d->errors[i], value);
		return 1;
	}
	i = parse_index(key, "hist", &rest);
	if (i != -ENOENT)
		return i < 0 ? i : *rest != '-' ? 1 :
		       parse_hist(d, i, rest + 1, value);
	i = parse_index(key, "flight", &rest);
	if (i == -ENOENT) {
		i = parse_index(key, "errors", &rest);
		if (i >= 0)
			d->errors[i].last_sector = VHOST_DOORBELL_NO_SECTOR;
	}
	if (i == -ENOENT)
		return 1;
	return i < 0 ? i : parse_words(&d->errors[i], value);
}

void detail_free(struct detail *d)
{
	free(d->hist);
	d->hist = NULL;
	d->num_hists = 0;
}

const struct vhost_doorbell_hist *detail_find(const struct detail *d,
					      uint32_t queue, uint32_t kind)
{
	for (size_t i = 0; i < d->num_hists; i++)
		if (d->hist[i].index == queue && d->hist[i].kind == kind)
			return &d->hist[i];
	return NULL;
}

uint64_t detail_bucket_low(unsigned int bucket)
{
	if (bucket < 4)
		return bucket;
	return (uint64_t)(4 + bucket % 4) << (bucket / 4 - 1);
}

double detail_quantile(const struct vhost_doorbell_hist *h, double q)
{
	double rank = q * h->count, before = 0, low, high;

	for (unsigned int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++) {
		double n = h->buckets[i];

		if (!n || before + n < rank) {
			before += n;
			continue;
		}
		low = detail_bucket_low(i);
		high = i + 1 < VHOST_DOORBELL_HIST_BUCKETS ?
		       detail_bucket_low(i + 1) : h->max;
		if (h->max && h->max < high)
			high = h->max;
		if (high < low)
			high = low;
		return low + (high - low) * (rank - before) / n;
	}
	return NAN;
}

void detail_add(struct vhost_doorbell_hist *sum,
		const struct vhost_doorbell_hist *h)
{
	sum->count += h->count;
	sum->sum += h->sum;
	if (h->max > sum->max)
		sum->max = h->max;
	for (int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++)
		sum->buckets[i] += h->buckets[i];
}

void detail_subtract(struct vhost_doorbell_hist *h,
		     const struct vhost_doorbell_hist *before)
{
	if (!before || before->count > h->count || before->sum > h->sum)
		return;
	h->count = 0;
	h->sum -= before->sum;
	for (int i = 0; i < VHOST_DOORBELL_HIST_BUCKETS; i++) {
		h->buckets[i] -= before->buckets[i] <= h->buckets[i] ?
				 before->buckets[i] : h->buckets[i];
		h->count += h->buckets[i];
	}
}
