// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-doorbell-blk - a vhost-user-blk back end whose queues the kernel serves
 *
 * Speaks vhost-user with the VMM and turns what it says into the ioctls of
 * /dev/vhost-doorbell. Then it sleeps: requests never come here.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpus.h"
#include "disk.h"
#include "disk_below.h"
#include "disk_watch.h"
#include "fd.h"
#include "feature.h"
#include "json.h"
#include "lifetime.h"
#include "log.h"
#include "server.h"
#include "stop.h"
#include "version.h"
#include "vhd.h"
#include "vhd_device.h"

#define PROGRAM		"vhost-doorbell-blk"

#define EXIT_USAGE	2

#define QUEUE_SIZE_MIN	4u
#define QUEUE_SIZE_MAX	1024u	/* of QEMU's virtio devices */
#define SEG_MAX		126u

#define BIT(n)		(1ull << (n))

/*
 * What --features may switch, and what it has to switch on: in-order use makes
 * quick requests wait for slow ones, extra data comes with no kick that KVM
 * turns into an eventfd, and the cache is for the guest only if it is trusted to
 * choose.
 */
#define FEATURES_OFF	(BIT(VIRTIO_BLK_F_CONFIG_WCE) | \
			 BIT(VIRTIO_F_IN_ORDER) | \
			 BIT(FEATURE_NOTIFICATION_DATA))
#define FEATURES_ON	(BIT(VIRTIO_BLK_F_SIZE_MAX) | \
			 BIT(VIRTIO_BLK_F_SEG_MAX) | \
			 BIT(VIRTIO_BLK_F_GEOMETRY) | \
			 BIT(VIRTIO_BLK_F_BLK_SIZE) | \
			 BIT(VIRTIO_BLK_F_FLUSH) | \
			 BIT(VIRTIO_BLK_F_TOPOLOGY) | \
			 BIT(VIRTIO_BLK_F_DISCARD) | \
			 BIT(VIRTIO_BLK_F_WRITE_ZEROES) | \
			 BIT(FEATURE_LIFETIME) | \
			 BIT(FEATURE_SECURE_ERASE) | \
			 BIT(FEATURE_ZONED) | \
			 BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | \
			 BIT(VIRTIO_F_ANY_LAYOUT) | \
			 BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT(VIRTIO_F_VERSION_1) | \
			 BIT(VIRTIO_F_RING_PACKED) | \
			 BIT(VIRTIO_F_RING_RESET))

struct options {
	const char  *socket_path;
	int	     fd;		/* -1: none */
	const char  *blk_file;
	const char  *device;
	const char  *serial;
	bool	     read_only;
	uint64_t     features;	/* of those that can be switched */
	uint64_t     asked;	/* those of them that were switched on by name */
	unsigned int queues;
	unsigned int queue_size;
	struct vhost_doorbell_exec exec;
	bool	     pin_cpus;
	cpu_set_t    cpus;
};

