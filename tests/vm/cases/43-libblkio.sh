# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Another front end than QEMU: libblkio, a virtio driver in a process, whose memory
# is not a guest's and not a multiple of pages. qemu-img and qemu-io use it through
# QEMU's block driver virtio-blk-vhost-user, which asks for one queue.
# kernels: trixie
# timeout: 200
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

mib=$((1 << 20))

# The options of the disk for QEMU's programs
opts()
{
	echo "driver=virtio-blk-vhost-user,path=$CASE_DIR/blk.sock,cache.direct=on,discard=unmap"
}

# ends_well COMMAND ARG...: does it succeed?
ends_well()
{
	local status=0

	timeout 100 "$@" </dev/null >"$CASE_DIR/out" 2>&1 || status=$?
	[ $status -eq 0 ] && return
	diag "$1 ended with $status" "$(tail -n 10 "$CASE_DIR/out")"
	return 1
}

# io COMMAND...: run qemu-io on one connection; a wrong pattern is an error
io()
{
	local command args=()

	for command; do
		args+=(-c "$command")
	done
	ends_well qemu-io --image-opts "$(opts)" "${args[@]}"
}

# finds_no COMMAND: was other data found than this pattern?
finds_no()
{
	! io "$1" >/dev/null && grep -q 'Pattern verification failed' "$CASE_DIR/out"
}

bench()
{
	ends_well qemu-img bench "$@" --image-opts "$(opts)"
}

# holds BYTE MIB: does the host read this byte everywhere in that MiB?
holds()
{
	dd if="$file" bs=1M iflag=direct skip="$2" count=1 status=none |
		LC_ALL=C tr -d "\\$(printf %03o "$1")" >"$CASE_DIR/rest" &&
		test ! -s "$CASE_DIR/rest"
}

# Number of allocated blocks of the file
blocks()
{
	stat -c %b "$file"
}

prompts()
{
	[ "$(grep -o 'qemu-io> ' "$CASE_DIR/session" | wc -l)" -gt "$1" ]
}

# session COMMAND...: as io, and save our counters before the connection ends, as
# they end with it. Commands are sent one by one after a prompt: of two lines
# that arrive together the second would wait for a third.
session()
{
	local i pid status=0

	mkfifo "$CASE_DIR/commands"
	timeout 100 qemu-io --image-opts "$(opts)" \
		<"$CASE_DIR/commands" >"$CASE_DIR/session" 2>&1 &
	pid=$!
	exec {commands}>"$CASE_DIR/commands"
	for ((i = 1; i <= $#; i++)); do
		printf '%s\n' "${!i}" >&"$commands"
		wait_for 20 prompts "$i" || status=124
	done
	disk_fdinfo blk >"$CASE_DIR/fdinfo"
	disk_counters blk >"$CASE_DIR/counters"
	exec {commands}>&-
	wait "$pid" || status=$?
	rm "$CASE_DIR/commands"
	[ $status -eq 0 ] && return
	diag "qemu-io ended with $status" "$(tail -n 10 "$CASE_DIR/session")"
	return 1
}

# of NAME: print a counter of the last session
of()
{
	sed -n "s/^$1 //p" "$CASE_DIR/counters"
}

# Copy a whole image to the disk and back
copies()
{
	ends_well qemu-img convert -n -f raw --target-image-opts \
		"$CASE_DIR/image" "$(opts)" &&
		cmp -n $((16 * mib)) "$CASE_DIR/image" "$file" &&
		ends_well qemu-img convert --image-opts "$(opts)" -O raw \
			"$CASE_DIR/back" &&
		cmp -n $((16 * mib)) "$CASE_DIR/image" "$CASE_DIR/back"
}

# Check each kind of request
kinds()
{
	check "$1: a client reads the data that it wrote" io \
		'write -P 0x5a 1M 1M' 'read -P 0x5a 1M 1M' 'flush' \
		'write -P 0xa5 2560k 512k' 'read -P 0xa5 2560k 512k' \
		'writev -P 0x77 4M 64k 4k 960k' 'readv -P 0x77 4M 1M'
	check "$1: the host reads the data" holds 0x5a 1
	check "$1: the host reads data written in pieces" holds 0x77 4
	check "$1: another connection reads the data" io 'read -P 0x5a 1M 1M' \
		'read -P 0xa5 2560k 512k'
	check "$1: a read with a wrong pattern fails" finds_no 'read -P 0x5b 1M 1M'
	check "$1: write zeroes" io 'write -z 1M 1M' 'read -P 0 1M 1M'
	check "$1: the host reads zeroes" holds 0 1
	check "$1: many requests at the same time" io \
		'aio_write -P 17 8M 1M' 'aio_write -P 18 9M 1M' \
		'aio_write -P 19 10M 1M' 'aio_write -P 20 11M 1M' 'aio_flush' \
		'read -P 17 8M 1M' 'read -P 20 11M 1M'
	check "$1: the host reads their data" holds 19 10
}

said=$(qemu-io --image-opts "$(opts)" -c quit 2>&1 || :)
if [[ $said == *'nknown driver'* ]]; then
	skip_case "this QEMU has no driver virtio-blk-vhost-user"
fi

module_load
head -c $((16 * mib)) /dev/urandom >"$CASE_DIR/image"
nullb blkio irqmode=2 completion_nsec=50000 discard=1
file=$disk
for mode in worker inline; do
	disk_start blk "$file" --mode=$mode --queues=2
	kinds "block device, $mode"
	check "block device, $mode: copies of a whole image to the disk and back" copies
	check "block device, $mode: qemu-img bench writes" \
		bench -w --pattern=0x33 -c 2000 -d 16 -s 4096 --flush-interval=100
	check "block device, $mode: the host reads the data" holds 0x33 3
	check "block device, $mode: qemu-img bench reads" \
		bench -c 2000 -d 16 -s 4096
	check "block device, $mode: qemu-img bench reads large pieces" \
		bench -c 60 -d 4 -s 1M
	check "block device, $mode: the daemon ends well" disk_stop blk
done

truncate -s 64M "$CASE_DIR/file"
file=$CASE_DIR/file
disk_start blk "$file" --queues=2
kinds 'a file'
check "a file: copies of a whole image to the disk and back" copies
check "a file: data are written" io 'write -P 1 32M 8M' flush
before=$(blocks)
check "a file: discard" io 'discard 32M 4M' 'read -P 0 32M 4M' \
	'read -P 1 36M 4M'
check "a file: discarded blocks are freed" test "$(blocks)" -le $((before - 8192))
check "a file: write zeroes with unmap" io 'write -z -u 36M 4M' \
	'read -P 0 36M 4M'
check "a file: these blocks are freed, too" test "$(blocks)" -le $((before - 16384))

check "each kind of request in one connection" session 'write -P 9 1M 1M' \
	'read -P 9 1M 1M' 'flush' 'discard 2M 1M' 'write -z 3M 1M'
diag "$(grep -E '^(features|memory|queue0):' "$CASE_DIR/fdinfo")"
check "the module has counted these requests" \
	test "$(of bytes_written)" = $mib -a "$(of bytes_read)" = $mib
check "each kind of request: no request failed" \
	test "$(of errors)" = 0 -a "$(of requests)" -ge 5
check "each kind of request: the ring is not broken" test "$(of broken)" = 0
check "the daemon ends well" disk_stop blk
case_end
