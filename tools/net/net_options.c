// SPDX-License-Identifier: GPL-2.0
#include "net_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "optparse.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROGRAM		"vhost-doorbell-net"

#define QUEUE_SIZE_MIN	256	/* limits of QEMU's card, also the next one */
#define QUEUE_SIZE_MAX	1024
#define MTU_MIN		68
#define MTU_MAX		65535

static int take_name(const struct optparse *p, struct net_options *o,
		     enum port_kind kind, const char *value)
{
	if (strlen(value) >= IFNAMSIZ || strchr(value, '/') || strchr(value, ','))
		return optparse_refuse(p, "'%s' is not a name of a network interface",
				       value);
	o->kind = kind;
	o->name = value;
	o->ports++;
	return 0;
}

static int take_tap(struct optparse *p, void *base, char *value)
{
	char *comma = strchr(value, ',');

	if (!comma)
		return take_name(p, base, PORT_TAP, value);
	if (comma == value || strcmp(comma, ",create"))
		return optparse_refuse(p, "'%s' is not NAME or NAME,create", value);
	*comma = '\0';
	return take_name(p, base, PORT_TAP_CREATE, value);
}

static int take_macvtap(struct optparse *p, void *base, char *value)
{
	return take_name(p, base, PORT_MACVTAP, value);
}

static int take_dev(struct optparse *p, void *base, char *value)
{
	return take_name(p, base, PORT_DEV, value);
}

static int take_fds(struct optparse *p, void *base, char *value)
{
	struct net_options *o = base;
	char *word;
	uint64_t fd;

	while ((word = strsep(&value, ","))) {
		if (number_decimal(word, INT32_MAX, &fd))
			return optparse_refuse(p, "'%s' is not a descriptor", word);
		if (o->num_fds == VHOST_DOORBELL_MAX_PAIRS)
			return optparse_refuse(p, "more than 32 descriptors");
		o->fd[o->num_fds++] = (int)fd;
	}
	if (o->kind != PORT_TAP_FD || !o->ports)
		o->ports++;
	o->kind = PORT_TAP_FD;
	return 0;
}

static int take_features(struct optparse *p, void *base, char *value)
{
	struct net_options *o = base;
	const char *at;
	int ret = feature_net_switch(&o->features,
				     NET_FEATURES_ON | NET_FEATURES_OFF, value,
				     &at);

	return feature_refuse(p, ret, at);
}

#define OPTPARSE_TYPE	struct net_options

static const struct optparse_row own_options[] = {
	OPT_CALL("tap", take_tap, "NAME[,create]",
		 "the tap NAME, as 'ip tuntap add' makes it, or a new one, "
		 "which goes with this process"),
	OPT_CALL("tap-fd", take_fds, "N[,N]...",
		 "descriptors of an open tap or macvtap, one for each pair of "
		 "queues; may be given again for more"),
	OPT_CALL("macvtap", take_macvtap, "NAME", "the macvtap NAME"),
	OPT_CALL("dev", take_dev, "NAME",
		 "a network device of the module's own, which goes with this "
		 "process; '%d' in NAME becomes a number"),
	OPT_TEXT("One of these four, PORT, is needed."),
	OPT_STRING("bridge", bridge, "NAME", "the new interface joins this bridge"),
	OPT_NUMBER("queues", queues, "N", 1, VHOST_DOORBELL_MAX_PAIRS,
		   "pairs of queues, 1 to 32 (default 1)"),
	OPT_NUMBER("mtu", mtu, "N", MTU_MIN, MTU_MAX,
		   "MTU told to the guest, 68 to 65535, and of the new interface"),
	OPT_FLAG("no-guest-offload", no_guest_offload,
		 "the guest gets no merged frames and all checksums: for "
		 "guests that load XDP programs"),
	OPT_CALL("features", take_features, "NAME=on|off[,...]",
		 "virtio features to offer or not, such as guest_tso4=off"),
	OPT_NUMBER("queue-size", common.queue_size, "N", QUEUE_SIZE_MIN,
		   QUEUE_SIZE_MAX,
		   "queue size told to QEMU, a power of 2, 256 to 1024 "
		   "(default 1024)",
		   .power_of_2 = true),
};

/* vhost-user.json has no features of cards. */
static const char * const capabilities[] = { NULL };

static const struct common_program program = {
	.name = PROGRAM,
	.intro =
"Usage: " PROGRAM " PORT\n"
"           {--socket-path=PATH | --fd=N | --connect=PATH} [OPTION]...\n"
"\n"
"Offers a network card to a virtual machine over vhost-user-net; the host\n"
"kernel moves the frames itself (vhost_doorbell module).\n"
"\n",
	.rows = own_options,
	.num_rows = ARRAY_SIZE(own_options),
	.type = "net",
	.features = capabilities,
};

static int usage(const char *what, const char *why)
{
	return common_options_usage(&program, what, why);
}

static int check_fds(struct net_options *o)
{
	for (unsigned int i = 0; i < o->num_fds; i++)
		for (unsigned int j = 0; j < i; j++)
			if (o->fd[i] == o->fd[j])
				return usage("--tap-fd", "a descriptor is there twice");
	if (o->queues && o->queues != o->num_fds)
		return usage("--queues", "--tap-fd has another number");
	o->queues = o->num_fds;
	return 0;
}

static int check_options(struct net_options *o)
{
	int ret;

	if (o->ports != 1)
		return usage("the port",
			     "give one of --tap, --tap-fd, --macvtap and --dev");
	if (o->bridge && o->kind != PORT_TAP_CREATE && o->kind != PORT_DEV)
		return usage("--bridge", "only a new interface can join a bridge");
	ret = o->kind == PORT_TAP_FD ? check_fds(o) : 0;
	if (ret)
		return ret;
	if (!o->queues)
		o->queues = 1;
	if (o->no_guest_offload)
		o->features &= ~NET_FEATURES_GUEST_OFFLOAD;
	return common_options_check(&program, &o->common);
}

bool net_options_parse(struct net_options *o, int argc, char **argv, int *status)
{
	*o = (struct net_options){
		.common = {
			.queue_size = 1024,
			.fd = -1,
			.exec.mode = VHOST_DOORBELL_MODE_AUTO,
		},
		.features = NET_FEATURES_ON,
	};
	if (!common_options_parse(&program, &o->common, o, argc, argv, status))
		return false;
	*status = check_options(o);
	return !*status;
}