enum {
	OPT_SOCKET_PATH = 256,
	OPT_FD,
	OPT_PRINT_CAPABILITIES,
	OPT_BLK_FILE,
	OPT_READ_ONLY,
	OPT_QUEUES,
	OPT_FEATURES,
	OPT_QUEUE_SIZE,
	OPT_SERIAL,
	OPT_MODE,
	OPT_POLL_US,
	OPT_POLL_SHARE,
	OPT_COALESCE_US,
	OPT_COALESCE_COUNT,
	OPT_CPUS,
	OPT_DEVICE,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "socket-path",	required_argument, NULL, OPT_SOCKET_PATH },
	{ "fd",			required_argument, NULL, OPT_FD },
	{ "print-capabilities",	no_argument, NULL, OPT_PRINT_CAPABILITIES },
	{ "blk-file",		required_argument, NULL, OPT_BLK_FILE },
	{ "read-only",		no_argument, NULL, OPT_READ_ONLY },
	{ "features",		required_argument, NULL, OPT_FEATURES },
	{ "queues",		required_argument, NULL, OPT_QUEUES },
	{ "queue-size",		required_argument, NULL, OPT_QUEUE_SIZE },
	{ "serial",		required_argument, NULL, OPT_SERIAL },
	{ "mode",		required_argument, NULL, OPT_MODE },
	{ "poll-us",		required_argument, NULL, OPT_POLL_US },
	{ "poll-share",		required_argument, NULL, OPT_POLL_SHARE },
	{ "coalesce-us",	required_argument, NULL, OPT_COALESCE_US },
	{ "coalesce-count",	required_argument, NULL, OPT_COALESCE_COUNT },
	{ "cpus",		required_argument, NULL, OPT_CPUS },
	{ "device",		required_argument, NULL, OPT_DEVICE },
	{ "verbose",		no_argument, NULL, OPT_VERBOSE },
	{ "help",		no_argument, NULL, OPT_HELP },
	{ "version",		no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
"Usage: " PROGRAM " --blk-file=PATH {--socket-path=PATH | --fd=N} [OPTION]...\n"
"\n"
"Offers a block device or file to a virtual machine over vhost-user-blk;\n"
"the host kernel serves the requests itself (vhost_doorbell module).\n"
"\n"
"  --socket-path=PATH    make and listen on the vhost-user socket PATH\n"
"  --fd=N                use descriptor N, a listening or connected socket\n"
"  --blk-file=PATH       the disk: a block device or a regular file\n"
"  --read-only           the guest may not write\n"
"  --features=NAME=on|off[,...]\n"
"                        virtio features to offer or not, such as discard=off\n"
"  --queues=N            queues offered, 1 to 64 (default 1)\n"
"  --queue-size=N        queue size told to QEMU, a power of 2, 4 to 1024\n"
"                        (default 128)\n"
"  --serial=TEXT         serial number of the disk, at most 20 bytes\n"
"  --mode=MODE           auto, worker, inline or poll (default auto)\n"
"  --poll-us=N           poll: microseconds to look for more (default 50)\n"
"  --poll-share=PERCENT  poll: of a CPU, for each queue (default 50)\n"
"  --coalesce-us=N       microseconds that an interrupt may wait for more\n"
"                        completions (default 0)\n"
"  --coalesce-count=N    completions after which it waits no more (default 32)\n"
"  --cpus=LIST           CPUs of this process and of the kernel's worker\n"
"                        threads, such as 0-3,8\n"
"  --device=PATH         device node (default " VHD_DEV_PATH ")\n"
"  --verbose             log every vhost-user message\n"
"  --print-capabilities  print what this back end can do as JSON, and exit\n"
"  --help                print this text, and exit\n"
"  --version             print the version, and exit\n";

static int usage(const char *fmt, const char *arg)
{
	fprintf(stderr, PROGRAM ": ");
	fprintf(stderr, fmt, arg);
	fprintf(stderr, "\nTry '" PROGRAM " --help'.\n");
	return EXIT_USAGE;
}

static bool parse_number(const char *text, unsigned int min, unsigned int max,
			 unsigned int *value)
{
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*value = v;
	return true;
}

static int parse_limits(struct options *o, int opt, const char *arg)
{
	unsigned int value;
	int mode;

	switch (opt) {
	case OPT_FD:
		if (!parse_number(arg, 0, INT32_MAX, &value))
			return usage("--fd: not a descriptor: %s", arg);
		o->fd = value;
		return 0;
	case OPT_QUEUES:
		if (!parse_number(arg, 1, VHOST_DOORBELL_MAX_QUEUES,
				  &o->queues))
			return usage("--queues: not from 1 to 64: %s", arg);
		return 0;
	case OPT_QUEUE_SIZE:
		if (!parse_number(arg, QUEUE_SIZE_MIN, QUEUE_SIZE_MAX,
				  &o->queue_size) ||
		    o->queue_size & (o->queue_size - 1))
			return usage("--queue-size: not a power of 2 from 4 "
				     "to 1024: %s", arg);
		return 0;
	case OPT_SERIAL:
		if (strlen(arg) > VHOST_DOORBELL_BLK_SERIAL_LEN)
			return usage("--serial: longer than 20 bytes: %s", arg);
		o->serial = arg;
		return 0;
	case OPT_MODE:
		mode = vhd_mode_parse(arg);
		if (mode < 0)
			return usage("--mode: not auto, worker, inline or poll: %s",
				     arg);
		o->exec.mode = mode;
		return 0;
	case OPT_POLL_US:
		if (!parse_number(arg, 1, VHOST_DOORBELL_MAX_POLL_US,
				  &o->exec.poll_us))
			return usage("--poll-us: not from 1 to 10000: %s", arg);
		return 0;
	case OPT_POLL_SHARE:
		if (!parse_number(arg, 1, 100, &o->exec.poll_share))
			return usage("--poll-share: not from 1 to 100: %s", arg);
		return 0;
	case OPT_COALESCE_US:
		if (!parse_number(arg, 0, VHOST_DOORBELL_MAX_COALESCE_US,
				  &o->exec.coalesce_us))
			return usage("--coalesce-us: not from 0 to 10000: %s",
				     arg);
		return 0;
	case OPT_COALESCE_COUNT:
		if (!parse_number(arg, 1, 65535, &o->exec.coalesce_count))
			return usage("--coalesce-count: not from 1 to 65535: %s",
				     arg);
		return 0;
	case OPT_CPUS:
		if (cpus_parse(arg, &o->cpus))
			return usage("--cpus: not a list of CPUs: %s", arg);
		o->pin_cpus = true;
		return 0;
	}
	return EXIT_USAGE;
}

static int parse_features(struct options *o, const char *arg)
{
	const char *at;

	feature_switch(&o->asked, FEATURES_ON | FEATURES_OFF, arg, &at);
	switch (feature_switch(&o->features, FEATURES_ON | FEATURES_OFF, arg,
			       &at)) {
	case 0:
		return 0;
	case -ENOENT:
		return usage("--features: unknown: %s", at);
	case -EPERM:
		return usage("--features: cannot be switched: %s", at);
	default:
		return usage("--features: not NAME=on or NAME=off: %s", at);
	}
}

static int parse_one(struct options *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_SOCKET_PATH:
		o->socket_path = arg;
		return 0;
	case OPT_BLK_FILE:
		o->blk_file = arg;
		return 0;
	case OPT_READ_ONLY:
		o->read_only = true;
		return 0;
	case OPT_FEATURES:
		return parse_features(o, arg);
	case OPT_DEVICE:
		o->device = arg;
		return 0;
	case OPT_VERBOSE:
		log_level = LOG_LEVEL_DEBUG;
		return 0;
	case '?':
		/* getopt has said what is wrong. */
		fprintf(stderr, "Try '" PROGRAM " --help'.\n");
		return EXIT_USAGE;
	default:
		return parse_limits(o, opt, arg);
	}
}

