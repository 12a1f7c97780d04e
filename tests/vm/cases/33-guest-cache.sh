# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest switches its disk's cache to write-through and back, and the disk must get
# writes to match; also after the daemon was killed and another one takes over. A
# disk without volatile cache gets no flushes, and gets them once it has a cache.
# kernels: trixie
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

issue=/sys/kernel/tracing/events/block/block_rq_issue

# Counts requests at the disk by type: F before W is a flush before a write, F
# after W a write that is stable when it completes
requests()
{
	sed -n "s/^{ rwbs: *$1 .*hitcount: *\([0-9]*\).*/\1/p" $issue/hist |
		awk '{ n += $1 } END { print n + 0 }'
}

# count_requests COMMAND [DISK]: run it in the guest; set $plain and $stable
count_requests()
{
	local hist="hist:keys=rwbs if dev == ${number[${2:-cached}]}"

	echo "$hist" >$issue/trigger
	guest_run "$1" || return
	plain=$(requests WS)
	stable=$(requests 'WFS')
	diag "$(grep hitcount $issue/hist)"
	echo "!$hist" >$issue/trigger
}

writes='dd if=/bin/fio of=/disk/cached bs=4k count=20 oflag=direct 2>/dev/null'

# cache_type DISK: print the path of the guest's sysfs file for it
cache_type()
{
	echo "/sys/block/\$(basename \$(readlink /disk/$1))/cache_type"
}

# cache_is TYPE [DISK]: is this the guest's setting?
cache_is()
{
	test "$(guest_run "cat $(cache_type "${2:-cached}")")" = "$1"
}

# cached NAME: make a disk with a cache, and store its device number
declare -A number
cached()
{
	local major minor

	nullb "$1" irqmode=1 cache_size=64
	IFS=: read -r major minor <"/sys/class/block/${disk##*/}/dev"
	number[$1]=$((major << 20 | minor))
}

host_cache()
{
	echo "$1" >"/sys/class/block/${disk##*/}/queue/write_cache"
}

flush_agreed()
{
	test $(($(disk_features "$1") >> 9 & 1)) = "$2"
}

switch_to()
{
	guest_run "echo $1 >$(cache_type cached)"
}

module_load
cached former
former=$disk
host_cache 'write through'
disk_start former "$former" --serial=former --features=flush=on
cached plain
host_cache 'write through'
disk_start plain "$disk" --serial=plain
disk_attach plain num-queues=1
plain_disk=$disk
cached cached
disk_start cached "$disk" --serial=cached --features=config_wce=on
DISK_CHARDEV=$(disk_reconnect) disk_attach cached num-queues=1
DISK_CHARDEV=$(disk_reconnect) disk_attach former num-queues=1
guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links
check "CONFIG_WCE is negotiated" test "$(($(disk_features cached) >> 11 & 1))" = 1
check "the cache is write-back" cache_is 'write back'
check "write-back: 20 writes" count_requests "$writes"
check "write-back: the writes are not FUA" test "$plain" -ge 20 -a "$stable" = 0
check "the guest switches to write-through" switch_to 'write through'
check "the guest sees write-through" cache_is 'write through'
check "write-through: 20 writes" count_requests "$writes"
check "write-through: the writes are FUA" test "$stable" -ge 20 -a "$plain" = 0

disk_kill cached
disk_start cached "$disk" --serial=cached --features=config_wce=on
check "write-through: 20 writes after another daemon took over" count_requests "$writes"
check "write-through: they are still FUA" test "$stable" -ge 20 -a "$plain" = 0

check "the guest switches back to write-back" switch_to 'write back'
check "write-back: 20 more writes" count_requests "$writes"
check "write-back: these are not FUA" test "$plain" -ge 20 -a "$stable" = 0
check "no request failed" test "$(disk_sum cached errors)" = 0

check "no volatile cache: FLUSH is not offered" flush_agreed plain 0
check "no volatile cache: the guest sees write-through" cache_is 'write through' plain
sent=$(disk_sum plain requests)
check "no volatile cache: 20 writes, the last with fsync()" count_requests \
	"${writes/cached/plain} conv=fsync" plain
check "no volatile cache: there are 20 requests" \
	test $(($(disk_sum plain requests) - sent)) = 20
check "no volatile cache: the writes are not FUA" test "$plain" -ge 20 -a "$stable" = 0
disk=$plain_disk
host_cache 'write back'
check "the disk gets a volatile cache: 20 writes" \
	count_requests "${writes/cached/plain}" plain
check "the disk gets a volatile cache: the writes are FUA" \
	test "$stable" -ge 20 -a "$plain" = 0
check "no volatile cache: no request failed" test "$(disk_sum plain errors)" = 0

check "flush=on: FLUSH is negotiated all the same" flush_agreed former 1
disk_kill former
disk_start former "$former" --serial=former
check "a daemon without flush takes over: writes and fsync()" guest_run \
	"${writes/cached/former} conv=fsync"
check "a daemon without flush takes over: FLUSH stays negotiated" flush_agreed former 1
check "a daemon without flush takes over: no request failed" \
	test "$(disk_sum former errors)" = 0
guest_stop
for name in cached plain former; do
	check "$name: the daemon ends well" disk_stop $name
done
case_end
