# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest switches its disk's cache to write-through and back, and what was promised
# holds on the disk; also when the daemon was killed and another takes over. A disk
# with no volatile cache is not flushed, and is if it gets one.
# kernels: trixie
# timeout: 240
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

# count_requests COMMAND [DISK]: in the guest; sets $plain and $stable
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

# cache_type DISK: where the guest has that
cache_type()
{
	echo "/sys/block/\$(basename \$(readlink /disk/$1))/cache_type"
}

# cache_is TYPE [DISK]
cache_is()
{
	test "$(guest_run "cat $(cache_type "${2:-cached}")")" = "$1"
}

# cached NAME: make such a disk, and know its number
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

check "no volatile cache: FLUSH is not offered" flush_agreed plain 0
check "the guest takes it for write-through" cache_is 'write through' plain
sent=$(disk_sum plain requests)
check "20 writes, the last with fsync()" count_requests \
	"${writes/cached/plain} conv=fsync" plain
check "are 20 requests" test $(($(disk_sum plain requests) - sent)) = 20
check "the disk has them as they are" test "$plain" -ge 20 -a "$stable" = 0
disk=$plain_disk
host_cache 'write back'
check "it gets a cache: 20 writes" count_requests "${writes/cached/plain}" plain
check "each is stable when it ends" test "$stable" -ge 20 -a "$plain" = 0
check "no request failed there" test "$(disk_sum plain errors)" = 0

check "flush=on: FLUSH is negotiated anyway" flush_agreed former 1
disk_kill former
disk_start former "$former" --serial=former
check "a daemon that does not offer it takes over: writes and fsync()" guest_run \
	"${writes/cached/former} conv=fsync"
check "what was agreed on holds" flush_agreed former 1
check "no request failed there" test "$(disk_sum former errors)" = 0
guest_stop
for name in cached plain former; do
	check "$name: the daemon ends well" disk_stop $name
done
case_end