static int check_options(const struct options *o)
{
	if (!o->blk_file)
		return usage("%s is missing", "--blk-file");
	if (!o->socket_path == (o->fd < 0))
		return usage("give either --socket-path or %s", "--fd");
	return 0;
}

static int print_capabilities(void)
{
	struct json j;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "type", "block");
	json_array(&j, "features");
	json_str(&j, NULL, "read-only");
	json_str(&j, NULL, "blk-file");
	json_array_end(&j);
	json_object_end(&j);
	return json_end(&j) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The options that end the program ignore all others, valid or not. */
static bool parse_ending(int argc, char **argv, int *status)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--print-capabilities")) {
			*status = print_capabilities();
			return true;
		}
		if (!strcmp(argv[i], "--help") ||
		    !strcmp(argv[i], "--version")) {
			printf("%s", argv[i][2] == 'h' ? usage_text :
			       PROGRAM " " VHOST_DOORBELL_VERSION "\n");
			*status = fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
			return true;
		}
	}
	return false;
}

static int parse_options(struct options *o, int argc, char **argv)
{
	int opt, ret;

	*o = (struct options){
		.fd = -1,
		.queues = 1,
		.queue_size = 128,
		.features = FEATURES_ON,
		.exec.mode = VHOST_DOORBELL_MODE_AUTO,
	};
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		ret = parse_one(o, opt, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return usage("unexpected argument: %s", argv[optind]);
	return check_options(o);
}

static int open_disk(const struct options *o, struct disk *disk)
{
	int ret = disk_open(disk, o->blk_file, o->read_only);
	const char *why;

	if (ret) {
		why = ret == -EBUSY ? "in use: mounted, or held by another program"
		    : ret == -EAGAIN ? "locked by another program"
		    : ret == -EINVAL ? "neither a block device nor a file"
		    : strerror(-ret);
		log_err("%s: %s", o->blk_file, why);
		return ret;
	}
	if (!disk->direct)
		log_warn("%s: no direct I/O there; using the page cache",
			 o->blk_file);
	if (!disk->is_block && !disk->locked)
		log_warn("%s: cannot be locked there", o->blk_file);
	return 0;
}

/* What attach_blk() gets. */
struct blk_back_end {
	const struct disk    *disk;
	const struct options *options;
};

/* What the disk cannot do is not offered, whatever is asked for. */
static uint32_t blk_flags(const struct options *o)
{
	uint32_t flags = 0;

	if (o->read_only)
		flags |= VHOST_DOORBELL_BLK_F_READ_ONLY;
	if (o->features & BIT(VIRTIO_BLK_F_DISCARD))
		flags |= VHOST_DOORBELL_BLK_F_DISCARD;
	if (o->features & BIT(VIRTIO_BLK_F_WRITE_ZEROES))
		flags |= VHOST_DOORBELL_BLK_F_WRITE_ZEROES;
	if (o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE))
		flags |= VHOST_DOORBELL_BLK_F_CONFIG_WCE;
	if (o->features & BIT(FEATURE_SECURE_ERASE))
		flags |= VHOST_DOORBELL_BLK_F_SECURE_ERASE;
	if (o->features & BIT(FEATURE_ZONED))
		flags |= VHOST_DOORBELL_BLK_F_ZONED;
	return flags;
}

