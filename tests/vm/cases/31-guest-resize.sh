# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest's disks grow and shrink under load: a block device, whose size the
# kernel announces, and a file, for which doorbellctl resize is called.
# kernels: trixie
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

mib=$((1024 * 1024))

# The size in MiB that the guest sees.
guest_size()
{
	# shellcheck disable=SC2016 # the guest's
	guest_run 'for d in /sys/block/vd*; do
		[ "$(cat $d/serial)" != '"$1"' ] || echo $(($(cat $d/size) / 2048))
	done'
}

size_is()
{
	[ "$(guest_size "$1")" = "$2" ]
}

id_of()
{
	doorbellctl list | awk -v pid="${disk_pid[$1]}" '$2 == pid { print $1 }'
}

# writes NAME FILE MIB: does the file have the data that the guest writes there?
writes()
{
	guest_run "dd if=/bin/fio of=/disk/$1 bs=1M count=1 seek=$3 \
		oflag=direct 2>/dev/null" &&
		guest_run "dd if=/bin/fio bs=1M count=1 2>/dev/null | md5sum" \
			>"$CASE_DIR/want" &&
		dd if="$2" bs=1M skip="$3" count=1 iflag=direct 2>/dev/null |
		md5sum | cmp - "$CASE_DIR/want"
}

module_load
modprobe loop max_loop=0
nullb_ext4 under 512 files
for name in loop file; do
	truncate -s 64M "$CASE_DIR/files/$name"
done
loop=$(losetup -f --show --direct-io=on "$CASE_DIR/files/loop")
disk_start loop "$loop" --serial=loop
disk_start file "$CASE_DIR/files/file" --serial=file --mode=inline
# No front end is connected yet; the size is read when one connects.
kill -HUP "${disk_pid[file]}"
truncate -s 65M "$CASE_DIR/files/file"
disk_attach loop num-queues=1
disk_attach file num-queues=1
guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
check "the guest sees the size of a file" size_is file 65
check "the guest sees the size of a block device" size_is loop 64

disk_links
# shellcheck disable=SC2016 # the guest's
guest_run 'fio --rw=randwrite --bs=4k --size=16M --direct=1 --ioengine=libaio \
		--iodepth=8 --time_based --runtime=600 --thread --eta=never \
		--name=loop --filename=/disk/loop --name=file --filename=/disk/file \
		>/tmp/fio 2>&1 </dev/null &
	echo $! >/tmp/pid'

truncate -s 96M "$CASE_DIR/files/loop"
losetup -c "$loop"
check "a block device grows: the guest sees it without a command" \
	wait_for 30 size_is loop 96
check "a block device grows: the guest writes to the new part" \
	writes loop "$CASE_DIR/files/loop" 95

truncate -s 128M "$CASE_DIR/files/file"
check "a file grows: the guest does not see it yet" size_is file 65
check "a file grows: doorbellctl resize" doorbellctl resize "$(id_of file)"
check "a file grows: the guest sees it then" wait_for 30 size_is file 128
check "a file grows: the guest writes to the new part" \
	writes file "$CASE_DIR/files/file" 127
check "a file grows: doorbellctl shows the new size" \
	test "$(doorbellctl show --json "$(id_of file)" |
	sed -n 's/.*"capacity[a-z_]*": *\([0-9]*\).*/\1/p')" = $((128 * mib / 512))

truncate -s 32M "$CASE_DIR/files/file"
check "a file shrinks: doorbellctl resize for all devices" doorbellctl resize
check "a file shrinks: the guest sees it" wait_for 30 size_is file 32
check "the size of the other disk has not changed" size_is loop 96
check_fails "doorbellctl resize of an unknown device fails" doorbellctl resize 4711
check "the daemon survives these resizes" kill -0 "${disk_pid[file]}"

# shellcheck disable=SC2016 # the guest's
check "the guest's load had no error" guest_run -t 60 'kill -INT $(cat /tmp/pid)
	while kill -0 $(cat /tmp/pid) 2>/dev/null; do usleep 100000; done
	cat /tmp/fio; grep -c "err= 0" /tmp/fio | grep -qx 2'
for name in loop file; do
	check "$name: no request failed" test "$(disk_sum $name errors)" = 0
done
guest_stop
for name in loop file; do
	check "$name: the daemon ends well" disk_stop $name
done
losetup -d "$loop"
umount "$CASE_DIR/files"
case_end
