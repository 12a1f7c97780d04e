# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A guest moves again and again, while fio verifies what it wrote: with one queue and
# four, split and packed, with QEMU's options; a migration that is cancelled, or fails,
# leaves the guest where it is.
# kernels: trixie
# timeout: 1800
# shellcheck disable=SC2016 # eval expands it
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/migrate.sh"

times=1
[ "${EVERYWHERE:-0}" -eq 0 ] || times=10
mib=$((1 << 20))

# side N [INCOMING]: the daemon and the options of the guest's Nth QEMU
side()
{
	disks=()
	disk_start "disk$1" "$disk" --serial=data ${2:+--incoming}
	disk_attach "disk$1" "num-queues=$queues,packed=$packed"
}

first()
{
	side 0
	GUEST=g0
	guest_start "${disks[@]}"
	n=0
	verify_start
}

# next CAPABILITY...: start the next QEMU
next()
{
	side $((n + 1)) incoming
	GUEST=g$((n + 1)) guest_incoming "${disks[@]}"
	if [ $# -gt 0 ]; then
		GUEST=g$((n + 1)) migrate_able "$@"
		migrate_able "$@"
	fi
}

# The guest is in the next QEMU; end the one before.
arrived()
{
	vmm_kill
	disk_stop "disk$n"
	n=$((n + 1))
	GUEST=g$n
}

# move WHAT CAPABILITY...
move()
{
	local what=$1

	shift
	next "$@"
	migrate_downtime 2000
	migrate_start "g$((n + 1))"
	check "$what: the guest moves" migrate_wait
	downtimes+=" $(migrate_field downtime)"
	arrived
	check "$what: fio goes on" verify_goes_on
}

last()
{
	check "$1: fio has verified all" verify_end
	check "$1: the last daemon has served it" \
		test "$(disk_sum "disk$n" requests)" -gt 100
	check "$1: all daemons logged no error" daemons_quiet
	guest_stop
	disk_stop "disk$n"
	diag "$1: $n moves, downtimes in ms:$downtimes"
	downtimes=
}

daemons_quiet()
{
	! grep -hvE 'front end (connected|has gone)|Give QEMU|^  -' \
		"$CASE_DIR"/disk*.log
}

moves()
{
	local what=$1 i

	shift
	for ((i = 0; i < times; i++)); do
		move "$what" "$@"
	done
}

# The source keeps the disk.
not_to_others()
{
	! timeout 20 vhost-doorbell-blk --socket-path="$CASE_DIR/refused.sock" \
		--blk-file="$disk" >"$CASE_DIR/refused" 2>&1 &&
		grep -q 'in use' "$CASE_DIR/refused"
}

module_load
nullb data size=16 irqmode=2 completion_nsec=100000
downtimes=

# interrupted WHAT HOW COMMAND...: a migration that does not get far ends as HOW after the
# command; the guest stays
interrupted()
{
	local what=$1 how=$2 i

	shift 2
	for ((i = 0; i < times; i++)); do
		next
		migrate_downtime 1 $((4 * mib))
		migrate_start "g$((n + 1))"
		wait_for 60 eval '[ "$(migrate_status)" = active ]'
		"$@"
		check "$what: QEMU says so" migrate_ends "$how"
		check "$what: fio goes on" verify_goes_on
		check "$what: the source keeps the disk" not_to_others
		GUEST=g$((n + 1)) vmm_kill
		disk_stop "disk$((n + 1))"
	done
}

cancel()
{
	vmm_qmp migrate_cancel >/dev/null
}

kill_destination()
{
	GUEST=g$((n + 1)) vmm_kill
}

# Postcopy needs a back end that knows PAGEFAULT. QEMU refuses it when it is switched on,
# or when the migration starts.
postcopy_fails()
{
	if ! GUEST=g$((n + 1)) migrate_able postcopy-ram || ! migrate_able postcopy-ram; then
		return 0
	fi
	migrate_downtime 1000
	migrate_start "g$((n + 1))"
	migrate_ends failed
}

# To a file, and back when the source has ended
saved()
{
	migrate_unable multifd auto-converge
	migrate_downtime 1000
	vmm_qmp migrate "{\"uri\": \"exec:cat >$CASE_DIR/saved\"}" >/dev/null
	check "saved: QEMU writes the guest to a file" migrate_wait
	vmm_kill
	disk_stop "disk$n"
	side $((n + 1))
	n=$((n + 1))
	GUEST=g$n
	guest_incoming "${disks[@]}"
	vmm_qmp migrate-incoming "{\"uri\": \"exec:cat $CASE_DIR/saved\"}" >/dev/null
	check "saved: and reads it" migrate_wait
	check "saved: fio goes on" verify_goes_on
}

queues=1 packed=off
first
moves 'one queue'
interrupted 'cancelled' cancelled cancel
interrupted 'the destination is killed' failed kill_destination
next
check "postcopy: it is refused" postcopy_fails
check "postcopy: fio goes on" verify_goes_on
check "postcopy: the source keeps the disk" not_to_others
GUEST=g$((n + 1)) vmm_kill
disk_stop "disk$((n + 1))"
last 'split, one queue'

if [ "${EVERYWHERE:-0}" -eq 1 ]; then
	queues=4 packed=off
	first
	moves 'four queues, auto-converge' auto-converge
	last 'split, four queues'
	queues=1 packed=on
	first
	moves 'one packed queue'
	last 'packed, one queue'
fi

queues=4 packed=on
first
moves 'four packed queues, multifd' multifd
# QEMU keeps a capability where the guest goes.
moves 'and auto-converge' multifd auto-converge
for ((saves = 0; saves < times; saves++)); do
	saved
done
last 'packed, four queues'
case_end
