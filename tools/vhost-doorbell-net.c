// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-doorbell-net - a vhost-user-net back end whose queues the kernel serves
 *
 * Speaks vhost-user with the VMM and turns its messages into ioctls of
 * /dev/vhost-doorbell. Then it sleeps: frames do not pass through this process.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "fd.h"
#include "fdstore.h"
#include "link.h"
#include "log.h"
#include "net_device.h"
#include "net_options.h"
#include "port.h"
#include "server.h"
#include "stop.h"

#define OPEN_TRIES	10
#define OPEN_PAUSE_US	100000

static bool is_new(const struct port *p)
{
	return p->kind == PORT_TAP_CREATE || p->kind == PORT_DEV;
}

static int say_port_failed(const struct port *p, int err)
{
	const char *name = *p->name ? p->name : "--tap-fd";

	if (p->error)
		log_err("%s: %s (%s)", name, p->error, strerror(-err));
	else
		log_err("%s: %s", name, strerror(-err));
	return err;
}

/*
 * Opens the port. If there is a keeper, it may be about to close what an earlier process
 * stored: so try again for a while.
 */
static int try_open_port(struct port *p, bool kept)
{
	int tries = OPEN_TRIES, ret;

	while ((ret = port_open(p)) && kept && --tries) {
		if (ret != -EBUSY && ret != -EEXIST)
			break;
		usleep(OPEN_PAUSE_US);
	}
	return ret;
}

/*
 * The settings were changed while a guest uses the card. The port stays, which others may
 * use, too: it may have rules of tc, or be in a bridge.
 */
static void warn_of_other(const struct net_options *o, const struct port *p)
{
	if (o->name && !strchr(o->name, '%') && strcmp(o->name, p->name))
		log_warn("%s: is not the interface that the front end has, which keeps %s until this program is started without a front end",
			 o->name, p->name);
}

static int open_port(const struct net_options *o, struct fdstore *store, struct port *p)
{
	int ret;

	*p = (struct port){ .kind = o->kind, .pairs = o->queues };
	for (unsigned int i = 0; i < VHOST_DOORBELL_MAX_PAIRS; i++)
		p->fd[i] = i < o->num_fds ? o->fd[i] : -1;
	if (o->name)
		strcpy(p->name, o->name);
	/* The last process has left it, and may have made it. */
	if (daemon_resumes(store) && port_inherit(p, store)) {
		warn_of_other(o, p);
		return 0;
	}
	ret = try_open_port(p, store);
	if (!ret && o->kind == PORT_TAP_CREATE)
		ret = port_bring_up(p, o->bridge, o->mtu);
	if (ret) {
		say_port_failed(p, ret);
		port_close(p);
	}
	return ret;
}

/* Warns if the interface is down: the operator may bring it up later. */
static void look_at_port(const struct net_options *o, const struct port *p,
			 struct link_info *link)
{
	if (link_get(p->name, link))
		return;
	if (!link->up && !is_new(p))
		log_warn("%s: the interface is down; no frame passes until it is up: ip link set %s up",
			 p->name, p->name);
	if (o->mtu > link->mtu)
		log_warn("%s: has an MTU of %u, and the guest will have %u",
			 p->name, link->mtu, o->mtu);
}

static void print_device(const struct net_options *o, const struct port *p,
			 const struct link_info *link)
{
	char mac[LINK_MAC_TEXT];

	printf("  -device virtio-net-pci,netdev=net0");
	/* A macvtap receives only frames for its own address. */
	if (p->kind == PORT_MACVTAP) {
		link_mac_text(link->mac, mac);
		printf(",mac=%s", mac);
	}
	/* A vector for each queue, the control queue and the configuration */
	if (o->queues > 1)
		printf(",mq=on,vectors=%u", 2 * o->queues + 2);
	if (o->mtu)
		printf(",host_mtu=%u", o->mtu);
	printf(",rx_queue_size=%u,tx_queue_size=%u\n", o->common.queue_size,
	       o->common.queue_size);
}

