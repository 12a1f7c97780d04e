# shellcheck shell=bash disable=SC2016 # eval expands it
# SPDX-License-Identifier: GPL-2.0
# Everything that can end or change at any moment does, at random, under load: the front
# end and the daemon are killed, stopped, or told to end, the disk is removed and comes back,
# changes its size, modes change, the module is asked to unload. Then a driver must be served,
# and read what it wrote. The program races does the same to the ioctls.
#
# CYCLES (100) is the number of cycles of both, SEED repeats a run's choices.
# timeout: 3600
# kernels: everywhere
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

cycles=${CYCLES:-100}
seed=${SEED:-$RANDOM}
RANDOM=$seed
diag "SEED=$seed"

# Stations: each has a disk, a daemon and a driver; all arrays are by station.
declare -A path daemon_of driver_of count
loaded=0
stations=(bdev file)
modes=(inline worker auto poll)

# any CHOICE...: set $any to one of them. A subshell has random numbers of its own, which
# SEED does not repeat.
any()
{
	any=${*:RANDOM % $# + 1:1}
}

# serve STATION: start a daemon
serve()
{
	local keep=()

	[ $((RANDOM % 4)) -gt 0 ] || keep=(--keep)
	any "${modes[@]}"
	rm -f "$CASE_DIR/$1.sock"
	vhost-doorbell-blk --socket-path="$CASE_DIR/$1.sock" --queues=2 --blk-file="${path[$1]}" \
		--features=flush=on --mode="$any" "${keep[@]}" >>"$CASE_DIR/$1.log" 2>&1 &
	daemon_of[$1]=$!
	wait_for $((20 * factor)) test -S "$CASE_DIR/$1.sock"
}

# drive STATION: start a driver, of any kind; it may lose its daemon and its disk
drive()
{
	local args=()

	if [ $((RANDOM % 3)) -eq 0 ]; then
		args=(--packed)
	else
		args=(--reconnect 30)
	fi
	case $((RANDOM % 6)) in
	0) args+=(--noise 1) ;;
	1) args+=(--punch 3) ;;
	2) args+=(--mem-slots --regions 5) ;;
	3) args+=(--flush-every 7) ;;
	4) args+=(--layout random --mixed-indirect --align 100 --bs 16k) ;;
	esac
	args+=(--depth $((1 << RANDOM % 6)) --seed $RANDOM)
	doorbell-bench emulate --socket "$CASE_DIR/$1.sock" --rw randrw --verify --queues 2 \
		--size 2M --seconds 10000 "${args[@]}" >>"$CASE_DIR/$1.driver" 2>&1 &
	driver_of[$1]=$!
}

# A zombie is gone, too.
gone()
{
	! kill -0 "$1" 2>/dev/null || grep -qs '^State:.Z' "/proc/$1/status"
}

# end SIGNAL PID...: and wait for them. Their parent or child may have ended first.
end()
{
	local signal=$1 pid

	shift
	kill "-$signal" "$@" 2>/dev/null || :
	for pid; do
		wait_for $((30 * factor)) gone "$pid" || return
		wait "$pid" 2>/dev/null || :
	done
}

# end_daemon SIGNAL STATION: with its worker, if it has one
end_daemon()
{
	local pids

	mapfile -t pids < <(pgrep -P "${daemon_of[$2]}")
	[ "$1" = KILL ] || pids=()
	end "$1" "${daemon_of[$2]}" "${pids[@]}"
}

# again STATION: start what does not run
again()
{
	if gone "${daemon_of[$1]}"; then
		serve "$1" || return
	fi
	! gone "${driver_of[$1]}" || drive "$1"
}

# resize_to SIZE STATION
resize_to()
{
	[ "$2" = file ] || return 0
	truncate -s "$1" "${path[$2]}" && kill -HUP "${daemon_of[$2]}" 2>/dev/null
}

# removed STATION: with all that is in flight
removed()
{
	[ "$1" = bdev ] || return 0
	echo 0 >/sys/kernel/config/nullb/bdev/power
	sleep "0.$((RANDOM % 3))"
	# A driver whose reads fail ends by itself, or goes on with errors.
	end KILL "${driver_of[$1]}" || return
	echo 1 >/sys/kernel/config/nullb/bdev/power
	# This daemon has only the old disk.
	any KILL TERM
	end_daemon "$any" "$1"
}

