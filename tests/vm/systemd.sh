# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# systemd.sh: run the release's systemd as PID 1 of namespaces within L1.
#
#   systemd_boot [UNIT]	boot it up to UNIT (basic.target), on a copy of L1's root
#			tree, which is discarded at the end.
#			/dev, /sys, /tmp and the network are those of L1; the
#			share is /tmp/host. udevd and journald run.
#   systemd_run COMMAND [ARG...]
#			run a command there, such as systemctl
#   systemd_modules	make /lib/modules a small copy with the modules that ours needs:
#			depmod would take long to read all of them
#   systemd_disk NAME ATTRIBUTE=VALUE...
#			as nullb of emulate.sh; the disk has its group from the start.
#			udevd gives it that, too, but perhaps after a daemon was refused
#   systemd_stop		kill systemd and all its processes
#
# systemd_root is the root tree as seen from L1; the output is $CASE_DIR/systemd.log.
# The end of a case also stops systemd.

# Runs in the new namespaces, and becomes PID 1.
# shellcheck disable=SC2016 # the inner shell's
systemd_init='
	set -e
	new=$1 unit=$2
	mount -t tmpfs layer "$new"
	mkdir "$new"/{upper,work,root}
	mount -t overlay -o "lowerdir=/,upperdir=$new/upper,workdir=$new/work" \
		overlay "$new/root"
	root=$new/root
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /tmp "$root/tmp"
	mount -t tmpfs -o mode=755 run "$root/run"
	mkdir "$root/run/lock"
	# Replace the mount by one that shows this cgroup namespace; both are one
	# file system
	umount "$root/sys/fs/cgroup"
	mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
	# Keep systemd from mounting over the /tmp of L1, and from cleaning it.
	mkdir -p "$root"/etc/{systemd/system,tmpfiles.d}
	ln -sf /dev/null "$root/etc/systemd/system/tmp.mount"
	ln -sf /dev/null "$root/etc/tmpfiles.d/tmp.conf"
	# These units are slow here, and no test needs them.
	for slow in ldconfig systemd-hwdb-update systemd-firstboot \
			apparmor systemd-journal-catalog-update; do
		ln -sf /dev/null "$root/etc/systemd/system/$slow.service"
	done
	: >"$root/etc/fstab"
	rm -f "$root/etc/machine-id"
	echo 5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e >"$root/etc/machine-id"
	cd "$root"
	mkdir -p old	# stays, empty
	pivot_root . old
	umount -l /old
	exec env -i container=vhost-doorbell-test TERM=dumb \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit="$unit" \
		--log-target=journal --show-status=0
'

systemd_pid()
{
	systemd_pid=$(pgrep -P "$systemd_parent" | head -n 1)
	[ -n "$systemd_pid" ] && [ "$(cat "/proc/$systemd_pid/comm")" = systemd ]
}

systemd_up()
{
	systemd_run systemctl is-active --quiet "$1" 2>/dev/null
}

# A cgroup beside that of the case, so that systemd can enable all controllers in it.
# Its name begins with the name of the case's cgroup, so that run-l1 cleans up after a
# failed case.
systemd_cgroup=/sys/fs/cgroup/case-systemd

systemd_boot()
{
	local unit=${1:-basic.target} top=/sys/fs/cgroup

	mkdir -p "$CASE_DIR/systemd" $systemd_cgroup
	sed 's/[^ ]*/+&/g' $top/cgroup.controllers >$top/cgroup.subtree_control ||
		return
	# shellcheck disable=SC2016 # the inner shell's
	unshare --fork --kill-child --pid --mount --uts --ipc sh -c '
		echo 0 >"$1"
		shift
		exec unshare --cgroup bash -c "$@"
	' - $systemd_cgroup/cgroup.procs "$systemd_init" - "$CASE_DIR/systemd" "$unit" \
		</dev/null >"$CASE_DIR/systemd.log" 2>&1 &
	systemd_parent=$!
	if ! wait_for 60 systemd_pid || ! wait_for 90 systemd_up "$unit"; then
		cat "$CASE_DIR/systemd.log"
		systemd_run systemctl list-jobs 2>&1 || :
		systemd_run journalctl -b --no-pager -p info 2>&1 |
			tail -n 30 || :
		return 1
	fi
	# shellcheck disable=SC2034 # the case's
	systemd_root=/proc/$systemd_pid/root
}

systemd_run()
{
	nsenter --target "$systemd_pid" --mount --pid --cgroup --uts --ipc \
		--wd -- "$@"
}

systemd_modules()
{
	local kernel dir

	kernel=$(uname -r)
	dir=/lib/modules/$kernel
	systemd_run mount -t tmpfs modules "$dir"
	(cd "$dir" && find build modules.builtin modules.builtin.modinfo modules.order \
		kernel/drivers/net/{tun,tap}.ko* |
		cpio --quiet -pd "$systemd_root$dir")
	systemd_run depmod "$kernel"
}

systemd_disk()
{
	nullb "$@"
	# shellcheck disable=SC2154 # nullb sets it
	chgrp "$(systemd_run getent group disk | cut -d : -f 3)" "$disk" &&
		chmod 660 "$disk"
}

systemd_stop()
{
	kill -KILL "$systemd_parent"
	wait "$systemd_parent" 2>/dev/null || :
	wait_for 20 find $systemd_cgroup -depth -type d -exec rmdir {} + 2>/dev/null
}
