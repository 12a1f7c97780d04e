#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_install.sh - where 'make install' puts the module and the programs, and when it
# runs depmod; whether systemd accepts the units. The kernel tree is made up: its
# Makefile installs as kbuild does.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=../vm/case.sh
. "$top/tests/vm/case.sh"

release=9.9.9-made-up
ko=lib/modules/$release/updates/drivers/vhost-doorbell/vhost_doorbell.ko

# Make the kernel tree. It has no System.map, so that, as with Debian's headers, it
# runs no depmod without a prefix. It writes to $LIVE where kbuild would write to /.
kernel_tree()
{
	mkdir -p "$dir/kernel/include/config" "$dir/bin"
	echo $release >"$dir/kernel/include/config/kernel.release"
	cat >"$dir/kernel/Makefile" <<-'END'
		.RECIPEPREFIX = >
		DEPMOD = depmod
		release = $(shell cat include/config/kernel.release)
		to = $(or $(INSTALL_MOD_PATH),$(LIVE))/lib/modules/$(release)
		modules_install:
		> mkdir -p $(to)/updates/drivers/vhost-doorbell
		> echo module >$(to)/updates/drivers/vhost-doorbell/vhost_doorbell.ko
		> $(if $(INSTALL_MOD_PATH),$(DEPMOD) -b $(INSTALL_MOD_PATH) $(release))
	END
	printf '#!/bin/sh\necho "$*" >>%s\n' "$dir/depmod.log" >"$dir/bin/depmod"
	chmod +x "$dir/bin/depmod"
}

# run_make TARGET ARG...: depmod.log gets the arguments of depmod
run_make()
{
	rm -f "$dir/depmod.log"
	touch "$dir/depmod.log"
	# Do not inherit options and the job server of the make that runs the
	# tests.
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH="$dir/bin:$PATH" \
		make -C "$top" KDIR="$dir/kernel" LIVE="$dir/live" "$@" \
		>"$dir/make.log" 2>&1 || {
		tail -n 20 "$dir/make.log"
		return 1
	}
}

kernel_tree
check "make install DESTDIR=" run_make install DESTDIR="$dir/dest" PREFIX=/usr
check "the module is below DESTDIR" test -e "$dir/dest/$ko"
check_fails "and not in the running system" test -e "$dir/live/$ko"
for daemon in vhost-doorbell-blk vhost-doorbell-net; do
	check "$daemon is there" test -x "$dir/dest/usr/bin/$daemon"
	check "and management software finds it" grep -q \
		"\"binary\": \"/usr/bin/$daemon\"" \
		"$dir/dest/usr/share/qemu/vhost-user/50-$daemon.json"
done
check "the bpftrace scripts are there" test -x \
	"$dir/dest/usr/sbin/doorbell-latency.bt"
for file in include/linux/vhost_doorbell.h lib/udev/rules.d/60-vhost-doorbell.rules \
		lib/sysusers.d/vhost-doorbell.conf lib/modules-load.d/vhost-doorbell.conf; do
	check "$file is there" test -s "$dir/dest/usr/$file"
done
for kind in blk net; do
	service=$dir/dest/usr/lib/systemd/system/vhost-doorbell-$kind@.service
	check "the unit of $kind starts what is installed" grep -q \
		"^ExecStart=/usr/bin/vhost-doorbell-$kind --config /etc/vhost-doorbell/$kind/%i.conf$" \
		"$service"
	check_fails "and nothing is left to fill in" grep '@[A-Z]' "$service"
	if ! command -v systemd-analyze >/dev/null; then
		skip "exposure of the unit of $kind" 'no systemd-analyze here'
		continue
	fi
	check "systemd gives it an exposure of 2.0 or less" systemd-analyze security \
		--offline=true --no-pager --threshold=20 "$service"
done
check_fails "depmod does not run: a package does that when it is installed" \
	test -s "$dir/depmod.log"
check "completions are there" test -s \
	"$dir/dest/usr/share/bash-completion/completions/doorbellctl"
for page in "$top"/tools/man/*.[1-8]; do
	[ -s "$dir/dest/usr/share/man/man${page##*.}/${page##*/}" ] ||
		not_ok "${page##*/} is there"
done
# Beside each file one of another program's, and settings of the operator's
find "$dir/dest" -type f >"$dir/installed"
while IFS= read -r file; do
	echo other >"${file%/*}/other-${file##*/}"
done <"$dir/installed"
echo 'tap = x' >"$dir/dest/etc/vhost-doorbell/net/x.conf"
check "make uninstall DESTDIR=" run_make uninstall DESTDIR="$dir/dest" PREFIX=/usr
check "it removes what was installed, and nothing else" diff \
	<({ sed 's|[^/]*$|other-&|' "$dir/installed"
	echo "$dir/dest/etc/vhost-doorbell/net/x.conf"; } | sort) \
	<(find "$dir/dest" -type f | sort)

check "make install" run_make install PREFIX="$dir/prefix"
check "the module is installed" test -e "$dir/live/$ko"
check "depmod runs once, for the kernel that the module is of" \
	test "$(cat "$dir/depmod.log")" = $release
case_end