# under_load STATION: has its driver been served? The device is the daemon's or its worker's.
under_load()
{
	local daemon n

	for daemon in $(pgrep -P "${daemon_of[$1]}" || :) "${daemon_of[$1]}"; do
		n=$(counter 0 requests)
		[ "${n:-0}" -eq 0 ] || return 0
	done
	return 1
}

# event STATION: do one thing at random
event()
{
	any front front both daemon daemon term stop-cont mode mode resize unload remove front-term
	what=$any
	count[$what]=$((${count[$what]:-0} + 1))
	case $what in
	front) end KILL "${driver_of[$1]}" ;;
	front-term) end TERM "${driver_of[$1]}" ;;
	daemon) end_daemon KILL "$1" ;;
	both)
		kill -KILL "${driver_of[$1]}" 2>/dev/null || :
		end_daemon KILL "$1"
		;;
	term) end_daemon TERM "$1" ;;
	stop-cont)
		kill -STOP "${driver_of[$1]}" 2>/dev/null || :
		sleep 0.1
		kill -CONT "${driver_of[$1]}" 2>/dev/null || :
		;;
	mode)
		any "${modes[@]}"
		doorbellctl set --all mode="$any" >/dev/null 2>&1 || :
		;;
	resize) resize_to $((2 + RANDOM % 30))M "$1" ;;
	# The other station has a device, or is between two.
	unload) ! rmmod vhost_doorbell 2>/dev/null || module_load ;;
	remove) removed "$1" ;;
	esac
}

cycle()
{
	local station

	any "${stations[@]}"
	station=$any
	sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
	! under_load "$station" || loaded=$((loaded + 1))
	event "$station" || return
	again "$station"
}

# verified STATION: a new daemon and driver, from any state
verified()
{
	local status=0

	end KILL "${driver_of[$1]}" && end_daemon KILL "$1" || return
	serve "$1" || return
	sock=$CASE_DIR/$1.sock emulate --rw randrw --verify --queues 2 --depth 8 --size 2M \
		--count 200 || status=1
	drive "$1"
	return $status
}

# No block was ever wrong. A disk that went away fails requests.
none_wrong()
{
	local wrong

	wrong=$(grep -h 'of generation' "$CASE_DIR"/*.driver | head -n 5)
	diag "$wrong"
	[ -z "$wrong" ]
}

module_load
nullb bdev irqmode=2 completion_nsec=200000
path[bdev]=$disk
nullb_ext4 under 128 mnt
fallocate -l 16M "$CASE_DIR/mnt/file"
path[file]=$CASE_DIR/mnt/file

tap test-races "${path[bdev]}" "$cycles" "$seed"
tap test-races "${path[file]}" $((cycles / 2)) "$seed"

for station in "${stations[@]}"; do
	serve "$station"
	drive "$station"
done
for ((i = 1; i <= cycles; i++)); do
	cycle || break
	((i % 50 == 0)) || continue
	for station in "${stations[@]}"; do
		check "after $i cycles, $station: a driver reads what it wrote" verified "$station"
	done
done
check "$((i - 1)) cycles of processes" test $((i - 1)) -eq "$cycles"
check "$loaded of them under load" test $((2 * loaded)) -ge "$cycles"
[ "$i" -gt "$cycles" ] || diag "cycle $i: ${what:-none}" "$(tail -n 5 "$CASE_DIR"/*.log)"
for what in "${!count[@]}"; do
	diag "${count[$what]} times: $what"
done
for station in "${stations[@]}"; do
	check "at the end, $station: a driver reads what it wrote" verified "$station"
done
check "no block was wrong" none_wrong
for station in "${stations[@]}"; do
	end KILL "${driver_of[$station]}"
	check "the daemon ends well: $station" eval 'end_daemon TERM $station'
done
check "the file system's disk can be unmounted" wait_for 30 umount "$CASE_DIR/mnt"
case_end
