# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Mistakes of front ends, with the release's QEMU: a second one on a socket in use,
# guest memory that is not shared, a disk that is resized while no guest runs. Also
# the daemon's log without a reader, and descriptors of files on FUSE. The guest is
# SeaBIOS, if the machine has one.
# kernels: trixie
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

# image NAME: make an empty disk of 1 MiB; print its path
image()
{
	truncate -s 1M "$CASE_DIR/$1.img"
	echo "$CASE_DIR/$1.img"
}

# says NAME PATTERN: has the daemon logged it?
says()
{
	grep -qE -- "$2" "$CASE_DIR/$1.log"
}

times()
{
	grep -cE -- "$2" "$CASE_DIR/$1.log" || :
}

# qemu NAME ARG...: exec QEMU with the disk and only these memory options
qemu()
{
	local name=$1

	shift
	disks=()
	disk_attach "$name" bootindex=0
	exec qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-no-reboot -machine q35,accel=kvm,smm=off,hpet=off -cpu host \
		"$@" "${disks[@]}" </dev/null >"$CASE_DIR/$name.qemu" 2>&1
}

# hint NAME PATTERN ARG...: with these options QEMU hangs or fails, and the daemon
# must log PATTERN, which says what to change
hint()
{
	local name=$1 pattern=$2 pid

	shift 2
	disk_start "$name" "$(image "$name")"
	qemu "$name" "$@" &
	pid=$!
	check "memory, $name: the daemon says what is wrong" \
		wait_for 60 says "$name" "$pattern"
	check "memory, $name: and what to change" says "$name" \
		'memory-backend-memfd.*share=on'
	diag "$(tail -n 2 "$CASE_DIR/$name.log")" \
		"$(tail -n 3 "$CASE_DIR/$name.qemu")"
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	check "memory, $name: the daemon ends well" disk_stop "$name"
}

memory()
{
	hint none 'queue 0: the ring is not in the memory' -m 64M
	hint ram 'queue 0: the ring is not in the memory' -m 64M \
		-object memory-backend-ram,id=ram,size=64M \
		-machine memory-backend=ram
	hint private 'queue 0: the (guest kicks|ring is not)' -m 64M \
		-object memory-backend-memfd,id=ram,size=64M,share=off \
		-machine memory-backend=ram
	# SeaBIOS puts its ring at the end of memory, so in the private half.
	hint numa 'queue 0: the ring is not in the memory' -m 64M \
		-object memory-backend-memfd,id=one,size=32M,share=on \
		-object memory-backend-ram,id=two,size=32M \
		-numa node,memdev=one -numa node,memdev=two
	nullb_ext4 front 128 ext4
	hint ext4 'ADD_MEM_REG: guest memory is a file on ext4, /.*/ext4/ram' \
		-m 64M -object "memory-backend-file,id=ram,size=64M,share=on,mem-path=$CASE_DIR/ext4/ram" \
		-machine memory-backend=ram
	umount "$CASE_DIR/ext4"
}

# is_error ANSWER: is it a QMP error?
is_error()
{
	[[ $1 == '{"error"'* ]]
}

goes_on()
{
	vmm_qmp query-status >/dev/null
}

