// SPDX-License-Identifier: GPL-2.0
/* check_net - can network cards use taps as ports? Disks do not need them */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"
#include "fd.h"

#define TUN	"/dev/net/tun"
#define NEEDED	(IFF_TAP | IFF_VNET_HDR | IFF_MULTI_QUEUE)

void check_net_ports(const struct ctl_options *o, struct check *c)
{
	_cleanup_fd_ int fd = open(TUN, O_RDWR | O_CLOEXEC);
	unsigned int features = 0;
	int err = errno;

	(void)o;
	if (fd < 0 && (err == EACCES || err == EPERM))
		check_note(c, "give the user " TUN ", or use --tap-fd",
			   TUN ": no permission");
	else if (fd < 0)
		check_note(c, "modprobe tun; cards can use --dev or --macvtap without it",
			   TUN ": %s", strerror(err));
	else if (ioctl(fd, TUNGETFEATURES, &features) ||
		 (features & NEEDED) != NEEDED)
		check_note(c, "", TUN " lacks what cards need (0x%x)", features);
	else
		check_ok(c, TUN " opens; taps can have several queues");
}
