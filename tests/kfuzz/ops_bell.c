// SPDX-License-Identifier: GPL-2.0
/* ops_bell - operations of a bell */
#include <linux/vhost_doorbell.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops.h"

static void bell_create(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_bell cfg = { .mode = a[2] % 3 };

	if (a[2] >= 0xf8)
		cfg.mode = a[3];
	if (run->bell >= 0)
		close(run->bell);
	run->bell = ops_call(ops_device(run, a), VHOST_DOORBELL_CREATE_BELL, &cfg, a);
}

static void bell_wire(struct run *run, const uint8_t *a, unsigned long cmd)
{
	struct vhost_doorbell_bell_wire wire = {
		.fd = ops_fd(ops_queue(run, a)->kick, a[3]),
		.flags = a[4] == 0xff,
		.reserved = a[5] == 0xff,
	};

	ioctl(run->bell, cmd, &wire);
}

/* Map the page; a stamp of a ringer is any number. */
static void bell_map(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_bell_page *page;
	size_t len = a[4] < 0xf0 ? 4096 : 8192;

	page = mmap(NULL, len, PROT_READ | PROT_WRITE, a[5] < 0xf0 ? MAP_SHARED : MAP_PRIVATE,
		    run->bell, a[6] < 0xf0 ? 0 : 4096);
	if (page == MAP_FAILED)
		return;
	page->stamp = a[2] & 1 ? __builtin_ia32_rdtsc() : ring_odd_number(a[3]);
	ioctl(run->bell, VHOST_DOORBELL_BELL_RING, &(uint64_t){ 1 });
	munmap(page, len);
}

void op_bell(struct run *run, const uint8_t *a)
{
	struct vhost_doorbell_bell_stats stats;
	uint64_t value = a[2] & 0x80 ? ring_odd_number(a[3]) : a[3];

	if (run->bell < 0)
		bell_create(run, a);
	switch (a[1] % 13) {
	case 0:
		bell_create(run, a);
		break;
	case 1:
		ioctl(run->bell, VHOST_DOORBELL_BELL_RING, &value);
		break;
	case 2:
	case 3:
		bell_wire(run, a, VHOST_DOORBELL_BELL_WIRE);
		eventfd_write(ops_queue(run, a)->kick, value & 0xff);
		break;
	case 4:
		bell_wire(run, a, VHOST_DOORBELL_BELL_UNWIRE);
		break;
	case 5:
		ioctl(run->bell, VHOST_DOORBELL_BELL_SET_MARK, &value);
		break;
	case 6:
		ioctl(run->bell, VHOST_DOORBELL_BELL_GET_STATS,
		      a[2] < 0xf0 ? (void *)&stats : (void *)8);
		break;
	case 7:
		if (read(run->bell, a[2] < 0xf0 ? (void *)&value : (void *)8, a[3] % 17) < 0)
			break;
		break;
	case 8:
		poll(&(struct pollfd){ .fd = run->bell, .events = POLLIN }, 1, a[2] & 1);
		break;
	case 9:
		bell_map(run, a);
		break;
	case 10:
		ops_read_fdinfo(run->bell);
		break;
	case 11:
		close(run->bell);
		run->bell = -1;
		break;
	default:
		ioctl(run->bell, _IOC(a[2] & 3U, 0xBE, a[3], a[4]), &stats);
	}
}