static void print_qemu_options(const struct net_options *o,
			       const struct port *p,
			       const struct link_info *link)
{
	static const char * const kinds[] = {
		[PORT_TAP] = "a tap",
		[PORT_TAP_CREATE] = "a new tap",
		[PORT_TAP_FD] = "an open tap",
		[PORT_MACVTAP] = "a macvtap",
		[PORT_DEV] = "a network device of the module's own",
	};

	printf("%s: %s, %u pair%s of queues, MTU %u. Give QEMU:\n", p->name,
	       kinds[p->kind], o->queues, o->queues == 1 ? "" : "s", link->mtu);
	daemon_print_qemu(&o->common);
	printf("  -netdev vhost-user,id=net0,chardev=doorbell");
	if (o->queues > 1)
		printf(",queues=%u", o->queues);
	printf(" \\\n");
	print_device(o, p, link);
	fflush(stdout);
}

/*
 * Checks device and port, so that the daemon fails at its start if one cannot
 * be used.
 */
static int probe(const struct net_options *o, struct net_device *d)
{
	int ret = net_device_probe(d);

	if (ret && d->port->error)
		say_port_failed(d->port, ret);
	else if (ret)
		daemon_say_device_failed(&o->common, ret);
	return ret;
}

static int run_server(const struct net_options *o, struct net_device *d,
		      struct vu_server *server)
{
	bool resumes = daemon_resumes(server->keep.store);
	struct link_info link = { 0 };
	int ret;

	ret = resumes ? 0 : probe(o, d);
	if (ret)
		return ret;
	ret = daemon_open_socket(&o->common, server);
	if (ret)
		return ret;
	look_at_port(o, d->port, &link);
	if (daemon_prints(&o->common) && !resumes)
		print_qemu_options(o, d->port, &link);
	ret = vu_server_run(server);
	if (ret)
		log_err("socket: %s", strerror(-ret));
	vu_server_close(server);
	return ret;
}

/*
 * Logs that the port is lost; once, as the guest's driver may start again and
 * again.
 */
static void say_port_lost(const struct port *p)
{
	static bool said;

	if (!said)
		log_warn("%s: %s; the guest's card runs without it", p->name,
			 p->error);
	said = true;
}

static int serve(const struct net_options *o, struct fdstore *store, struct port *port)
{
	_cleanup_fd_ int stop = stop_open();
	struct net_device device = {
		.vhd = {
			.path = o->common.device,
			.exec = o->common.exec,
			.withheld = (NET_FEATURES_ON | NET_FEATURES_OFF) &
				    ~o->features,
		},
		.port = port,
		.bridge = o->bridge,
		.mtu = o->mtu,
		.lost = say_port_lost,
	};
	struct vu_server server = {
		.socket.sock = -1,
		.stop = stop,
		.dev = &device.vhd.base,
		.keep.store = store,
	};
	int ret;

	if (stop < 0) {
		log_err("signalfd: %s", strerror(-stop));
		return stop;
	}
	net_device_init(&device);
	ret = run_server(o, &device, &server);
	net_device_end(&device);
	return ret;
}

int main(int argc, char **argv)
{
	struct net_options options;
	struct fdstore *store;
	struct port port;
	char **args;
	int ret;

	daemon_guard_output();
	store = daemon_begin_keep();
	args = daemon_copy_args(argc, argv);
	if (!net_options_parse(&options, argc, argv, &ret))
		return daemon_options_status(store, ret);
	/* Not a pattern such as vm%d, of which the kernel makes the name. */
	if (options.name && !strchr(options.name, '%'))
		log_name(options.name);
	if (options.common.keep && !options.common.worker)
		return daemon_be_parent(&options.common, args);
	if (daemon_pin_cpus(&options.common))
		return EXIT_FAILURE;
	if (open_port(&options, store, &port))
		return EXIT_FAILURE;
	log_name(port.name);
	ret = serve(&options, store, &port);
	port_close(&port);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
