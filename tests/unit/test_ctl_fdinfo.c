// SPDX-License-Identifier: GPL-2.0
/*
 * test_ctl_fdinfo - doorbellctl's view of the kernel, on a made-up /proc
 *
 * TAP on stdout, exit 0 or 1. From the top directory:
 *	cc -std=gnu11 -D_GNU_SOURCE -fsanitize=address,undefined \
 *		-Iinclude/uapi -Itools/lib -Itools/doorbellctl \
 *		-o test_ctl_fdinfo tests/unit/test_ctl_fdinfo.c \
 *		tools/doorbellctl/{fdinfo,scan,kconfig,describe}.c \
 *		tools/lib/{bytes,vhd,fd,json}.c
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "describe.h"
#include "fdinfo.h"
#include "feature.h"
#include "json.h"
#include "kconfig.h"
#include "scan.h"
#include "test_ctl.h"

static const char sample[] =
	"pos:\t0\n"
	"flags:\t02000002\n"
	"mnt_id:\t15\n"
	"ino:\t1060\n"
	"vhost-doorbell:\t7\n"
	"backend:\tblk\n"
	"disk:\t/var/lib/my\\040images/a: b=c\\134\\9.img\n"
	"capacity:\t20971520\n"
	"read-only:\t1\n"
	"mode:\tinline\n"
	"inline-max:\t8\n"
	"budget:\t64\n"
	"poll-us:\t50\n"
	"poll-share:\t20\n"
	"coalesce-us:\t100\n"
	"coalesce-count:\t16\n"
	"features:\t0x130000244\n"
	"queues:\t2\n"
	"memory:\tbytes=4294967296 regions=2 pinned=1000 pins=1200 invalidations=3 logged=7\n"
	"queue0:\tstate=running size=128 in_flight=3 kicks=10 inline_passes=9 worker_passes=2 punts=1 requests=100 bytes_read=409600 bytes_written=512 errors=4 broken=0 signals=50 suppressed=47 completed=97 worker_pid=321 polls=7 poll_hits=6 poll_ns=5000 coalesced=12 held=2 holds=5\n"
	"queue1:\tstate=stopped,broken,hungup,parked size=256 in_flight=0 kicks=18446744073709551615 inline_passes=0 worker_passes=0 punts=0 requests=11 bytes_read=0 bytes_written=0 errors=0 broken=1 signals=0 suppressed=0 completed=11 worker_pid=0\n";

static struct fdinfo info;

static int parse(const char *text)
{
	/* fmemopen() does not take a length of zero everywhere. */
	FILE *in = fmemopen((char *)text, strlen(text) + 1, "r");
	int ret;

	if (!in)
		return -errno;
	ret = fdinfo_parse(in, &info);
	fclose(in);
	return ret;
}

static void test_device(void)
{
	ok(!parse(sample), "a full sample is understood");
	ok(info.id == 7, "device id");
	ok(!strcmp(info.backend, "blk"), "back end");
	ok(!strcmp(info.disk, "/var/lib/my images/a: b=c\\\\9.img"),
	   "disk with space, colon, equals sign and backslashes");
	ok(info.capacity == 20971520, "capacity");
	ok(info.read_only, "read-only");
	ok(info.exec.mode == VHOST_DOORBELL_MODE_INLINE, "mode");
	ok(info.exec.inline_max == 8 && info.exec.budget == 64,
	   "inline-max and budget");
	ok(info.exec.poll_us == 50 && info.exec.poll_share == 20,
	   "poll-us and poll-share");
	ok(info.exec.coalesce_us == 100 && info.exec.coalesce_count == 16,
	   "coalesce-us and coalesce-count");
	ok(info.features == 0x130000244, "features");
	ok(info.mem.bytes == 4294967296 && info.mem.regions == 2 &&
	   info.mem.pinned == 1000 && info.mem.pins == 1200 &&
	   info.mem.invalidations == 3 && info.mem.logged == 7, "memory");
	ok(info.num_queues == 2, "number of queues");
}

