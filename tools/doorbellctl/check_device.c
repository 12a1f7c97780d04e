// SPDX-License-Identifier: GPL-2.0
/*
 * check_device - check that /dev/vhost-doorbell exists, can be opened and has
 * the ABI of this program
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "fd.h"
#include "vhd.h"

/*
 * Reads /etc/group instead of calling getgrgid(), which may load NSS modules and so
 * cannot be linked statically.
 */
static const struct group *find_group(gid_t gid)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *group = NULL;

	if (!file)
		return NULL;
	while ((group = fgetgrent(file)) && group->gr_gid != gid)
		;
	fclose(file);
	return group;
}

static void denied(struct check *c)
{
	const struct group *group;
	char advice[200];
	struct stat st;

	if (stat(VHD_DEV_PATH, &st)) {
		check_no(c, "run as root", VHD_DEV_PATH " is out of reach");
		return;
	}
	group = find_group(st.st_gid);
	if (group && st.st_gid && (st.st_mode & 060) == 060)
		snprintf(advice, sizeof(advice),
			 "add the user to the group: usermod -aG %s USER",
			 group->gr_name);
	else
		snprintf(advice, sizeof(advice),
			 "install the udev rule: systemd-sysusers; udevadm control --reload; udevadm trigger");
	check_no(c, advice, "no permission (mode %04o, uid %u, group %s)",
		 st.st_mode & 07777, st.st_uid, group ? group->gr_name : "?");
}

void check_device_node(const struct ctl_options *o, struct check *c)
{
	_cleanup_fd_ int dev = vhd_dev_open(NULL);

	(void)o;
	if (dev >= 0)
		check_ok(c, VHD_DEV_PATH " opens for reading and writing");
	else if (dev == -ENOENT)
		check_no(c, "load the module, it makes the device",
			 VHD_DEV_PATH " does not exist");
	else if (dev == -EACCES || dev == -EPERM)
		denied(c);
	else if (dev == -ENXIO || dev == -ENODEV)
		check_no(c, "load the module; remove a device node made by hand",
			 VHD_DEV_PATH ": no driver behind it");
	else
		check_no(c, "", VHD_DEV_PATH ": %s", strerror(-dev));
}

void check_device_abi(const struct ctl_options *o, struct check *c)
{
	_cleanup_fd_ int dev = vhd_dev_open(NULL);
	struct vhost_doorbell_info info;
	int ret;

	(void)o;
	if (dev < 0) {
		check_note(c, "", "not known, the device does not open");
		return;
	}
	ret = vhd_get_info(dev, &info);
	if (ret)
		check_no(c, "take module and tools of the same version",
			 "GET_INFO: %s", strerror(-ret));
	else if (info.abi_version != VHOST_DOORBELL_ABI_VERSION)
		check_no(c, "take module and tools of the same version",
			 "module has version %u, the tools %u",
			 info.abi_version, VHOST_DOORBELL_ABI_VERSION);
	else
		check_ok(c, "version %u, up to %u queues of %u entries",
			 info.abi_version, info.max_queues,
			 info.max_queue_size);
}
