# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Another front end than QEMU's: libblkio, a virtio driver in a process, whose memory
# is no guest's, and not in whole pages. qemu-img and qemu-io use it by QEMU's block
# driver virtio-blk-vhost-user; that asks for one queue.
# kernels: trixie
# timeout: 200
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

mib=$((1 << 20))

# The disk, as QEMU's programs name it
opts()
{
	echo "driver=virtio-blk-vhost-user,path=$CASE_DIR/blk.sock,cache.direct=on,discard=unmap"
}

# ends_well COMMAND ARG...
ends_well()
{
	local status=0

	timeout 100 "$@" </dev/null >"$CASE_DIR/out" 2>&1 || status=$?
	[ $status -eq 0 ] && return
	diag "$1 ended with $status" "$(tail -n 10 "$CASE_DIR/out")"
	return 1
}

# io COMMAND...: of qemu-io; one connection; a pattern that is not found is an error
io()
{
	local command args=()

	for command; do
		args+=(-c "$command")
	done
	ends_well qemu-io --image-opts "$(opts)" "${args[@]}"
}

# finds_no COMMAND: the disk was read, and has something else
finds_no()
{
	! io "$1" >/dev/null && grep -q 'Pattern verification failed' "$CASE_DIR/out"
}

bench()
{
	ends_well qemu-img bench "$@" --image-opts "$(opts)"
}

# holds BYTE MIB: what the host finds there
holds()
{
	dd if="$file" bs=1M iflag=direct skip="$2" count=1 status=none |
		LC_ALL=C tr -d "\\$(printf %03o "$1")" >"$CASE_DIR/rest" &&
		test ! -s "$CASE_DIR/rest"
}

# Of the file, in use
blocks()
{
	stat -c %b "$file"
}

prompts()
{
	[ "$(grep -o 'qemu-io> ' "$CASE_DIR/session" | wc -l)" -gt "$1" ]
}

# session COMMAND...: the same as io, and our counters before the end, since they
# are the connection's. A line that comes with another would wait for a third.
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

# of NAME: a counter of the last session
of()
{
	sed -n "s/^$1 //p" "$CASE_DIR/counters"
}

# A whole image there and back
copies()
{
	ends_well qemu-img convert -n -f raw --target-image-opts \
		"$CASE_DIR/image" "$(opts)" &&
		cmp -n $((16 * mib)) "$CASE_DIR/image" "$file" &&
		ends_well qemu-img convert --image-opts "$(opts)" -O raw \
			"$CASE_DIR/back" &&
		cmp -n $((16 * mib)) "$CASE_DIR/image" "$CASE_DIR/back"
}

# Every kind of request
kinds()
{
	check "$1: reads what it has written" io \
		'write -P 0x5a 1M 1M' 'read -P 0x5a 1M 1M' 'flush' \
		'write -P 0xa5 2560k 512k' 'read -P 0xa5 2560k 512k' \
		'writev -P 0x77 4M 64k 4k 960k' 'readv -P 0x77 4M 1M'
	check "$1: the host finds it" holds 0x5a 1
	check "$1: and what came in pieces" holds 0x77 4
	check "$1: another connection reads it" io 'read -P 0x5a 1M 1M' \
		'read -P 0xa5 2560k 512k'
	check "$1: which notices what is not there" finds_no 'read -P 0x5b 1M 1M'
	check "$1: zeroes are written" io 'write -z 1M 1M' 'read -P 0 1M 1M'
	check "$1: the host finds zeroes" holds 0 1
	check "$1: many at once" io \
		'aio_write -P 17 8M 1M' 'aio_write -P 18 9M 1M' \
		'aio_write -P 19 10M 1M' 'aio_write -P 20 11M 1M' 'aio_flush' \
		'read -P 17 8M 1M' 'read -P 20 11M 1M'
	check "$1: the host finds them" holds 19 10
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
	check "block device, $mode: a whole image there and back" copies
	check "block device, $mode: qemu-img bench writes" \
		bench -w --pattern=0x33 -c 2000 -d 16 -s 4096 --flush-interval=100
	check "block device, $mode: as the host finds" holds 0x33 3
	check "block device, $mode: qemu-img bench reads" \
		bench -c 2000 -d 16 -s 4096
	check "block device, $mode: in large pieces" \
		bench -c 60 -d 4 -s 1M
	check "block device, $mode: the daemon ends well" disk_stop blk
done

truncate -s 64M "$CASE_DIR/file"
file=$CASE_DIR/file
disk_start blk "$file" --queues=2
kinds 'a file'
check "a file: a whole image there and back" copies
check "a file: is written, for discarding" io 'write -P 1 32M 8M' flush
before=$(blocks)
check "a file: discards" io 'discard 32M 4M' 'read -P 0 32M 4M' \
	'read -P 1 36M 4M'
check "a file: the blocks are given back" test "$(blocks)" -le $((before - 8192))
check "a file: zeroes that may be discarded" io 'write -z -u 36M 4M' \
	'read -P 0 36M 4M'
check "a file: the blocks of those, too" test "$(blocks)" -le $((before - 16384))

check "every kind of request by one connection" session 'write -P 9 1M 1M' \
	'read -P 9 1M 1M' 'flush' 'discard 2M 1M' 'write -z 3M 1M'
diag "$(grep -E '^(features|memory|queue0):' "$CASE_DIR/fdinfo")"
check "it was our module that served it" \
	test "$(of bytes_written)" = $mib -a "$(of bytes_read)" = $mib
check "no request failed" test "$(of errors)" = 0 -a "$(of requests)" -ge 5
check "and its ring is sound" test "$(of broken)" = 0
check "the daemon ends well" disk_stop blk
case_end
