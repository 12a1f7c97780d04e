// SPDX-License-Identifier: GPL-2.0
#include "select.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"
#include "json.h"
#include "number.h"
#include "scan.h"

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) || stat(b, &y))
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool has_path(const struct scan_dev *dev, const char *name)
{
	if (*dev->info.disk && (!strcmp(dev->info.disk, name) ||
				same_file(dev->info.disk, name)))
		return true;
	return *dev->socket && (!strcmp(dev->socket, name) ||
				same_file(dev->socket, name));
}

/*
 * Matches "vhost-doorbell-blk@NAME", the same with ".service", and NAME alone
 */
static bool has_unit(const struct scan_dev *dev, const char *name)
{
	const char *at = strchr(dev->unit, '@');
	size_t n = strlen(dev->unit);

	if (!at)
		return false;
	return !strcmp(at + 1, name) ||
	       (!strncmp(dev->unit, name, n) &&
		(!name[n] || !strcmp(name + n, ".service")));
}

static bool has_name(const struct scan_dev *dev, const char *name)
{
	uint64_t id;

	if (name[strspn(name, "0123456789")] == '\0')
		return !number_decimal(name, UINT64_MAX, &id) && id == dev->info.id;
	return has_unit(dev, name) || has_path(dev, name);
}

size_t select_find(const char *name, const struct scan *scan,
		   struct scan_dev **one)
{
	size_t found = 0;

	for (size_t i = 0; i < scan->num_devs; i++) {
		if (!has_name(scan->dev[i], name))
			continue;
		*one = scan->dev[i];
		found++;
	}
	return found;
}

/* Prints the numbers of all devices named @name */
static void tell_numbers(const char *name, const struct scan *scan)
{
	fprintf(stderr, "doorbellctl: several devices have the name %s, give a number:",
		name);
	for (size_t i = 0; i < scan->num_devs; i++)
		if (has_name(scan->dev[i], name))
			fprintf(stderr, " %" PRIu64, scan->dev[i]->info.id);
	fputc('\n', stderr);
}

int select_devices(const struct ctl_options *o, const struct scan *scan,
		   struct selection *s)
{
	size_t found;

	s->dev = scan->dev;
	s->num = scan->num_devs;
	s->one = NULL;
	if (!o->device)
		return CTL_OK;
	found = select_find(o->device, scan, &s->one);
	if (!found)
		fprintf(stderr, "doorbellctl: no device %s, see list\n",
			o->device);
	else if (found > 1)
		tell_numbers(o->device, scan);
	s->dev = &s->one;
	s->num = found == 1;
	return found == 1 ? CTL_OK : CTL_NO_DEVICE;
}

int select_scan(const struct ctl_options *o, struct scan *scan,
		struct selection *s)
{
	int ret = ctl_scan(o, scan);

	if (ret)
		return ctl_fail(o->proc, ret);
	ret = select_devices(o, scan, s);
	if (ret)
		scan_free(scan);
	return ret;
}

int select_each(const struct ctl_options *o,
		int (*fn)(const struct ctl_options *o,
			  const struct scan_dev *dev, char *why, size_t size))
{
	struct selection s;
	struct scan scan;
	struct json j;
	int one, ret = select_scan(o, &scan, &s);

	if (ret)
		return ret;
	if (o->json) {
		json_begin(&j, stdout);
		json_object(&j, NULL);
		json_array(&j, "devices");
	}
	for (size_t i = 0; i < s.num; i++) {
		char why[256] = "";

		one = fn(o, s.dev[i], why, sizeof(why));
		ret = one ? CTL_FAILED : ret;
		if (one)
			fprintf(stderr, "doorbellctl: device %" PRIu64 ": %s\n",
				s.dev[i]->info.id, why);
		if (!o->json)
			continue;
		json_object(&j, NULL);
		json_u64(&j, "id", s.dev[i]->info.id);
		json_bool(&j, "done", !one);
		json_str(&j, "error", one ? why : NULL);
		json_object_end(&j);
	}
	scan_free(&scan);
	if (!o->json)
		return ret;
	json_array_end(&j);
	json_object_end(&j);
	one = ctl_end_json(&j);
	return ret ? ret : one;
}