static void set_lifetime(struct vhost_doorbell_blk *blk, const struct disk *disk)
{
	struct lifetime life;

	if (lifetime_read(&life, disk->fd))
		return;
	blk->flags |= VHOST_DOORBELL_BLK_F_LIFETIME;
	blk->pre_eol_info = life.pre_eol_info;
	blk->lifetime_est_typ_a = life.typ_a;
	blk->lifetime_est_typ_b = life.typ_b;
}

static int attach_blk(int fd, const void *context)
{
	const struct blk_back_end *b = context;
	const struct options *o = b->options;
	struct vhost_doorbell_blk blk = {
		.fd = b->disk->fd,
		.flags = blk_flags(o),
		.num_queues = o->queues,
		/* Header and status take two descriptors of the ring. */
		.seg_max = o->queue_size - 2 < SEG_MAX ? o->queue_size - 2 :
							 SEG_MAX,
	};

	/* Anew for each device: a volume may have moved. */
	if (b->disk->is_block && disk_below_nowait(b->disk->fd))
		blk.flags |= VHOST_DOORBELL_BLK_F_NOWAIT;
	if (o->features & BIT(FEATURE_LIFETIME))
		set_lifetime(&blk, b->disk);
	if (o->serial)
		memcpy(blk.serial, o->serial, strlen(o->serial));
	return vhd_set_blk(fd, &blk);
}

/*
 * The guest may have switched to write-through, and told a process that is gone: no
 * harm is done if it has not.
 */
static const struct vhost_doorbell_config blk_write_through = {
	.offset = offsetof(struct virtio_blk_config, wce),
	.size = 1,
};

static const char *device_hint(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return " (is the vhost_doorbell module loaded?)";
	case -ENOTTY:
	case -EPROTONOSUPPORT:
		return " (module and program are not of the same version)";
	case -ENOSPC:
		return " (the disk is smaller than one block)";
	}
	return "";
}

/*
 * Fails early, while the caller still looks: with no module, no permission or
 * a disk that the module does not take.
 */
static int probe_device(struct vhd_device *d, uint64_t *capacity)
{
	struct virtio_blk_config config;
	int ret;

	ret = d->base.ops->open(&d->base);
	if (!ret) {
		ret = d->base.ops->get_config(&d->base, 0, &config,
					      sizeof(config));
		d->base.ops->close(&d->base);
	}
	if (ret) {
		log_err("%s: %s%s", d->path ? d->path : VHD_DEV_PATH,
			strerror(-ret), device_hint(ret));
		return ret;
	}
	*capacity = config.capacity;
	return 0;
}

