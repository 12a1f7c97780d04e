# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Live migration: what a disk writes into guest memory while it is copied arrives.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/migrate.sh"

mib=$((1 << 20))

synced_twice()
{
	[ "$(migrate_field dirty-sync-count)" -ge 2 ]
}

# The bitmap that QEMU shares, as a file
log_of_vmm()
{
	find "/proc/${vmm_pid[src]}/fd" -lname '*vhost-log*' | head -n 1
}

# The disk is in use.
refused()
{
	! timeout 20 vhost-doorbell-blk --socket-path="$CASE_DIR/refused.sock" \
		--blk-file="$disk" >"$CASE_DIR/refused" 2>&1 &&
		grep -q 'in use' "$CASE_DIR/refused"
}

# move LOSE: data that the disk writes into the guest's page cache after memory was
# copied once. Prints the sum that the guest has at the destination.
move()
{
	local loser=

	disks=()
	disk_start from "$disk" --serial=data
	disk_attach from
	# Else the guest's kernel itself writes each page first, which KVM logs.
	GUEST=src GUEST_APPEND=init_on_alloc=0 guest_start "${disks[@]}"
	disks=()
	check "$1: another daemon may not have the disk" refused
	disk_start to "$disk" --serial=data --incoming
	disk_attach to
	GUEST=dst guest_incoming "${disks[@]}"
	export GUEST=src
	# It goes on for as long as we want: the guest dirties memory all the time.
	guest_run 'while :; do cat /bin/fio >/tmp/dirty; done >/dev/null 2>&1 &'
	migrate_downtime 1 $((8 * mib))
	migrate_start dst
	wait_for 120 synced_twice || vmm_qmp query-migrate
	if [ "$1" = lose ]; then
		test-lose_log "$(log_of_vmm)" &
		loser=$!
	fi
	# The page cache lasts while the disk is open.
	guest_run 'sleep 1000 </dev/vda >/dev/null 2>&1 &'
	guest_run -t 60 'cat /dev/vda >/dev/null' || {
		diag "$(vmm_qmp query-migrate; vmm_qmp query-status)"
		diag "$(tail -n 20 "$CASE_DIR"/{from,to}.log "$CASE_DIR"/{src,dst}/qemu.log)"
		diag "$(cat "/proc/${disk_pid[from]}/fdinfo/"* | grep -E '^(queue.*running|vhost-d|state)')"
		exit 1
	}
	read=$(disk_sum from bytes_read)
	migrate_downtime 5000
	check "$1: it completes" migrate_wait
	if [ -n "$loser" ]; then
		kill "$loser"
		wait "$loser" 2>/dev/null || :
	fi
	diag "$(vmm_qmp query-migrate | tr ',' '\n' | grep -E 'total-time|downtime|dirty-sync' | xargs)"
	GUEST=dst
	sum=$(guest_run -t 60 'md5sum </dev/vda')
	again=$(disk_sum to bytes_read)
	diag "sum: $sum; read again: $again"
}

module_load
nullb data size=24 irqmode=2 completion_nsec=100000
head -c $((24 * mib)) /dev/urandom >"$disk"
sync
want=$(md5sum <"$disk")
move keep
check "the guest has what the disk wrote, from its page cache" \
	test "$sum" = "$want" -a "$again" -lt $((mib))
check "all of it came before" test "$read" -ge $((24 * mib))
check "the destination serves" guest_run 'dd if=/dev/vda of=/dev/null bs=4k count=100 iflag=direct'
check "it does" test "$(disk_sum to requests)" -ge 100
check "the source's daemon has given the disk up" test "$(
	find "/proc/${disk_pid[from]}/fd" -lname "$disk" -printf x)" = x
check "a third may still not have it" refused
GUEST=dst
guest_stop
GUEST=src
vmm_kill
disk_stop from
disk_stop to
move lose
check "a log that is lost is seen" test "$sum" != "$want"
case_end
