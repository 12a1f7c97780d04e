# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# demo.sh: what the parts of the demos that run in L1 share; see demo.
#
#   say TEXT		tell what goes on; all other lines are for the reader
#   fail TEXT
#   prepare
#   watch_calls PID...	count the system calls of these processes from here on;
#			daemon_calls ends that, and prints how many
#   unload		remove the module, and fail if the kernel had trouble
#
# The logs are kept when the demo ends.
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

# strace counts the daemons' calls during all that follows, and does not disturb
# them, as they sleep.
watch_calls()
{
	# Two seconds after a ring has started a daemon looks once whether it is served.
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

# It prints no table at all when there was no call.
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
