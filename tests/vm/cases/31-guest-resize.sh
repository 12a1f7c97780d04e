# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest's disks become larger and smaller under load: a block device, which the
# kernel announces, and a file, of which doorbellctl tells.
# kernels: trixie
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

mib=$((1024 * 1024))

# In MiB, as the guest sees it. Asked often.
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

# writes NAME FILE MIB: what the guest writes there is found in the file
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
# Nobody is connected: the size is read when somebody is.
kill -HUP "${disk_pid[file]}"
truncate -s 65M "$CASE_DIR/files/file"
disk_attach loop num-queues=1
disk_attach file num-queues=1
guest_start "${disks[@]}"
ok "the guest is up after $SECONDS s"
check "a disk has the size it had when the guest came" size_is file 65
check "another" size_is loop 64

disk_links
# shellcheck disable=SC2016 # the guest's
guest_run 'fio --rw=randwrite --bs=4k --size=16M --direct=1 --ioengine=libaio \
		--iodepth=8 --time_based --runtime=600 --thread --eta=never \
		--name=loop --filename=/disk/loop --name=file --filename=/disk/file \
		>/tmp/fio 2>&1 </dev/null &
	echo $! >/tmp/pid'

truncate -s 96M "$CASE_DIR/files/loop"
losetup -c "$loop"
check "a block device grows: the guest sees it" wait_for 30 size_is loop 96
check "and writes what is new" writes loop "$CASE_DIR/files/loop" 95

truncate -s 128M "$CASE_DIR/files/file"
check "a file grows: the guest is not told" size_is file 65
check "doorbellctl resize" doorbellctl resize "$(id_of file)"
check "now it sees it" wait_for 30 size_is file 128
check "and writes what is new there" writes file "$CASE_DIR/files/file" 127
check "doorbellctl shows it" test "$(doorbellctl show --json "$(id_of file)" |
	sed -n 's/.*"capacity[a-z_]*": *\([0-9]*\).*/\1/p')" = $((128 * mib / 512))

truncate -s 32M "$CASE_DIR/files/file"
check "all of them are asked" doorbellctl resize
check "a smaller one is seen as well" wait_for 30 size_is file 32
check "the other has not changed" size_is loop 96
check_fails "there is no device 4711" doorbellctl resize 4711
check "a daemon lives on" kill -0 "${disk_pid[file]}"

# shellcheck disable=SC2016 # the guest's
check "the load was not disturbed" guest_run -t 60 'kill -INT $(cat /tmp/pid)
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