static void print_qemu_options(const struct options *o, uint64_t sectors)
{
	char *path = realpath(o->socket_path, NULL);

	printf("%s: %llu MiB%s. Give QEMU:\n", o->blk_file,
	       (unsigned long long)sectors >> 11,
	       o->read_only ? ", read-only" : "");
	printf("  -object memory-backend-memfd,id=mem,size=SIZE,share=on \\\n"
	       "  -machine q35,accel=kvm,memory-backend=mem -m SIZE \\\n"
	       "  -chardev socket,id=doorbell,path=%s \\\n"
	       "  -device vhost-user-blk-pci,chardev=doorbell,"
	       "num-queues=%u,queue-size=%u\n",
	       path ? path : o->socket_path, o->queues, o->queue_size);
	fflush(stdout);
	free(path);
}

static int make_server(const struct options *o, struct vu_server *server)
{
	int ret;

	if (o->socket_path)
		ret = vu_server_listen(server, o->socket_path);
	else
		ret = vu_server_inherit(server, o->fd);
	if (ret && o->socket_path)
		log_err("%s: %s", o->socket_path, strerror(-ret));
	else if (ret)
		log_err("--fd=%d: %s", o->fd, strerror(-ret));
	return ret;
}

/*
 * A disk with no volatile write cache needs no flush, and a guest that knows it
 * spares itself a request for each fsync(). Without the feature each write is one
 * that is stable when it ends (FUA), which costs such a disk nothing, and holds if
 * its cache is switched on later.
 */
static uint64_t needless_features(const struct options *o,
				  const struct disk *disk)
{
	if (!(o->features & BIT(VIRTIO_BLK_F_FLUSH)) ||
	    o->asked & BIT(VIRTIO_BLK_F_FLUSH) ||
	    o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE) || disk_has_cache(disk))
		return 0;
	return BIT(VIRTIO_BLK_F_FLUSH);
}

static bool take_resize(void *context)
{
	return disk_watch_take(context);
}

static int serve(const struct options *o, const struct disk *disk,
		 struct disk_watch *watch)
{
	struct blk_back_end back_end = { .disk = disk, .options = o };
	uint64_t needless = needless_features(o, disk);
	struct vhd_device device = {
		.base.accepted = needless,
		.path = o->device,
		.num_queues = o->queues,
		.exec = o->exec,
		.attach = attach_blk,
		.context = &back_end,
		.withheld = ((FEATURES_ON | FEATURES_OFF) & ~o->features) |
			    needless,
		.resumed = o->features & BIT(VIRTIO_BLK_F_CONFIG_WCE) &&
			   !o->read_only ? &blk_write_through : NULL,
	};
	struct vu_server server = {
		.socket.sock = -1,
		.resize = watch->fd,
		.take_resize = take_resize,
		.context = watch,
		.dev = &device.base,
	};
	_cleanup_fd_ int stop = stop_open();
	uint64_t sectors;
	int ret;

	if (stop < 0) {
		log_err("signalfd: %s", strerror(-stop));
		return stop;
	}
	server.stop = stop;
	vhd_device_init(&device);
	ret = probe_device(&device, &sectors);
	if (ret)
		return ret;
	ret = make_server(o, &server);
	if (ret)
		return ret;
	if (o->socket_path)
		print_qemu_options(o, sectors);
	ret = vu_server_run(&server);
	if (ret)
		log_err("socket: %s", strerror(-ret));
	vu_server_close(&server);
	return ret;
}

/*
 * The log's reader may end before us, and the caller may have closed descriptor 2:
 * a line must neither kill us nor be written to a disk that was opened in its place.
 */
static void guard_output(void)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct disk_watch watch;
	struct options options;
	struct disk disk;
	int ret;

	guard_output();
	if (parse_ending(argc, argv, &ret))
		return ret;
	ret = parse_options(&options, argc, argv);
	if (ret)
		return ret;
	/* The module's threads take the CPUs of the thread that starts them. */
	if (options.pin_cpus &&
	    sched_setaffinity(0, sizeof(options.cpus), &options.cpus)) {
		log_err("--cpus: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	if (open_disk(&options, &disk))
		return EXIT_FAILURE;
	ret = disk_watch_open(&watch, disk.fd);
	if (ret) {
		log_err("watching the disk: %s", strerror(-ret));
	} else {
		ret = serve(&options, &disk, &watch);
		disk_watch_close(&watch);
	}
	disk_close(&disk);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
