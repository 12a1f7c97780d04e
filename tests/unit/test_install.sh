#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_install.sh - where 'make install' puts the module and the programs, and when it
# runs depmod: with a made-up kernel tree, whose Makefile installs as kbuild does
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=../vm/case.sh
. "$top/tests/vm/case.sh"

release=9.9.9-made-up
ko=lib/modules/$release/updates/drivers/vhost-doorbell/vhost_doorbell.ko

# kbuild's part. It has no System.map, so that it runs no depmod of its own without a
# prefix, and writes to $LIVE where it would write to /.
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

# run_make TARGET ARG...: leaves what depmod was told in depmod.log
run_make()
{
	rm -f "$dir/depmod.log"
	touch "$dir/depmod.log"
	# This is no part of the make that runs the tests.
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
check_fails "depmod does not run: a package does that when it is installed" \
	test -s "$dir/depmod.log"
check "make uninstall DESTDIR=" run_make uninstall DESTDIR="$dir/dest" PREFIX=/usr
check "nothing is left" test -z "$(find "$dir/dest" -type f)"

check "make install" run_make install PREFIX="$dir/prefix"
check "the module is installed" test -e "$dir/live/$ko"
check "depmod runs once, for the kernel that the module is of" \
	test "$(cat "$dir/depmod.log")" = $release
case_end
