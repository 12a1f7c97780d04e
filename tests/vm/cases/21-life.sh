# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Back end and driver are killed at any time: nothing acknowledged is lost, the
# next ones are served, and the module can go at once.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

nullb nullb0 irqmode=2 completion_nsec=500000

# A while, another one each time
nap()
{
	sleep "0.$((RANDOM % 5 + 1))"
}

# load ARG...: in the background; sets $driver
load()
{
	doorbell-bench emulate --socket "$sock" --queues 2 --depth 16 \
		--size 4M --seconds 1000 "$@" >"$CASE_DIR/load.log" 2>&1 &
	driver=$!
}

load_kill()
{
	# It may have ended, as the daemon did.
	kill -KILL "$driver" 2>/dev/null || :
	wait "$driver" 2>/dev/null || :
}

# Both queues are set up, and not only that.
flows()
{
	local i requests

	for i in 0 1; do
		requests=$(counter $i completed)
		[ "${requests:-0}" -gt 20 ] || return
	done
}

# killed_daemon MODE: ten times under load, whose data must not change
killed_daemon()
{
	local i emulator status=0

	daemon_start --blk-file="$disk" --mode="$1"
	doorbell-bench emulate --socket "$sock" --rw randrw --verify \
		--queues 2 --depth 16 --bs 8k --size 1M --seconds 1000 \
		--expect-disconnect --reconnect $((20 * factor)) \
		>"$CASE_DIR/emulate.log" 2>&1 &
	emulator=$!
	for ((i = 0; i < 10; i++)); do
		# One that goes while they still talk is not what is tested.
		wait_for $((20 * factor)) flows || break
		nap
		daemon_kill
		daemon_start --blk-file="$disk" --mode="$1"
	done
	wait_for $((20 * factor)) flows || status=1
	kill $emulator
	wait $emulator || status=1
	[ $status -eq 0 ] || diag "$i kills" "$(cat "$CASE_DIR/emulate.log")"
	daemon_stop || status=1
	return $status
}

module_load
for mode in inline worker auto poll; do
	check "$mode: the daemon is killed ten times, nothing is lost" killed_daemon $mode
done

module_gone()
{
	rmmod vhost_doorbell 2>/dev/null
}

# killed WHO [ARG...]: then the module must go, and all begin anew
killed()
{
	load --rw randrw --noise 2 "${@:2}" || return
	sleep "1.$((RANDOM % 9))"
	case $1 in
	daemon) daemon_kill && load_kill ;;
	driver) load_kill && daemon_kill ;;
	both)
		kill -KILL "$driver" "$daemon"
		wait "$driver" "$daemon" 2>/dev/null || :
		rm -f "$sock"
		;;
	esac
	wait_for $((10 * factor)) module_gone
}

for mode in inline worker poll; do
	for who in daemon driver both; do
		module_load
		daemon_start --blk-file="$disk" --mode=$mode
		check "$mode: the module goes when killed: $who" killed $who
		module_load
		daemon_start --blk-file="$disk" --mode=$mode
		check "$mode, packed rings: the module goes when killed: $who" \
			killed $who --packed
	done
done

# The bell is rung from threads that have task work to do, while all goes.
module_under_noise()
{
	local i

	for ((i = 0; i < 5; i++)); do
		module_load
		daemon_start --blk-file="$disk" --mode=inline
		load --noise 8 --rw randread
		sleep "0.$((RANDOM % 5 + 4))"
		daemon_kill
		wait_for $((10 * factor)) module_gone || return
		load_kill
	done
}
check "the module goes while threads ring" module_under_noise

module_load
daemon_start --blk-file="$disk" --mode=inline
# The next one may have rings of the other kind.
for i in 1 2 3 4; do
	rings=(--packed)
	load --rw randrw "${rings[@]:$((i & 1))}"
	nap
	load_kill
	check "the next driver is served after a killed one ($i)" \
		emulate --rw randrw --verify --queues 2 --count 100 --size 4M \
		"${rings[@]:$((i / 2 & 1))}"
done
check "the daemon ends under load" daemon_stop
daemon_start --blk-file="$disk" --mode=worker
load --rw randrw --packed
check "packed rings under load" wait_for $((20 * factor)) flows
check "their daemon ends under load" daemon_stop
load_kill
check_fails "a killed daemon's packed rings are not gone on with" \
	doorbell-bench emulate --socket "$sock" --packed --reconnect 5
case_end
