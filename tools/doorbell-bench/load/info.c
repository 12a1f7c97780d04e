// SPDX-License-Identifier: GPL-2.0
/* info - print what the device reports: features and config space */
#include <inttypes.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "dev.h"
#include "info.h"
#include "run.h"

static void print_config(const struct dev *d, bool json)
{
	const struct dev_config *c = &d->config;
	const char *format = json ?
		"{\"features\": \"0x%" PRIx64 "\", "
		"\"protocol_features\": \"0x%" PRIx64 "\", "
		"\"queues\": %" PRIu64 ", \"mem_slots\": %" PRIu64 ", "
		"\"capacity\": %" PRIu64 ", \"size_max\": %u, "
		"\"seg_max\": %u, \"blk_size\": %u, "
		"\"physical_block_exp\": %u, \"alignment_offset\": %u, "
		"\"min_io_size\": %u, \"opt_io_size\": %u, "
		"\"num_queues\": %u, \"max_secure_erase_sectors\": %u, "
		"\"secure_erase_sector_alignment\": %u, "
		"\"zone_sectors\": %u, \"max_open_zones\": %u, "
		"\"max_active_zones\": %u, \"max_append_sectors\": %u, "
		"\"zone_model\": %u, \"read_only\": %s}\n" :
		"features:           0x%" PRIx64 "\n"
		"protocol features:  0x%" PRIx64 "\n"
		"queues:             %" PRIu64 "\n"
		"memory slots:       %" PRIu64 "\n"
		"capacity:           %" PRIu64 " sectors\n"
		"size_max:           %u\n"
		"seg_max:            %u\n"
		"blk_size:           %u\n"
		"physical_block_exp: %u\n"
		"alignment_offset:   %u\n"
		"min_io_size:        %u\n"
		"opt_io_size:        %u\n"
		"num_queues:         %u\n"
		"max_secure_erase_sectors: %u\n"
		"secure_erase_sector_alignment: %u\n"
		"zone_sectors:       %u\n"
		"max_open_zones:     %u\n"
		"max_active_zones:   %u\n"
		"max_append_sectors: %u\n"
		"zone_model:         %u\n"
		"read-only:          %s\n";

	printf(format, d->offered, d->proto_offered, d->max_queues,
	       d->max_slots, c->capacity, c->size_max, c->seg_max,
	       c->blk_size, c->physical_exp, c->alignment, c->min_io,
	       c->opt_io, c->num_queues, c->max_erase, c->erase_align, c->zone_sectors,
	       c->max_open_zones, c->max_active_zones, c->max_append,
	       c->zone_model,
	       dev_has(d, VIRTIO_BLK_F_RO) ? "true" : "false");
}

int info_run(const struct options *o)
{
	struct dev_wish wish = run_wish(o);
	struct dev dev;
	int ret = dev_open(&dev, &wish);

	if (ret)
		fprintf(stderr, "doorbell-bench: vhost-user: %s: %s\n",
			fe_name(dev.fe.last), strerror(-ret));
	else
		print_config(&dev, o->common.json);
	dev_close(&dev);
	return ret;
}
