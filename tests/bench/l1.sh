# shellcheck shell=bash disable=SC2034,SC2154 # the caller's; CASE_DIR
# SPDX-License-Identifier: GPL-2.0
# l1.sh: common parts of in-l1 and net-in-l1; sourced after tests/vm/case.sh and guest.sh.
# Sources count.sh.
#
#   prepare_guests	prepare L1 for guests
#   bench_module_why	print why the module can't be loaded; nothing if it can
#   bench_module_load	load the module if it isn't
#   keep_group NAME, has_group NAME
#			a group is one load in one round. When $rows has all rows that
#			can be measured here, they go to $raw. Groups of an earlier boot
#			are kept.
#   leave		the exit trap: saves logs, and asks for another boot if an
#			emulator's fault may be the reason of the end
#
# $count is the file to which the emulator's plugin writes its count of instructions.

retries=$(cat /tmp/host/retries)
raw=/tmp/host/raw.tsv
groups=/tmp/host/groups		# groups that $raw has
rows=$CASE_DIR/rows		# rows of the present group
count=/tmp/host/insn
# shellcheck source=count.sh
. "$here/count.sh"

bench_module_why()
{
	[ -e /tmp/host/vhost_doorbell.ko ] || echo 'the module is not built'
}

bench_module_load()
{
	[ -d /sys/module/vhost_doorbell ] || /tmp/host/vm/load
}

prepare_guests()
{
	mkdir -p "$CASE_DIR" /tmp/guest
	cp /tmp/host/guest/* /tmp/guest/
	modprobe kvm_amd 2>/dev/null || modprobe kvm_intel 2>/dev/null || :
	[ -w /dev/kvm ] || fail 'no KVM in L1'
	/tmp/host/bin/test-kvm_keep &
	# The figures of an emulated processor that breaks its rules would be
	# worthless.
	insmod /tmp/host/test_interrupts.ko
}

keep_group()
{
	[ ! -e "$rows" ] || cat "$rows" >>$raw
	echo "$1" >>$groups
	rm -f "$rows"
}

has_group()
{
	grep -qsxF "$1" $groups
}

leave()
{
	local status=$? logs=/tmp/host/logs/$retries

	mkdir -p "$logs"
	dmesg >"$logs/dmesg"
	find "$CASE_DIR" -xdev -type f -exec cp {} "$logs/" \; || :
	if [ $status -ne 0 ] && [ "${EMULATED:-}" = 1 ] && [ -s $groups ] &&
	   ! grep -qE "$OURS" "$logs/dmesg"; then
		status=75
	fi
	exit $status
}
