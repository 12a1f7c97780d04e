# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# drbd.sh: /dev/drbd0, which two L1 mirror; after case.sh, emulate.sh, pair.sh.
#
#   drbd_start DISK	make the copy on this DISK, and look for the other one
#   drbd_is PATTERN	is DRBD's state like this?

drbd_start()
{
	cat >/etc/drbd.d/r0.res <<-END
		resource r0 {
			device /dev/drbd0;
			meta-disk internal;
			net {
				protocol C;
				verify-alg crc32c;
				ping-timeout 30;
				timeout 100;
				connect-int 20;
			}
			on l1-1 {
				disk $1;
				address 10.99.0.1:7789;
			}
			on l1-2 {
				disk $1;
				address 10.99.0.2:7789;
			}
		}
	END
	modprobe crc32c
	modprobe drbd usermode_helper=/bin/true
	drbdadm create-md --force r0 2>&1
	drbdadm up r0 2>&1
	wait_for 20 test -b /dev/drbd0
}

drbd_is()
{
	grep -q "$1" /proc/drbd
}
