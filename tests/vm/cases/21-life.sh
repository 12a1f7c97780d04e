# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The back end and the driver are killed at any time. No acknowledged write may
# be lost, the next driver must be served, and the module must unload at once.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

kills=10
[ "${EVERYWHERE:-0}" -eq 1 ] || kills=4

nullb nullb0 irqmode=2 completion_nsec=500000

# Sleeps for a random time below a second
nap()
{
	sleep "0.$((RANDOM % 5 + 1))"
}

# load ARG...: start a driver in the background; set $driver
load()
{
	doorbell-bench emulate --socket "$sock" --queues 2 --depth 16 \
		--size 4M --seconds 1000 "$@" >"$CASE_DIR/load.log" 2>&1 &
	driver=$!
}

load_kill()
{
	# The driver may have ended together with the daemon.
	kill -KILL "$driver" 2>/dev/null || :
	wait "$driver" 2>/dev/null || :
}

# Do requests complete on both queues?
flows()
{
	local i requests

	for i in 0 1; do
		requests=$(counter $i completed)
		[ "${requests:-0}" -gt 20 ] || return
	done
}

# killed_daemon MODE: kill the daemon $kills times under load; the data must not
# change
killed_daemon()
{
	local i emulator status=0

	daemon_start --blk-file="$disk" --mode="$1"
	doorbell-bench emulate --socket "$sock" --rw randrw --verify \
		--queues 2 --depth 16 --bs 8k --size 1M --seconds 1000 \
		--expect-disconnect --reconnect $((20 * factor)) \
		>"$CASE_DIR/emulate.log" 2>&1 &
	emulator=$!
	for ((i = 0; i < kills; i++)); do
		# Kill it only after the front end has set it up: other moments
		# are not tested here.
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
	check "$mode: the daemon is killed $kills times, nothing is lost" killed_daemon $mode
done

module_gone()
{
	rmmod vhost_doorbell 2>/dev/null
}

# killed WHO [ARG...]: kill daemon, driver or both; then the module must unload
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
		check "$mode: the module can be unloaded after a kill of $who" \
			killed $who
		module_load
		daemon_start --blk-file="$disk" --mode=$mode
		check "$mode, packed rings: the module can be unloaded after a kill of $who" \
			killed $who --packed
	done
done

# Threads that ring have task work pending while the daemon is killed.
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
check "the module can be unloaded after threads rang" module_under_noise

module_load
daemon_start --blk-file="$disk" --mode=inline
# The next driver may use the other format of rings.
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
check "the daemon ends under load with packed rings" daemon_stop
load_kill
check_fails "a driver does not continue a killed daemon's packed rings" \
	doorbell-bench emulate --socket "$sock" --packed --reconnect 5
case_end