static void test_queues(void)
{
	const struct vhost_doorbell_stats *q = &info.queue[0];

	parse(sample);
	ok(q->state == VHOST_DOORBELL_QUEUE_RUNNING, "state of queue 0");
	ok(q->size == 128 && q->in_flight == 3 && q->kicks == 10 &&
	   q->inline_passes == 9 && q->worker_passes == 2 && q->punts == 1 &&
	   q->polls == 7 && q->poll_hits == 6 && q->poll_ns == 5000 &&
	   q->coalesced == 12 && q->held == 2 && q->holds == 5 &&
	   q->requests == 100 && q->bytes_read == 409600 &&
	   q->bytes_written == 512 && q->errors == 4 && q->broken == 0 &&
	   q->signals == 50 && q->suppressed == 47 && q->completed == 97 &&
	   q->worker_pid == 321, "every counter of queue 0");
	q++;
	ok(q->state == (VHOST_DOORBELL_QUEUE_BROKEN |
			VHOST_DOORBELL_QUEUE_HUNGUP |
			VHOST_DOORBELL_QUEUE_PARKED), "state of queue 1");
	ok(q->index == 1, "index of queue 1");
	ok(q->kicks == UINT64_MAX, "the largest number");
	ok(fdinfo_sum(&info, requests) == 111, "sum over the queues");
}

static const char net_sample[] =
	"vhost-doorbell:\t9\nbackend:\tnet\npairs:\t2\nmtu:\t1400\nport:\tmacvtap\n"
	"mode:\tauto\nfeatures:\t0x1000010a0\nqueues:\t4\n"
	"queue0:\tstate=running kicks=3 requests=5\n"
	"pair0:\trx_packets=1 rx_bytes=2 rx_batches=3 rx_hooks=4 rx_polls=5 "
	"rx_punts=6 rx_dry=7 rx_drop_long=8 rx_drop_offload=9 rx_drop_dead=10 "
	"tx_packets=11 tx_bytes=12 tx_batches=13 tx_large=14 tx_drop_bad=15 "
	"tx_drop_port=16 tx_drop_down=17 new=18\n"
	"pair1:\trx_packets=100 tx_drop_down=1000\n";

static void test_net(void)
{
	const struct vhost_doorbell_net_stats *p = info.pair;

	ok(!parse(net_sample) && info.complete && fdinfo_is_net(&info),
	   "a card is understood");
	ok(!strcmp(info.port, "macvtap") && info.num_pairs == 2 &&
	   info.mtu == 1400 && info.num_queues == 4, "port, pairs and MTU");
	ok(p->rx_packets == 1 && p->rx_bytes == 2 && p->rx_batches == 3 &&
	   p->rx_hooks == 4 && p->rx_polls == 5 && p->rx_punts == 6 &&
	   p->rx_dry == 7 && p->rx_drop_long == 8 && p->rx_drop_offload == 9 &&
	   p->rx_drop_dead == 10, "what the first pair received");
	ok(p->tx_packets == 11 && p->tx_bytes == 12 && p->tx_batches == 13 &&
	   p->tx_large == 14 && p->tx_drop_bad == 15 && p->tx_drop_port == 16 &&
	   p->tx_drop_down == 17, "and sent");
	ok(p[1].pair == 1 && fdinfo_sum_pairs(&info, rx_packets) == 101,
	   "sum over the pairs");
	ok(fdinfo_drops(&info) == 8 + 9 + 10 + 15 + 16 + 17 + 1000,
	   "all that was dropped");
	ok(!strcmp(describe_feature(&info, 5), "MAC") &&
	   !strcmp(describe_feature(&info, 32), "VERSION_1"),
	   "its features have a card's names");
	parse(sample);
	ok(!fdinfo_is_net(&info) && !info.num_pairs &&
	   !strcmp(describe_feature(&info, 5), "RO"), "a disk is none");
}

