// SPDX-License-Identifier: GPL-2.0
#include "fdinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "vhd.h"

#define FIELD(type, member) \
	{ #member, offsetof(type, member), sizeof(((type *)0)->member) }
#define QUEUE(member)	FIELD(struct vhost_doorbell_stats, member)
#define PAIR(member)	FIELD(struct vhost_doorbell_net_stats, member)
#define MEM(member)	FIELD(struct vhost_doorbell_mem_stats, member)
#define BELL(member)	FIELD(struct vhost_doorbell_bell_stats, member)

const struct fdinfo_field fdinfo_queue_fields[] = {
	QUEUE(size), QUEUE(in_flight), QUEUE(kicks), QUEUE(inline_passes),
	QUEUE(worker_passes), QUEUE(punts), QUEUE(requests), QUEUE(completed),
	QUEUE(bytes_read), QUEUE(bytes_written), QUEUE(errors), QUEUE(broken),
	QUEUE(signals), QUEUE(suppressed), QUEUE(worker_pid),
	QUEUE(polls), QUEUE(poll_hits), QUEUE(poll_ns),
	QUEUE(coalesced), QUEUE(held), QUEUE(holds),
	{ NULL, 0, 0 },
};

const struct fdinfo_field fdinfo_pair_fields[] = {
	PAIR(rx_packets), PAIR(rx_bytes), PAIR(rx_batches), PAIR(rx_hooks),
	PAIR(rx_polls), PAIR(rx_punts), PAIR(rx_dry), PAIR(rx_drop_long),
	PAIR(rx_drop_offload), PAIR(rx_drop_dead),
	PAIR(tx_packets), PAIR(tx_bytes), PAIR(tx_batches), PAIR(tx_large),
	PAIR(tx_drop_bad), PAIR(tx_drop_port), PAIR(tx_drop_down),
	{ NULL, 0, 0 },
};

const struct fdinfo_field fdinfo_mem_fields[] = {
	MEM(bytes), MEM(regions), MEM(pinned), MEM(pins), MEM(invalidations),
	MEM(logged),
	{ NULL, 0, 0 },
};

const struct fdinfo_field fdinfo_bell_fields[] = {
	BELL(count), BELL(rings), BELL(handled), BELL(wires), BELL(hangups),
	BELL(samples), BELL(sum_ns), BELL(min_ns), BELL(max_ns),
	{ NULL, 0, 0 },
};

const struct fdinfo_state fdinfo_states[] = {
	{ "running",	VHOST_DOORBELL_QUEUE_RUNNING },
	{ "broken",	VHOST_DOORBELL_QUEUE_BROKEN },
	{ "hungup",	VHOST_DOORBELL_QUEUE_HUNGUP },
	{ "parked",	VHOST_DOORBELL_QUEUE_PARKED },
	{ NULL, 0 },
};

uint64_t fdinfo_get(const struct fdinfo_field *field, const void *base)
{
	const char *at = (const char *)base + field->offset;

	return field->size == 4 ? *(const __u32 *)at : *(const __u64 *)at;
}

bool fdinfo_is_net(const struct fdinfo *info)
{
	return !strcmp(info->backend, "net");
}

uint64_t fdinfo_drops(const struct fdinfo *info)
{
	return fdinfo_sum_pairs(info, rx_drop_long) +
	       fdinfo_sum_pairs(info, rx_drop_offload) +
	       fdinfo_sum_pairs(info, rx_drop_dead) +
	       fdinfo_sum_pairs(info, tx_drop_bad) +
	       fdinfo_sum_pairs(info, tx_drop_port) +
	       fdinfo_sum_pairs(info, tx_drop_down);
}

static int parse_field(const struct fdinfo_field *fields, const char *name,
		       const char *text, void *base)
{
	for (; fields->name; fields++) {
		char *at = (char *)base + fields->offset;
		uint64_t value;

		if (strcmp(fields->name, name))
			continue;
		if (number_any(text, fields->size == 4 ? UINT32_MAX :
				 UINT64_MAX, &value))
			return -EINVAL;
		if (fields->size == 4)
			*(__u32 *)at = value;
		else
			*(__u64 *)at = value;
		return 0;
	}
	return 0;
}

static uint32_t parse_state(char *words)
{
	uint32_t state = 0;
	char *save, *word;

	for (word = strtok_r(words, ",", &save); word;
	     word = strtok_r(NULL, ",", &save))
		for (int i = 0; fdinfo_states[i].name; i++)
			if (!strcmp(word, fdinfo_states[i].name))
				state |= fdinfo_states[i].bit;
	return state;
}

/* "name=value name=value ..." */
static int parse_pairs(const struct fdinfo_field *fields, char *text,
		       void *base, uint32_t *state)
{
	char *save, *pair;

	for (pair = strtok_r(text, " ", &save); pair;
	     pair = strtok_r(NULL, " ", &save)) {
		char *value = strchr(pair, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (state && !strcmp(pair, "state"))
			*state = parse_state(value);
		else if (parse_field(fields, pair, value, base))
			return -EINVAL;
	}
	return 0;
}

static int parse_queue(const char *number, char *value, struct fdinfo *info)
{
	struct vhost_doorbell_stats *q;
	uint32_t i;

	if (number_u32(number, &i))
		/* Not a line of a queue, but a key such as "queues" */
		return 0;
	if (i >= VHOST_DOORBELL_MAX_QUEUES)
		return -EINVAL;
	q = &info->queue[i];
	q->index = i;
	/* A busy device may not report the number of queues. */
	if (i >= info->num_queues)
		info->num_queues = i + 1;
	return parse_pairs(fdinfo_queue_fields, value, q, &q->state);
}

static int parse_pair(const char *number, char *value, struct fdinfo *info)
{
	uint32_t i;

	if (number_u32(number, &i))
		return 0;
	if (i >= VHOST_DOORBELL_MAX_PAIRS)
		return -EINVAL;
	info->pair[i].pair = i;
	if (i >= info->num_pairs)
		info->num_pairs = i + 1;
	return parse_pairs(fdinfo_pair_fields, value, &info->pair[i], NULL);
}

/* A string that does not fit exceeds the limits of the UAPI: an error. */
static int parse_string(const char *text, char *to, size_t size)
{
	if (strlen(text) >= size)
		return -EINVAL;
	strcpy(to, text);
	return 0;
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' &&
	       s[2] >= '0' && s[2] <= '7';
}

/* The kernel writes spaces, newlines and backslashes of a path as \ooo. */
static int parse_path(const char *text, char *to, size_t size)
{
	for (; *text; text++, to++, size--) {
		if (size < 2)
			return -EINVAL;
		*to = *text;
		if (*text != '\\' || !is_octal(text + 1))
			continue;
		*to = (text[1] - '0') << 6 | (text[2] - '0') << 3 |
		      (text[3] - '0');
		text += 3;
	}
	*to = '\0';
	return 0;
}

static int parse_mode(const char *text, struct fdinfo *info)
{
	int mode = vhd_mode_parse(text);

	if (mode < 0)
		return mode;
	info->exec.mode = mode;
	info->complete = true;
	return 0;
}

static int parse_bool(const char *text, bool *value)
{
	uint64_t number;
	int ret = number_any(text, 1, &number);

	if (!ret)
		*value = number;
	return ret;
}

static int parse_count(const char *text, uint32_t max, uint32_t *count)
{
	int ret = number_u32(text, count);

	return !ret && *count > max ? -EINVAL : ret;
}

/* A newer module may know more states. */
static void parse_activity(const char *text, struct fdinfo *info)
{
	if (!strcmp(text, "stopping"))
		info->activity = FDINFO_STOPPING;
	else if (strcmp(text, "ready"))
		info->activity = FDINFO_BUSY;
}

static int parse_line(const char *key, char *value, void *context)
{
	struct fdinfo *info = context;
	int ret = detail_parse(&info->detail, key, value);

	if (ret <= 0)
		return ret;
	if (!strcmp(key, "vhost-doorbell"))
		return number_any(value, UINT64_MAX, &info->id);
	if (!strcmp(key, "backend"))
		return parse_string(value, info->backend,
				    sizeof(info->backend));
	if (!strcmp(key, "disk"))
		return parse_path(value, info->disk, sizeof(info->disk));
	if (!strcmp(key, "capacity"))
		return number_any(value, UINT64_MAX, &info->capacity);
	if (!strcmp(key, "read-only"))
		return parse_bool(value, &info->read_only);
	if (!strcmp(key, "state")) {
		parse_activity(value, info);
		return 0;
	}
	if (!strcmp(key, "mode"))
		return parse_mode(value, info);
	if (!strcmp(key, "inline-max"))
		return number_u32(value, &info->exec.inline_max);
	if (!strcmp(key, "budget"))
		return number_u32(value, &info->exec.budget);
	if (!strcmp(key, "poll-us"))
		return number_u32(value, &info->exec.poll_us);
	if (!strcmp(key, "poll-share"))
		return number_u32(value, &info->exec.poll_share);
	if (!strcmp(key, "coalesce-us"))
		return number_u32(value, &info->exec.coalesce_us);
	if (!strcmp(key, "coalesce-count"))
		return number_u32(value, &info->exec.coalesce_count);
	if (!strcmp(key, "features"))
		return number_any(value, UINT64_MAX, &info->features);
	if (!strcmp(key, "queues"))
		return parse_count(value, VHOST_DOORBELL_MAX_QUEUES,
				   &info->num_queues);
	if (!strcmp(key, "port"))
		return parse_string(value, info->port, sizeof(info->port));
	if (!strcmp(key, "pairs"))
		return parse_count(value, VHOST_DOORBELL_MAX_PAIRS,
				   &info->num_pairs);
	if (!strcmp(key, "mtu"))
		return number_u32(value, &info->mtu);
	if (!strcmp(key, "memory"))
		return parse_pairs(fdinfo_mem_fields, value, &info->mem, NULL);
	if (!strncmp(key, "queue", 5))
		return parse_queue(key + 5, value, info);
	if (!strncmp(key, "pair", 4))
		return parse_pair(key + 4, value, info);
	return 0;
}

static int parse_bell_mode(const char *text, struct fdinfo_bell *bell)
{
	int mode = vhd_bell_mode_parse(text);

	if (mode < 0)
		return mode;
	bell->mode = mode;
	return 0;
}

static int parse_bell_line(const char *key, char *value, void *context)
{
	struct fdinfo_bell *bell = context;

	if (!strcmp(key, "vhost-doorbell-bell"))
		return number_any(value, UINT64_MAX, &bell->id);
	if (!strcmp(key, "mode"))
		return parse_bell_mode(value, bell);
	if (!strcmp(key, "times"))
		return parse_pairs(fdinfo_bell_fields, value, &bell->stats,
				   NULL);
	return parse_field(fdinfo_bell_fields, key, value, &bell->stats);
}

/*
 * Parses lines "key:<TAB>value"; @id is the key that every file of this kind
 * has.
 */
static int parse_lines(FILE *in, const char *id,
		       int (*parse)(const char *key, char *value, void *context),
		       void *context)
{
	char *line = NULL;
	bool ours = false;
	size_t size = 0;
	int ret = 0;

	errno = 0;
	while (!ret && getline(&line, &size, in) > 0) {
		char *value = strchr(line, ':');

		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		ours |= !strcmp(line, id);
		ret = parse(line, value, context);
	}
	free(line);
	/* A number that is too large is as wrong as any other text. */
	if (ret == -ERANGE)
		ret = -EINVAL;
	if (!ret && ferror(in))
		ret = errno ? -errno : -EIO;
	if (!ret && !ours)
		ret = -ENODEV;
	return ret;
}

int fdinfo_parse(FILE *in, struct fdinfo *info)
{
	memset(info, 0, sizeof(*info));
	strcpy(info->backend, "none");
	return parse_lines(in, "vhost-doorbell", parse_line, info);
}

void fdinfo_free(struct fdinfo *info)
{
	detail_free(&info->detail);
}

int fdinfo_parse_bell(FILE *in, struct fdinfo_bell *bell)
{
	memset(bell, 0, sizeof(*bell));
	return parse_lines(in, "vhost-doorbell-bell", parse_bell_line, bell);
}
