// SPDX-License-Identifier: GPL-2.0
#include "net_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROGRAM		"vhost-doorbell-net"

#define QUEUE_SIZE_MIN	256u	/* of QEMU's card */
#define MTU_MIN		68u
#define MTU_MAX		65535u

enum {
	OPT_TAP = OPT_OWN,
	OPT_TAP_FD,
	OPT_MACVTAP,
	OPT_DEV,
	OPT_BRIDGE,
	OPT_QUEUES,
	OPT_MTU,
	OPT_NO_GUEST_OFFLOAD,
};

static const struct option own_options[] = {
	{ "tap",		required_argument, NULL, OPT_TAP },
	{ "tap-fd",		required_argument, NULL, OPT_TAP_FD },
	{ "macvtap",		required_argument, NULL, OPT_MACVTAP },
	{ "dev",		required_argument, NULL, OPT_DEV },
	{ "bridge",		required_argument, NULL, OPT_BRIDGE },
	{ "queues",		required_argument, NULL, OPT_QUEUES },
	{ "mtu",		required_argument, NULL, OPT_MTU },
	{ "no-guest-offload",	no_argument, NULL, OPT_NO_GUEST_OFFLOAD },
};

static const char usage_text[] =
"Usage: " PROGRAM " PORT\n"
"           {--socket-path=PATH | --fd=N | --connect=PATH} [OPTION]...\n"
"\n"
"Offers a network card to a virtual machine over vhost-user-net; the host\n"
"kernel moves the frames itself (vhost_doorbell module). PORT is one of\n"
"\n"
"  --tap=NAME            the tap NAME, as 'ip tuntap add' makes it\n"
"  --tap=NAME,create     a new tap, which goes with this process\n"
"  --tap-fd=N[,N]...     descriptors of an open tap or macvtap, one for each\n"
"                        pair of queues; may be given again for more\n"
"  --macvtap=NAME        the macvtap NAME\n"
"  --dev=NAME            a network device of the module's own, which goes with\n"
"                        this process; '%d' in NAME becomes a number\n"
"\n"
COMMON_USAGE_SOCKET
"  --bridge=NAME         the new interface joins this bridge\n"
"  --queues=N            pairs of queues, 1 to 32 (default 1)\n"
"  --mtu=N               MTU told to the guest, 68 to 65535, and of the new\n"
"                        interface\n"
"  --no-guest-offload    the guest gets no merged frames and all checksums: for\n"
"                        guests that load XDP programs\n"
"  --features=NAME=on|off[,...]\n"
"                        virtio features to offer or not, such as\n"
"                        guest_tso4=off\n"
"  --queue-size=N        queue size told to QEMU, a power of 2, 256 to 1024\n"
"                        (default 1024)\n"
COMMON_USAGE_END;

static int usage(const char *fmt, const char *arg)
{
	return common_options_usage(PROGRAM, fmt, arg);
}

static int take_name(struct net_options *o, enum port_kind kind, const char *arg)
{
	size_t n = strlen(arg);

	if (!n || n >= IFNAMSIZ || strchr(arg, '/') || strchr(arg, ','))
		return usage("not a name of a network interface: %s", arg);
	o->kind = kind;
	o->name = arg;
	o->ports++;
	return 0;
}

static int take_tap(struct net_options *o, char *arg)
{
	char *comma = strchr(arg, ',');

	if (!comma)
		return take_name(o, PORT_TAP, arg);
	if (strcmp(comma, ",create"))
		return usage("--tap: not NAME or NAME,create: %s", arg);
	*comma = '\0';
	return take_name(o, PORT_TAP_CREATE, arg);
}