static void test_net_json(void)
{
	struct scan_holder holder = { .pid = 1 };
	static struct scan_dev dev;
	static char text[16384];
	FILE *out = fmemopen(text, sizeof(text), "w");
	struct json j;

	parse(net_sample);
	dev.info = info;
	dev.num_holders = 1;
	dev.holder = &holder;
	json_begin_line(&j, out);
	json_object(&j, NULL);
	describe_json_head(&j, &dev);
	describe_json_body(&j, &dev);
	json_object_end(&j);
	ok(!json_end(&j), "JSON of a card is written");
	fclose(out);
	ok(strstr(text, "\"port\": \"macvtap\"") && strstr(text, "\"mtu\": 1400") &&
	   strstr(text, "\"disk\": null"), "with its port");
	ok(strstr(text, "\"GUEST_TSO4\""), "and its features");
	for (const struct fdinfo_field *f = fdinfo_pair_fields; f->name; f++)
		ok(strstr(text, f->name), "pairs have %s", f->name);
}

static void test_activity(void)
{
	char text[64];

	ok(!parse("vhost-doorbell:\t5\nstate:\tbusy\n") && !info.complete &&
	   info.activity == FDINFO_BUSY, "a busy device");
	describe_activity(&info, text, sizeof(text));
	ok(!strcmp(text, "busy"), "in words: %s", text);
	ok(!parse("vhost-doorbell:\t5\nstate:\tstopping\n"
		  "queue0:\tin_flight=2\nqueue3:\tin_flight=1\n") &&
	   !info.complete && info.activity == FDINFO_STOPPING &&
	   info.num_queues == 4 && fdinfo_sum(&info, in_flight) == 3,
	   "one that is stopping, and tells what is in flight");
	describe_activity(&info, text, sizeof(text));
	ok(!strcmp(text, "stopping, waiting for 3 requests"), "in words: %s",
	   text);
	ok(!parse("vhost-doorbell:\t5\nstate:\tstopping\nmode:\tauto\n"
		  "queues:\t2\nqueue0:\tin_flight=1\n") && info.complete &&
	   info.num_queues == 2, "one that is stopping, and tells all");
	describe_activity(&info, text, sizeof(text));
	ok(!strcmp(text, "stopping, waiting for 1 request"), "in words: %s",
	   text);
	ok(!parse("vhost-doorbell:\t5\nstate:\tlater\n") &&
	   info.activity == FDINFO_BUSY, "a state of a newer module");
	parse(sample);
	describe_activity(&info, text, sizeof(text));
	ok(info.complete && info.activity == FDINFO_READY && !*text,
	   "one that is not busy");
}

