# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# migrate.sh: move a guest from one QEMU to another in L1
#
#   guest_incoming ARG...	start QEMU for a guest that guest_start ARG... started
#				under another name; it waits for that guest
#   migrate_able CAPABILITY...	turn these on in $GUEST's QEMU; a destination must do
#				so before migrate_start
#   migrate_unable CAPABILITY...	turn these off
#   migrate_start TO [URI]	the guest that $GUEST names begins to move to that of TO
#   migrate_status		print 'active', 'completed', ...
#   migrate_field NAME		a number of QEMU's: dirty-sync-count, total-time, downtime
#   migrate_wait [SECONDS]	wait until the migration completes; fails if it does not
#   migrate_ends HOW [SECONDS]	wait until it has ended; is it 'failed', 'cancelled' ...?
#   migrate_downtime MS [BYTES]	how long the guest may stand still, and how many bytes to
#				copy each second. With 1 ms, QEMU copies on and on while
#				the guest writes memory; with 0 ms, only once
#
#   verify_start [MIB]	fio in the guest writes that much of /dev/vda and verifies it, again
#			and again, and goes on where the guest moves to
#   verify_goes_on	has it done two more rounds, without an error?
#   verify_end		end it; fails if it found an error
. "$VM_DIR/rounds.sh"

guest_incoming()
{
	vmm_start -kernel /tmp/guest/vmlinux \
		-initrd "${guest_initrd:-$guest_base}" -incoming defer "$@"
}

# migrate_capabilities true|false CAPABILITY...
migrate_capabilities()
{
	local name list='' state=$1

	shift
	for name; do
		list+=",{\"capability\": \"$name\", \"state\": $state}"
	done
	vmm_qmp migrate-set-capabilities "{\"capabilities\": [${list#,}]}" >/dev/null
}

migrate_able()
{
	migrate_capabilities true "$@"
}

migrate_unable()
{
	migrate_capabilities false "$@"
}

migrate_downtime()
{
	vmm_qmp migrate-set-parameters \
		"{\"max-bandwidth\": ${2:-1073741824}, \"downtime-limit\": $1}" >/dev/null
}

migrate_start()
{
	local uri=${2:-unix:$CASE_DIR/$1.migrate}

	GUEST=$1 vmm_qmp migrate-incoming "{\"uri\": \"$uri\"}" >/dev/null
	vmm_qmp migrate "{\"uri\": \"$uri\"}" >/dev/null
}

migrate_status()
{
	vmm_qmp query-migrate | sed -n 's/.*"status": "\([a-z-]*\)".*/\1/p'
}

migrate_field()
{
	vmm_qmp query-migrate | grep -o "\"$1\": [0-9]*" | head -n 1 |
		sed 's/.* //'
}

migrate_ended()
{
	case $(migrate_status) in
	completed|failed|cancelled) ;;
	*) return 1 ;;
	esac
}

migrate_ends()
{
	wait_for "${2:-120}" migrate_ended || :
	[ "$(migrate_status)" = "$1" ] && return
	vmm_qmp query-migrate
	vmm_said
	return 1
}

migrate_wait()
{
	migrate_ends completed "${1:-120}"
}

verify_start()
{
	# Each round writes all blocks in an order of its own, and then verifies them.
	guest_run "cd /tmp; (
		while [ ! -e stop ]; do
			fio --name=v --filename=/dev/vda --rw=randwrite --bs=4k \
				--size=${1:-2}M --direct=1 --ioengine=libaio \
				--iodepth=8 --verify=crc32c --randrepeat=0 \
				--verify_fatal=1 >fio.out 2>&1 || { echo >bad; break; }
			echo >>rounds
		done; echo >ended) >/dev/null 2>&1 &"
}

verify_goes_on()
{
	rounds_go_on 'cat /tmp/fio.out; dmesg | tail -n 5'
}

verify_end()
{
	guest_run -t 60 "$rounds_stop; test ! -e /tmp/bad"
}
