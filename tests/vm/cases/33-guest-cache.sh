# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest switches its disk's cache to write-through and back, and what was promised
# holds on the disk; also when the daemon was killed and another takes over.
# timeout: 200
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

issue=/sys/kernel/tracing/events/block/block_rq_issue

# What the disk gets: F before the W is a flush before a write, F behind it a write
# that is stable when it ends
requests()
{
	sed -n "s/^{ rwbs: *$1 .*hitcount: *\([0-9]*\).*/\1/p" $issue/hist |
		awk '{ n += $1 } END { print n + 0 }'
}

# count_requests COMMAND: in the guest; sets $plain and $stable
count_requests()
{
	local hist="hist:keys=rwbs if dev == $number"

	echo "$hist" >$issue/trigger
	guest_run "$1" || return
	plain=$(requests WS)
	stable=$(requests 'WFS')
	diag "$(grep hitcount $issue/hist)"
	echo "!$hist" >$issue/trigger
}

writes='dd if=/bin/fio of=/disk/cached bs=4k count=20 oflag=direct 2>/dev/null'

cache_is()
{
	test "$(guest_run 'cat /sys/block/vda/cache_type')" = "$1"
}

switch_to()
{
	guest_run "echo $1 >/sys/block/vda/cache_type"
}

module_load
nullb cached irqmode=1 cache_size=64
IFS=: read -r major minor <"/sys/class/block/${disk##*/}/dev"
number=$((major << 20 | minor))
disk_start cached "$disk" --serial=cached --features=config_wce=on
DISK_CHARDEV=$(disk_reconnect) disk_attach cached num-queues=1
guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links
check "CONFIG_WCE is negotiated" test "$(($(disk_features cached) >> 11 & 1))" = 1
check "the cache is write-back" cache_is 'write back'
check "write-back: 20 writes" count_requests "$writes"
check "the disk may keep them in its cache" test "$plain" -ge 20 -a "$stable" = 0
check "the guest switches to write-through" switch_to 'write through'
check "and knows it" cache_is 'write through'
check "write-through: 20 writes" count_requests "$writes"
check "each is stable when it ends" test "$stable" -ge 20 -a "$plain" = 0

disk_kill cached
disk_start cached "$disk" --serial=cached --features=config_wce=on
check "another daemon takes over: 20 writes" count_requests "$writes"
check "each is stable when it ends, still" test "$stable" -ge 20 -a "$plain" = 0

check "the guest switches back" switch_to 'write back'
check "write-back: 20 writes more" count_requests "$writes"
check "the disk may keep them again" test "$plain" -ge 20 -a "$stable" = 0
check "no request failed" test "$(disk_sum cached errors)" = 0
guest_stop
check "the daemon ends well" disk_stop cached
case_end