# The disk twice in one machine, and in another one. QEMU must not hang.
second()
{
	local answer status=0

	disk_start second "$(image second)"
	disks=()
	disk_attach second id=first
	GUEST_MEM=64 vmm_start -S -device pcie-root-port,id=bay,chassis=1 \
		"${disks[@]}"
	vmm_qmp chardev-add "{\"id\": \"twice\", \"backend\": {\"type\": \"socket\",
		\"data\": {\"server\": false, \"addr\": {\"type\": \"unix\",
		\"data\": {\"path\": \"$CASE_DIR/second.sock\"}}}}}" >/dev/null
	answer=$(vmm_qmp device_add '{"driver": "vhost-user-blk-pci", "id": "twice",
		"chardev": "twice", "bus": "bay"}' || :)
	diag "$answer"
	check "a second device: QEMU refuses it" is_error "$answer"
	check "a second device: the machine goes on" goes_on
	timeout 60 qemu-system-x86_64 -nodefaults -display none -S \
		-machine q35,accel=kvm,memory-backend=ram -m 64M \
		-object memory-backend-memfd,id=ram,size=64M,share=on \
		"${disks[@]}" </dev/null >"$CASE_DIR/second.qemu" 2>&1 || status=$?
	diag "$(tail -n 1 "$CASE_DIR/second.qemu")"
	check "a second machine: QEMU says no, and ends" test $status = 1
	check "a second front end is refused, with one line of the log" \
		test "$(times second 'refused a second front end')" = 1
	vmm_qmp quit >/dev/null || :
	wait_for 20 vmm_gone || vmm_kill
	sock=$CASE_DIR/second.sock
	check "the next one is served" emulate --rw randrw --count 50
	check "the daemon ends well, second" disk_stop second
}

# QEMU drops the notice of a new size while no ring runs.
resize()
{
	local before

	disk_start resize "$(image resize)" --verbose
	disks=()
	disk_attach resize bootindex=0
	GUEST_MEM=64 vmm_start -S -machine graphics=on "${disks[@]}"
	before=$(times resize ' GET_CONFIG,')
	truncate -s 2M "$CASE_DIR/resize.img"
	kill -HUP "${disk_pid[resize]}"
	check "resize: the daemon has seen it" \
		wait_for 60 says resize 'the disk has another size'
	check "resize: QEMU is not told while the guest stands still" \
		test "$(times resize ' GET_CONFIG,')" = "$before"
	vmm_qmp cont >/dev/null
	check "resize: QEMU asks for the new size when a queue runs" \
		wait_for 60 asked_again "$before"
	vmm_qmp quit >/dev/null || :
	wait_for 20 vmm_gone || vmm_kill
	check "the daemon ends well, resize" disk_stop resize
}

asked_again()
{
	[ "$(times resize ' GET_CONFIG,')" -gt "$1" ]
}

# The reader of the log has gone, or standard error was never open. The disk must
# not be opened as descriptor 2 then.
logs()
{
	sock=$CASE_DIR/log.sock
	vhost-doorbell-blk --socket-path="$sock" --blk-file="$(image log)" \
		> >(head -c 1 >/dev/null) 2>&1 &
	daemon=$!
	wait_for 30 test -S "$sock"
	check "the reader of the log has gone: served" \
		emulate --rw randread --count 50
	check "the reader of the log has gone: served again" \
		emulate --rw randread --count 50
	check "the reader of the log has gone: the daemon ends well" daemon_stop

	vhost-doorbell-blk --socket-path="$sock" --blk-file="$(image log)" \
		--verbose >/dev/null 2>&- &
	daemon=$!
	wait_for 30 test -S "$sock"
	check "no log: served" emulate --rw randread --count 50
	check "no log: the daemon ends well" daemon_stop
	check "no log: nothing is written to the disk instead" \
		cmp -n $((1 << 20)) "$CASE_DIR/log.img" /dev/zero
}

fuse()
{
	modprobe fuse || :
	disk_start fuse "$(image fuse)"
	: >"$CASE_DIR/on-fuse"
	tap test-front_end "$CASE_DIR/fuse.sock" "$CASE_DIR/on-fuse"
	diag "$(tail -n 5 "$CASE_DIR/fuse.log")"
	check "FUSE: the daemon names the kind of file" says fuse \
		'ADD_MEM_REG: guest memory is a file on fuse'
	sock=$CASE_DIR/fuse.sock
	check "FUSE: a disk as before" emulate --rw randrw --count 50
	check "FUSE: the daemon ends well" disk_stop fuse
}

module_load
logs
fuse
if [ -w /dev/kvm ]; then
	second
	resize
	memory
else
	skip "QEMU" "no KVM in L1"
fi
case_end
