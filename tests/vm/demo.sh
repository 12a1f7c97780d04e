# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: common code of the demos' parts that run in L1; see demo.
#
#   say TEXT		report progress; all other lines are results
#   fail TEXT		print TEXT and exit
#   prepare
#   watch_calls PID...	start counting the system calls of these processes;
#			daemon_calls stops that and prints their number
#   unload		remove the module, and fail if the kernel had trouble
#
# The logs remain after the demo.
export CASE_DIR=/tmp/demo PATH=/tmp/bin:$VM_DIR/../bin:$PATH
mkdir -p "$CASE_DIR"
# shellcheck source=case.sh
. "$VM_DIR/case.sh"
# shellcheck source=guest.sh
. "$VM_DIR/guest.sh"
# shellcheck source=emulate.sh
. "$VM_DIR/emulate.sh"
# shellcheck source=disk.sh
. "$VM_DIR/disk.sh"

say()
{
	echo "@@ $*"
}

fail()
{
	echo "demo: $*"
	exit 1
}

keep_logs()
{
	doorbellctl show >"$CASE_DIR/show" 2>&1 || :
	dmesg >"$CASE_DIR/dmesg"
	mkdir -p "$VM_DIR/../logs"
	find "$CASE_DIR" -type f -exec cp {} "$VM_DIR/../logs/" \;
}

prepare()
{
	trap keep_logs EXIT
	mkdir -p /tmp/guest /tmp/bin
	cp "$VM_DIR"/../guest/* /tmp/guest/
	cp "$VM_DIR"/../bin/test-* /tmp/bin/
	modprobe kvm_amd 2>/dev/null || modprobe kvm_intel 2>/dev/null || :
	[ -w /dev/kvm ] || fail 'no KVM here'
	"$VM_DIR/../bin/test-kvm_keep" &
	dmesg -C
}

# strace counts the daemons' system calls from now on. It does not disturb the
# daemons, as they sleep.
watch_calls()
{
	# Two seconds after a ring has started, a daemon checks once that the ring is
	# served.
	sleep 3
	strace -f -c -U calls -o "$CASE_DIR/strace" "${@/#/-p}" \
		2>"$CASE_DIR/strace.log" &
	strace=$!
	wait_for 60 attached $# || fail 'strace does not attach'
}

attached()
{
	[ "$(grep -c attached "$CASE_DIR/strace.log")" -eq "$1" ]
}

# Without any call strace prints no table.
daemon_calls()
{
	kill -0 "$strace" 2>/dev/null || fail 'strace has ended'
	kill -INT "$strace"
	wait "$strace" 2>/dev/null || :
	awk '$1 ~ /^[0-9]+$/ && !/total/ { n += $1 } END { print n + 0 }' \
		"$CASE_DIR/strace"
}

unload()
{
	rmmod vhost_doorbell || fail 'the module cannot be unloaded'
	! dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace' ||
		fail 'trouble in the kernel log'
}
