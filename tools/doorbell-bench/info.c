// SPDX-License-Identifier: GPL-2.0
/*
 * info - what the device tells of itself: features, config space, serial
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "dev.h"
#include "info.h"
#include "quick.h"
#include "run.h"

#define INFO_MEMORY	(1u << 20)

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
		"\"num_queues\": %u, \"read_only\": %s}\n" :
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
		"read-only:          %s\n";

	printf(format, d->offered, d->proto_offered, d->max_queues,
	       d->max_slots, c->capacity, c->size_max, c->seg_max,
	       c->blk_size, c->physical_exp, c->alignment, c->min_io,
	       c->opt_io, c->num_queues,
	       dev_has(d, VIRTIO_BLK_F_RO) ? "true" : "false");
}

static int ask_id(struct dev *d, const struct dev_wish *wish,
		  const struct options *o, char *id)
{
	struct quick quick = { 0 };
	struct ring ring;
	struct mem mem;
	unsigned int base;
	int ret;

	ret = mem_create(&mem, o->mem_kind, o->mem_path,
			 (unsigned int)o->regions,
			 INFO_MEMORY + 2 * mem_punch_size(o->mem_kind));
	if (ret)
		return ret;
	ret = ring_create(&ring, &mem, &(struct ring_config){
		.num = 16, .packed = o->packed, .seed = o->seed,
	});
	if (ret)
		goto err_mem;
	ring.event_idx = dev_has(d, VIRTIO_RING_F_EVENT_IDX);
	ret = quick_create(&quick, &ring, 0);
	if (!ret)
		ret = dev_setup(d, wish, &mem);
	if (!ret)
		ret = dev_queue_start(d, 0, &ring, ring_base(&ring));
	if (!ret)
		ret = quick_io(&quick, VIRTIO_BLK_T_GET_ID, 0,
			       VIRTIO_BLK_ID_BYTES, 10000);
	if (ret > 0)
		ret = -EIO;
	if (!ret)
		memcpy(id, quick_data(&quick), VIRTIO_BLK_ID_BYTES);
	if (!ret)
		ret = dev_queue_stop(d, 0, &base);
	quick_destroy(&quick);
	ring_destroy(&ring);
err_mem:
	mem_destroy(&mem);
	return ret;
}

int info_run(const struct options *o)
{
	char id[VIRTIO_BLK_ID_BYTES + 1] = "";
	struct dev_wish wish = run_wish(o);
	struct dev dev;
	int ret = dev_open(&dev, &wish);

	if (!ret && o->config)
		print_config(&dev, o->json);
	if (!ret && o->get_id) {
		ret = ask_id(&dev, &wish, o, id);
		if (!ret)
			printf("%s\n", id);
	}
	if (ret)
		fprintf(stderr, "doorbell-bench: vhost-user: %s: %s\n",
			fe_name(dev.fe.last), strerror(-ret));
	dev_close(&dev);
	return ret;
}
