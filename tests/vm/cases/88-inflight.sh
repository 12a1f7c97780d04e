# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The daemon is killed under a running guest, again and again: no request is lost, and
# none is done twice, with split and with packed rings. Requests that wait for a full
# disk survive, too. The module is replaced by another one under the same guest.
# kernels: trixie
# timeout: 900
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

kills=2
[ "${EVERYWHERE:-0}" -eq 0 ] || kills=50
factor=${TIME_FACTOR:-1}

# moved NAME REQUESTS: were more requests than that served, by this daemon's device?
moved()
{
	[ "$(disk_sum "$1" requests || echo 0)" -gt "$2" ] 2>/dev/null
}

host_writes()
{
	awk '{ print $5 }' "/sys/block/${1#/dev/}/stat"
}

guest_writes()
{
	guest_run "v=\$(readlink /disk/$1) && cat /sys/block/\${v##*/}/stat" |
		awk '{ print $5 }'
}

# kill_often NAME...: kill their daemons in turn and start them again
kill_often()
{
	local i name

	for ((i = 1; i <= kills; i++)); do
		for name; do
			wait_for $((30 * factor)) moved "$name" 20 || return 1
			disk_kill "$name"
			sleep "0.$((RANDOM % 5))"
			disk_start "$name" "${file[$name]}" --serial="$name"
		done
	done
}

new_module()
{
	rmmod vhost_doorbell && [ ! -e /sys/module/vhost_doorbell ] && module_load
}

mark()
{
	stages+="${stages:+, }$1 $((($(date +%s%N) - began) / 1000000)) ms"
}

# renew COMMAND...: stop all daemons, run the command, start the daemons, and wait until
# QEMU has connected again and requests are served. Sets $stages to the times since the
# begin.
renew()
{
	local name began

	for name in split packed; do
		wait_for $((30 * factor)) moved "$name" 20 || return 1
	done
	began=$(date +%s%N)
	stages=
	for name in split packed full; do
		disk_stop "$name" || return 1
	done
	mark stopped
	"$@" || return 1
	mark "$1"
	for name in split packed; do
		disk_start "$name" "${file[$name]}" --serial="$name"
	done
	start_full
	mark started
	for name in split packed; do
		wait_for $((30 * factor)) moved "$name" 0 || return 1
	done
	mark served
}

fio_ends_well()
{
	wait "$fio" && grep '^3;' "$CASE_DIR/fio" | awk -F ';' '
		$5 != 0 { exit bad = 1 }
		END { exit bad || !NR }' && return
	cat "$CASE_DIR/fio"
	return 1
}

# Each write that the guest got back reached the disk once. The disk merges none.
once()
{
	local host guest

	host=$(($(host_writes "${file[$1]}") - host_before[$1]))
	guest=$(($(guest_writes "$1") - guest_before[$1]))
	diag "$1: the guest wrote $guest times, the disk $host times"
	[ "$guest" -gt 0 ] && [ "$guest" -eq "$host" ]
}

# fio_start SECONDS ARG...: in the guest, in the background
fio_start()
{
	guest_run -t "$(($1 * factor))" "fio --thread --eta=never \
		--output-format=terse --terse-version=3 --direct=1 \
		--ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 \
		${*:2}" >"$CASE_DIR/fio" 2>&1 &
	fio=$!
}

is_held()
{
	[ "$(disk_sum full held || echo 0)" -gt 0 ] 2>/dev/null
}

start_full()
{
	disk_start full "$dir/image" --serial=full --on-enospc=wait
}

# Until no block is left
fill()
{
	dd if=/dev/zero of="$dir/filler" bs=1M oflag=append conv=notrunc \
		status=none 2>/dev/null || :
	dd if=/dev/zero of="$dir/filler" bs=4k oflag=append conv=notrunc \
		status=none 2>/dev/null || :
	sync -f "$dir"
}

# Requests that wait for a full disk, while their daemon is killed and started again
held()
{
	fill
	fio_start 120 --name=full --filename=/disk/full --rw=write --bs=64k \
		--size=2M
	check "full disk: requests wait" wait_for $((30 * factor)) is_held
	disk_kill full
	start_full
	check "full disk: they wait on with the next daemon" \
		wait_for $((30 * factor)) is_held
	rm "$dir/filler"
	check "full disk: with room all complete, with the right data" \
		fio_ends_well
}

no_guest_error()
{
	! guest_run 'dmesg | grep -E "I/O error|blk_update|critical"'
}

# What the daemons said is lost with the case's directory.
trap '[ $? -eq 0 ] || tail -n 5 "$CASE_DIR"/*.log' EXIT

module_load
declare -A file host_before guest_before
for name in split packed; do
	nullb "$name" irqmode=2 completion_nsec=200000
	file[$name]=$disk
	echo 2 >"/sys/block/${disk#/dev/}/queue/nomerges"
	disk_start "$name" "$disk" --serial="$name"
done
nullb_ext4 enospc 48 fs
dir=$CASE_DIR/fs
truncate -s 16M "$dir/image"
start_full
DISK_CHARDEV=$(disk_reconnect)
disk_attach split
disk_attach packed packed=on
disk_attach full

guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links
check "the ring is packed" test "$(($(disk_features packed) >> 34 & 1))" = 1
for name in split packed; do
	host_before[$name]=$(host_writes "${file[$name]}")
	guest_before[$name]=$(guest_writes "$name")
done
seconds=$((40 + 4 * kills))
fio_start $((seconds * 4)) --rw=randwrite --bs=4k --size=4M --time_based \
	--runtime=$seconds --name=split --filename=/disk/split \
	--name=packed --filename=/disk/packed
check "$kills times, split and packed: a new daemon goes on where the killed one was" \
	kill_often split packed
check "all daemons are stopped and started" renew true
diag "$stages"
check "the module is unloaded and loaded between, and QEMU connects again" renew new_module
diag "$stages"
check "fio runs on" kill -0 "$fio"
check "fio verifies" fio_ends_well
check "split: each write was done once" once split
check "packed: each write was done once" once packed
held
check "the guest saw no error" no_guest_error
guest_stop
for name in split packed full; do
	check "$name: the daemon ends well" disk_stop "$name"
done
check "the module can be unloaded" rmmod vhost_doorbell
case_end