static int take_fds(struct net_options *o, char *arg)
{
	char *save, *word;
	unsigned int fd;

	if (!*arg)
		return usage("--tap-fd: not a descriptor: %s", arg);
	for (word = strtok_r(arg, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		if (!common_options_number(word, 0, INT32_MAX, &fd))
			return usage("--tap-fd: not a descriptor: %s", word);
		if (o->num_fds == VHOST_DOORBELL_MAX_PAIRS)
			return usage("--tap-fd: more than 32: %s", word);
		o->fd[o->num_fds++] = fd;
	}
	if (o->kind != PORT_TAP_FD || !o->ports)
		o->ports++;
	o->kind = PORT_TAP_FD;
	return 0;
}

static int take_features(struct net_options *o, const char *arg)
{
	const char *at;
	int ret = feature_net_switch(&o->features,
				     NET_FEATURES_ON | NET_FEATURES_OFF, arg,
				     &at);

	return common_options_features(PROGRAM, ret, at);
}

static int parse_one(void *options, int opt, char *arg)
{
	struct net_options *o = options;

	switch (opt) {
	case OPT_TAP:
		return take_tap(o, arg);
	case OPT_TAP_FD:
		return take_fds(o, arg);
	case OPT_MACVTAP:
		return take_name(o, PORT_MACVTAP, arg);
	case OPT_DEV:
		return take_name(o, PORT_DEV, arg);
	case OPT_BRIDGE:
		o->bridge = arg;
		return 0;
	case OPT_QUEUES:
		if (!common_options_number(arg, 1, VHOST_DOORBELL_MAX_PAIRS,
					   &o->queues))
			return usage("--queues: not from 1 to 32: %s", arg);
		return 0;
	case OPT_MTU:
		if (!common_options_number(arg, MTU_MIN, MTU_MAX, &o->mtu))
			return usage("--mtu: not from 68 to 65535: %s", arg);
		return 0;
	case OPT_NO_GUEST_OFFLOAD:
		o->features &= ~NET_FEATURES_GUEST_OFFLOAD;
		return 0;
	case OPT_FEATURES:
		return take_features(o, arg);
	default:
		return common_options_take(&o->common, opt, arg);
	}
}

static int check_fds(struct net_options *o)
{
	for (unsigned int i = 0; i < o->num_fds; i++)
		for (unsigned int j = 0; j < i; j++)
			if (o->fd[i] == o->fd[j])
				return usage("%s: a descriptor is there twice",
					     "--tap-fd");
	if (o->queues && o->queues != o->num_fds)
		return usage("--queues: %s has another number", "--tap-fd");
	o->queues = o->num_fds;
	return 0;
}

static int check_options(struct net_options *o)
{
	int ret;

	if (o->ports != 1)
		return usage("give one of --tap, --tap-fd, --macvtap and %s",
			     "--dev");
	if (o->bridge && o->kind != PORT_TAP_CREATE && o->kind != PORT_DEV)
		return usage("%s: only a new interface can join a bridge",
			     "--bridge");
	ret = o->kind == PORT_TAP_FD ? check_fds(o) : 0;
	if (ret)
		return ret;
	if (!o->queues)
		o->queues = 1;
	return common_options_check(&o->common);
}

static int print_capabilities(void)
{
	struct json j;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "type", "net");
	/* vhost-user.json has no features of cards. */
	json_array(&j, "features");
	json_array_end(&j);
	json_object_end(&j);
	return json_end(&j) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_all(struct net_options *o, int argc, char **argv)
{
	int ret;

	*o = (struct net_options){
		.common = {
			.program = PROGRAM,
			.queue_size_min = QUEUE_SIZE_MIN,
			.queue_size = 1024,
			.fd = -1,
			.exec.mode = VHOST_DOORBELL_MODE_AUTO,
		},
		.features = NET_FEATURES_ON,
	};
	ret = common_options_parse(PROGRAM, argc, argv, own_options,
				   ARRAY_SIZE(own_options), parse_one, o);
	return ret ? ret : check_options(o);
}

bool net_options_parse(struct net_options *o, int argc, char **argv, int *status)
{
	if (common_options_ending(argc, argv, PROGRAM, usage_text,
				  print_capabilities, status))
		return false;
	*status = parse_all(o, argc, argv);
	return !*status;
}