static void test_bad(void)
{
	static const struct {
		const char *what, *text;
		int err;
	} rows[] = {
		{ "an eventfd's", "pos:\t0\neventfd-count:\t0\n", -ENODEV },
		{ "nothing", "", -ENODEV },
		{ "no newline", "vhost-doorbell:\t5", 0 },
		{ "only an id", "vhost-doorbell:\t5\n", 0 },
		{ "unknown keys", "vhost-doorbell:\t5\nnew:\tx\nqueue-depth:\t9\n", 0 },
		{ "unknown counters",
		  "vhost-doorbell:\t5\nqueue0:\tstate=running,new fresh=1 odd\n", 0 },
		{ "id negative", "vhost-doorbell:\t-1\n", -EINVAL },
		{ "id empty", "vhost-doorbell:\t\n", -EINVAL },
		{ "id with a tail", "vhost-doorbell:\t1x\n", -EINVAL },
		{ "id past 64 bits", "vhost-doorbell:\t18446744073709551616\n",
		  -EINVAL },
		{ "mode unknown", "vhost-doorbell:\t1\nmode:\tguess\n", -EINVAL },
		{ "read-only of 2", "vhost-doorbell:\t1\nread-only:\t2\n", -EINVAL },
		{ "queues past the most", "vhost-doorbell:\t1\nqueues:\t65\n",
		  -EINVAL },
		{ "queue past the most", "vhost-doorbell:\t1\nqueue64:\tsize=1\n",
		  -EINVAL },
		{ "size past 32 bits",
		  "vhost-doorbell:\t1\nqueue0:\tsize=4294967296\n", -EINVAL },
		{ "counter no number", "vhost-doorbell:\t1\nqueue0:\tkicks=many\n",
		  -EINVAL },
		{ "pairs past the most", "vhost-doorbell:\t1\npairs:\t33\n",
		  -EINVAL },
		{ "pair past the most", "vhost-doorbell:\t1\npair32:\trx_dry=1\n",
		  -EINVAL },
		{ "a key like a pair's", "vhost-doorbell:\t1\npair-mode:\tx\n", 0 },
		{ "back end too long",
		  "vhost-doorbell:\t1\nbackend:\tabcdefghijklmnop\n", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(parse(rows[i].text) == rows[i].err, "%s: %s", rows[i].what,
		   rows[i].err ? strerror(-rows[i].err) : "ok");
}

static const char bell_sample[] =
	"pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1060\n"
	"vhost-doorbell-bell:\t12\n"
	"mode:\tworker\n"
	"count:\t18446744073709551615\n"
	"rings:\t7\n"
	"handled:\t6\n"
	"wires:\t2\n"
	"hangups:\t1\n"
	"times:\tsamples=5 sum_ns=1000 min_ns=100 max_ns=400\n";

static struct fdinfo_bell bell;

static int parse_bell(const char *text)
{
	FILE *in = fmemopen((char *)text, strlen(text) + 1, "r");
	int ret;

	if (!in)
		return -errno;
	ret = fdinfo_parse_bell(in, &bell);
	fclose(in);
	return ret;
}

static void test_bell(void)
{
	const struct vhost_doorbell_bell_stats *st = &bell.stats;

	ok(!parse_bell(bell_sample), "a full sample of a bell is understood");
	ok(bell.id == 12, "bell id");
	ok(bell.mode == VHOST_DOORBELL_BELL_WORKER, "bell mode");
	ok(st->count == UINT64_MAX && st->rings == 7 && st->handled == 6 &&
	   st->wires == 2 && st->hangups == 1, "every counter of the bell");
	ok(st->samples == 5 && st->sum_ns == 1000 && st->min_ns == 100 &&
	   st->max_ns == 400, "its times");
}

static void test_bad_bell(void)
{
	static const struct {
		const char *what, *text;
		int err;
	} rows[] = {
		{ "a device's", "vhost-doorbell:\t1\nqueues:\t1\n", -ENODEV },
		{ "nothing", "", -ENODEV },
		{ "only an id", "vhost-doorbell-bell:\t5\n", 0 },
		{ "unknown keys",
		  "vhost-doorbell-bell:\t5\nnew:\tx\ntimes:\tfresh=x\n", 0 },
		{ "id no number", "vhost-doorbell-bell:\tx\n", -EINVAL },
		{ "mode of a device", "vhost-doorbell-bell:\t1\nmode:\tauto\n",
		  -EINVAL },
		{ "count negative", "vhost-doorbell-bell:\t1\ncount:\t-1\n",
		  -EINVAL },
		{ "rings past 64 bits",
		  "vhost-doorbell-bell:\t1\nrings:\t18446744073709551616\n",
		  -EINVAL },
		{ "times no numbers",
		  "vhost-doorbell-bell:\t1\ntimes:\tsamples=5 sum_ns=\n",
		  -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(parse_bell(rows[i].text) == rows[i].err, "bell, %s: %s",
		   rows[i].what, rows[i].err ? strerror(-rows[i].err) : "ok");
}

static char root[] = "/tmp/test_ctl_fdinfo.XXXXXX";

__attribute__((format(printf, 1, 2)))
static char *in_root(const char *fmt, ...)
{
	static char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/", root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - n, fmt, ap);
	va_end(ap);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return;
	fputs(text, file);
	fclose(file);
}

static void make_process(int pid, const char *comm)
{
	char text[64];

	mkdir(in_root("%d", pid), 0755);
	mkdir(in_root("%d/fd", pid), 0755);
	mkdir(in_root("%d/fdinfo", pid), 0755);
	snprintf(text, sizeof(text), "%s\n", comm);
	write_file(in_root("%d/comm", pid), text);
}

static void make_fd(int pid, int fd, const char *target, const char *text)
{
	if (symlink(target, in_root("%d/fd/%d", pid, fd)))
		perror("symlink");
	write_file(in_root("%d/fdinfo/%d", pid, fd), text);
}

#define BELL_LINK	"anon_inode:[vhost-doorbell-bell]"

static void make_proc(void)
{
	mkdir(in_root("sys"), 0755);
	write_file(in_root("version"), "made up\n");
	make_process(1, "systemd");
	make_fd(1, 40, "/dev/vhost-doorbell", sample);
	make_process(42, "vhost-doorbell-");
	make_fd(42, 0, "/dev/null", "pos:\t0\n");
	make_fd(42, 5, "/dev/vhost-doorbell", sample);
	make_fd(42, 6, "/srv/vhost-doorbell.img", "pos:\t0\nflags:\t0\n");
	make_fd(42, 7, "anon_inode:[eventfd]", "eventfd-count:\t0\n");
	make_process(43, "bench");
	make_process(44, "doorbellctl");
	make_fd(43, 3, "/dev/vhost-doorbell (deleted)",
		"vhost-doorbell:\t2\nbackend:\tnone\n");
	make_fd(43, 4, "/dev/vhost-doorbell",
		"vhost-doorbell:\t3\nmode:\tlater\n");
	make_fd(43, 5, BELL_LINK, bell_sample);
	make_process(45, "vhost-doorbell-");
	make_fd(45, 3, "/dev/net/tun", "pos:\t0\niff:\tguest0\n");
	make_fd(45, 4, "/dev/vhost-doorbell",
		"vhost-doorbell:\t9\nbackend:\tnet\nport:\ttap\n");
	make_process(46, "vhost-doorbell-");
	make_fd(46, 3, "/dev/net/tun", "pos:\t0\niff:\tother0\n");
	make_fd(46, 4, "/dev/vhost-doorbell",
		"vhost-doorbell:\t10\nbackend:\tnet\nport:\tdev own0\n");
	make_fd(44, 3, BELL_LINK, "vhost-doorbell-bell:\t4\nmode:\thook\n");
	make_fd(44, 9, BELL_LINK, bell_sample);
	make_fd(44, 10, BELL_LINK, "vhost-doorbell-bell:\t5\nmode:\tauto\n");
	make_fd(44, 11, "/dev/[vhost-doorbell-bell]", bell_sample);
}

static void remove_proc(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (system(command))
		perror(command);
}

static void test_scan_bells(const struct scan *scan)
{
	const struct scan_bell *first, *last;

	ok(scan->num_bells == 2, "two bells, which are no devices");
	ok(scan->num_bad_bells == 1, "one that is not understood");
	if (scan->num_bells != 2)
		return;
	first = scan->bell[0];
	last = scan->bell[1];
	ok(first->info.id == 4 && last->info.id == 12, "bells sorted by id");
	ok(last->num_holders == 2 && last->holder[0].pid == 43 &&
	   last->holder[0].fd == 5 && last->holder[1].pid == 44 &&
	   last->holder[1].fd == 9, "both holders of a bell");
	ok(first->num_holders == 1 &&
	   !strcmp(first->holder->comm, "doorbellctl"), "command of a bell");
}

static void test_scan(void)
{
	struct scan scan;
	char text[64];
	int ret;

	if (!mkdtemp(root)) {
		ok(false, "mkdtemp: %s", strerror(errno));
		return;
	}
	make_proc();
	ret = scan_run(root, &scan);
	ok(!ret, "scan: %s", strerror(-ret));
	ok(scan.num_devs == 4, "four devices, not the files of like names");
	ok(scan.num_bad == 1, "one that is not understood");
	if (scan.num_devs == 4) {
		struct scan_dev *dev = scan.dev[1];

		ok(scan.dev[0]->info.id == 2 && dev->info.id == 7,
		   "sorted by id");
		ok(dev->num_holders == 2 && dev->holder[0].pid == 42 &&
		   dev->holder[0].fd == 5 && dev->holder[1].pid == 1,
		   "both holders, process 1 last");
		ok(!strcmp(dev->holder[0].comm, "vhost-doorbell-"), "command");
		ok(scan_find(&scan, 7) == dev, "found by id");
		ok(!scan_find(&scan, 3), "what is not understood is not there");
		ok(!strcmp(scan.dev[2]->tap, "guest0") && !*scan.dev[3]->tap &&
		   !*dev->tap, "a card's tap, where it has one");
		describe_port(scan.dev[2], text, sizeof(text));
		ok(!strcmp(text, "tap guest0"), "port: %s", text);
		describe_port(scan.dev[3], text, sizeof(text));
		ok(!strcmp(text, "dev own0"), "port: %s", text);
	}
	test_scan_bells(&scan);
	scan_free(&scan);
	ok(scan_run(in_root("absent"), &scan) == -ENOENT, "no /proc: ENOENT");
	remove_proc();
}

static void test_words(void)
{
	static const struct { uint64_t bytes; const char *words; } sizes[] = {
		{ 0, "0 bytes" }, { 1023, "1023 bytes" }, { 1536, "1.5 KiB" },
		{ 10ULL << 30, "10.0 GiB" }, { UINT64_MAX, "16384.0 PiB" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bytes_text(sizes[i].bytes, text, sizeof(text));
		ok(!strcmp(text, sizes[i].words), "%s", sizes[i].words);
	}
	describe_state(VHOST_DOORBELL_QUEUE_RUNNING |
		       VHOST_DOORBELL_QUEUE_PARKED, text, sizeof(text));
	ok(!strcmp(text, "running,parked"), "state: %s", text);
	describe_state(0, text, 4);
	ok(!strcmp(text, "sto"), "a state that does not fit is cut off");
	ok(!strcmp(feature_name(9), "FLUSH") && !feature_name(3) &&
	   !feature_name(63), "names of features");
}

static void test_json(void)
{
	struct scan_holder holder = { .pid = 42, .fd = 5, .comm = "a\"b" };
	static struct scan_dev dev;
	static char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");
	struct json j;

	parse(sample);
	dev.info = info;
	dev.num_holders = 1;
	dev.holder = &holder;
	json_begin_line(&j, out);
	json_object(&j, NULL);
	describe_json_head(&j, &dev);
	describe_json_body(&j, &dev);
	json_object_end(&j);
	ok(!json_end(&j), "JSON is written");
	fclose(out);
	ok(strstr(text, "\"command\": \"a\\\"b\""), "strings are escaped");
	ok(strstr(text, "\"mode\": \"inline\""), "mode by name");
	ok(strstr(text, "\"state\": \"ready\""), "state by name");
	ok(strstr(text, "\"in_flight\": 3,"), "requests in flight");
	ok(strstr(text, "\"kicks\": 18446744073709551615"), "large numbers");
	for (const struct fdinfo_field *f = fdinfo_queue_fields; f->name; f++)
		ok(strstr(text, f->name), "queues have %s", f->name);
}

static void test_kconfig(void)
{
	static const char config[] =
		"# CONFIG_KVM_XEN is not set\n"
		"CONFIG_KVM=m\nCONFIG_EVENTFD=y\nCONFIG_HZ=250\n"
		"CONFIG_MMU_NOTIFIER_X=y\nCONFIG_BLOCK=\n";
	struct kconfig_option options[] = {
		{ "KVM", false }, { "EVENTFD", false }, { "HZ", true },
		{ "MMU_NOTIFIER", true }, { "BLOCK", true }, { NULL, false },
	};
	FILE *in = fmemopen((char *)config, strlen(config), "r");

	ok(kconfig_parse(in, options) == 5, "options set in a .config");
	ok(options[0].on && options[1].on, "as module or built in");
	ok(!options[2].on && !options[3].on && !options[4].on,
	   "other values and longer names do not count");
	fclose(in);
}

int main(void)
{
	test_device();
	test_queues();
	test_activity();
	test_net();
	test_net_json();
	test_bad();
	test_bell();
	test_bad_bell();
	test_scan();
	test_words();
	test_json();
	test_kconfig();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
