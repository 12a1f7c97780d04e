# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
# Linux guests ring bells by the doorbell register of QEMU's ivshmem-doorbell
# device. Each ring is counted while QEMU sleeps. Also: rings by QEMU for
# comparison, several guests at once, clients that misbehave, and a guest and a
# server that are killed.
# kernels: trixie
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

vectors=4
# The expected counters of the server 'hook', by vector
want=(0 0 0 0)
calls_event=/sys/kernel/tracing/events/raw_syscalls/sys_enter
declare -A server_pid bell_fds

# server_start NAME ARG...: serve on $CASE_DIR/NAME.sock
server_start()
{
	local name=$1

	shift
	doorbellctl bell --ivshmem-socket "$CASE_DIR/$name.sock" \
		--vectors $vectors "$@" \
		>"$CASE_DIR/$name.out" 2>"$CASE_DIR/$name.log" &
	server_pid[$name]=$!
	if ! wait_for 20 test -s "$CASE_DIR/$name.out"; then
		cat "$CASE_DIR/$name.log"
		exit 1
	fi
	bell_fds[$name]=$(find_bells "/proc/${server_pid[$name]}/fd")
}

# Prints the descriptors of a process's bells. Bells are made in the order of
# vectors.
find_bells()
{
	find "$1" -lname '*vhost-doorbell-bell*' -printf '%f\n' | sort -n |
		tr '\n' ' '
}

server_stop()
{
	local status=0

	kill "-${2:-TERM}" "${server_pid[$1]}"
	wait "${server_pid[$1]}" || status=$?
	return $status
}

# bell NAME VECTOR KEY: print a value from fdinfo. Called often, so it starts no
# process.
bell()
{
	local fds text line=$'\n'$3$':\t([^\n]*)'

	read -ra fds <<<"${bell_fds[$1]}"
	IFS= read -r -d '' text \
		<"/proc/${server_pid[$1]}/fdinfo/${fds[$2]}" || :
	[[ $text =~ $line ]] && echo "${BASH_REMATCH[1]}"
}

# counts NAME: print the counters of all vectors
counts()
{
	local v list=()

	for ((v = 0; v < vectors; v++)); do
		list+=("$(bell "$1" $v count)")
	done
	echo "${list[*]}"
}

# counted [NAME COUNTS]: wait until the counters have these values; default:
# $want of 'hook'
counted()
{
	local end=$((SECONDS + 20)) name=${1:-hook} counts=${2:-${want[*]}}

	until [ "$(counts "$name")" = "$counts" ]; do
		if [ $SECONDS -ge $end ]; then
			diag "$name: $(counts "$name"), not $counts"
			return 1
		fi
		sleep 0.2
	done
}

# reached NAME VECTOR COUNT: has the counter this value or more?
reached()
{
	[ "$(bell "$1" "$2" count)" -ge "$3" ]
}

# If the counter is not reached the case cannot go on.
must_reach()
{
	wait_for 120 reached "$@" && return
	diag "$1: $(counts "$1"), vector $2 does not reach $3" "$(qemu_said)"
	return 1
}

# options NAME: print QEMU's options that the server printed as text or in JSON
options()
{
	sed -n 's/^  \(-[a-z]*\) \([^ ]*\).*/\1\n\2/p' "$CASE_DIR/$1.out"
	sed -n 's/.*"qemu": \[\(.*\)\].*/\1/p' "$CASE_DIR/$1.out" |
		grep -o '"[^"]*"' | tr -d '"'
}

# device NAME SLOT [PROPERTIES]: append a device of the server NAME to 'devices'
device()
{
	local option

	while read -r option; do
		case $option in
		socket,*) option=${option/id=bell/id=$1-$2} ;;
		ivshmem-doorbell,*)
			option=${option/chardev=bell/chardev=$1-$2},addr=$2
			option+=${3:+,$3}
			;;
		esac
		devices+=("$option")
	done < <(options "$1")
}

# ring SLOT VALUE N: have the guest ring; set $ns to the time per write
ring()
{
	local said

	said=$(guest_run -t 120 "ivshmem $1 ring $2 $3") || :
	if [[ ! $said =~ ^$3" "([0-9]+)$ ]]; then
		diag "ring $*: '$said'" "$(qemu_said)"
		return 1
	fi
	ns=${BASH_REMATCH[1]}
}

# ring_hook SLOT VECTOR N: ring bells of 'hook', and expect them to count
ring_hook()
{
	want[$2]=$((want[$2] + $3))
	ring "$@"
}

# ring_start SLOT VALUE: ring in the background until ring_stop
ring_start()
{
	guest_run "ivshmem $1 ring $2 0 >/tmp/ring 2>&1 </dev/null &
		echo \$! >/tmp/pid"
}

# ring_stop VECTOR: stop it, and expect all its writes to be counted
ring_stop()
{
	local rung

	# shellcheck disable=SC2016 # the guest's
	rung=$(guest_run 'kill $(cat /tmp/pid)
		while ! [ -s /tmp/ring ]; do usleep 100000; done
		cat /tmp/ring; rm /tmp/ring') || :
	[[ $rung =~ ^[0-9]+" "[0-9]+$ ]] || diag "ring_stop: '$rung'" "$(qemu_said)"
	want[$1]=$((want[$1] + ${rung% *}))
	diag "${rung% *} writes to vector $1"
}

qemu_said()
{
	tail -n +2 "$CASE_DIR/${GUEST:-guest}/qemu.log" | head -n 3
}

mmio_exits()
{
	cat /sys/kernel/debug/kvm/"${vmm_pid[guest]}"-*/mmio_exits
}

# calls_start: start counting the system calls of QEMU's threads
calls_start()
{
	local tid filter=''

	for tid in "/proc/${vmm_pid[guest]}/task/"*; do
		filter+="${filter:+ || }common_pid == ${tid##*/}"
	done
	calls_hist="hist:keys=common_pid if $filter"
	echo "$calls_hist" >$calls_event/trigger
}

calls_stop()
{
	echo "!$calls_hist" >$calls_event/trigger
}

# Prints QEMU's cost so far: exits to it, system calls, sleeps
cost()
{
	mmio_exits
	sed -n 's/.* hitcount: *\([0-9]*\).*/\1/p' $calls_event/hist |
		awk '{ n += $1 } END { print n + 0 }'
	disk_sleeps "${vmm_pid[guest]}"
}

# measure SLOT VECTOR: measure QEMU's cost while the guest rings; set $exits,
# $calls and $sleeps, per 1000 writes. The guest is idle otherwise.
measure()
{
	local before after start n

	start=$(bell hook "$2" count)
	ring_start "$1" "$2"
	must_reach hook "$2" $((start + 1000))
	# Count the writes within the measured time, so the result is an upper
	# bound.
	mapfile -t before < <(cost)
	start=$(bell hook "$2" count)
	must_reach hook "$2" $((start + 20000))
	n=$(($(bell hook "$2" count) - start))
	mapfile -t after < <(cost)
	ring_stop "$2"
	exits=$(((after[0] - before[0]) * 1000 / n))
	calls=$(((after[1] - before[1]) * 1000 / n))
	sleeps=$(((after[2] - before[2]) * 1000 / n))
	diag "slot $1, per 1000 of $n writes: $exits MMIO exits to QEMU," \
		"$calls system calls, $sleeps sleeps"
}

compare_paths()
{
	calls_start
	measure 10 2
	check "ioeventfd: no write reaches QEMU" test "$exits" -lt 10
	check "ioeventfd: QEMU makes no system calls" test "$calls" -lt 50
	check "ioeventfd: QEMU sleeps" test "$sleeps" -lt 50
	check "ioeventfd: all writes are counted" counted
	measure 11 2
	calls_stop
	check "without ioeventfd: every write reaches QEMU" test "$exits" -ge 1000
	check "without ioeventfd: QEMU makes two system calls for each write" \
		test "$calls" -ge 2000
	check "without ioeventfd: all writes are counted" counted
}

# The number of exits to QEMU is compared; times are only printed.
count_exits()
{
	local before fast

	before=$(mmio_exits)
	ring_hook 10 1 6000
	fast=$ns
	check "6000 writes are counted exactly" counted
	check "none of these writes left the kernel" \
		test $(($(mmio_exits) - before)) -lt 50
	before=$(mmio_exits)
	ring_hook 11 1 6000
	check "6000 writes without ioeventfd are counted exactly" counted
	before=$(($(mmio_exits) - before))
	check "all of these writes left the kernel" test "$before" -ge 6000
	diag "a write takes $fast ns, without ioeventfd $ns ns"
}

all_vectors()
{
	local v

	for v in 0 1 2 3; do
		ring_hook 10 $v $((10 + v))
	done
	check "each vector rings its bell" counted
	# Writes for vectors and peers that do not exist exit to QEMU, which
	# drops them.
	ring 10 9 3
	ring 10 $((7 << 16)) 3
	ring 11 $(((7 << 16) + vectors)) 3
	check "writes for unknown vectors and peers ring no bell" counted
	for v in worker inline; do
		ring "${slot[$v]}" 3 3000
		check "mode $v: 3000 writes are counted exactly" \
			counted $v "0 0 0 3000"
		diag "$v: $ns ns per write, $(bell $v 3 times)"
	done
}

# The server must not wake up at all.
server_sleeps()
{
	local before

	before=$(disk_sleeps "${server_pid[hook]}")
	ring_hook 10 0 3000
	check "a server without --watch sleeps while bells ring" \
		test "$(disk_sleeps "${server_pid[hook]}")" = "$before"
	# A watching server wakes up a second after its last line.
	sleep 1.5
	before=$(disk_sleeps "${server_pid[worker]}")
	sleep 3
	check "a server with --watch sleeps while no bell rings" \
		test "$(disk_sleeps "${server_pid[worker]}")" = "$before"
}

watch_lines()
{
	grep -c '"vector": 1,' "$CASE_DIR/inline.out" || :
}

watches()
{
	local start=$SECONDS lines

	ring "${slot[inline]}" 1 40000
	lines=$(watch_lines)
	diag "$lines lines in $((SECONDS - start)) s"
	check "a server with --watch prints at most one line a second" \
		test "$lines" -ge 1 -a "$lines" -le $((SECONDS - start + 2))
	sleep 1.5
	check "the last line has the last count" test "$(tail -n 1 \
		"$CASE_DIR/inline.out" | grep -c '"vector": 1, .*"count": 40000,')" = 1
}

lists()
{
	local pid=${server_pid[hook]}

	check "doorbellctl lists the bells of the server" test \
		"$(doorbellctl bell | awk -v pid="$pid" '
			$2 == pid { printf "%s,%s,%s ", $4, $5, $6 }')" = \
		"$(printf 'hook,1,%s ' "${want[@]}")"
	check "doorbellctl --json lists the bells of the server" \
		test "$(doorbellctl bell --json |
		grep -c "^ *\"pid\": $pid,\$")" = $((vectors * 2))
	check "doorbellctl list does not list bells as devices" \
		test "$(doorbellctl list | wc -l)" = 1
}

# Both guests ring the same bell, and each one a bell of its own.
two_guests()
{
	local ids

	ids=$(guest_run 'ivshmem 10 id; ivshmem 11 id')
	ids+=" $(GUEST=second guest_run 'ivshmem 10 id')"
	check "IDs are all different, and not the host's: ${ids//$'\n'/ }" test \
		"$(tr ' ' '\n' <<<"$ids" | grep -vx 0 | sort -u | wc -l)" = 3
	GUEST=second ring_start 10 0
	ring_hook 10 0 6000
	GUEST=second ring_stop 0
	check "two guests ring the same bell" counted
	GUEST=second ring_start 10 3
	ring_hook 11 1 2000
	GUEST=second ring_stop 3
	check "two guests ring different bells" counted
	ring 10 $(((${ids##* } << 16) + 1)) 100
	check "rings between guests ring no bell of the host" counted
}

crowd()
{
	ring_start 10 0
	tap test-ivshmem_crowd "$CASE_DIR/hook.sock" $vectors 120
	ring_stop 0
	check "the first guest's rings during the restart are counted" counted
	GUEST=second ring_hook 10 3 10
	check "the second guest's rings are counted" counted
}

kill_guest()
{
	GUEST=second ring_start 10 3
	check "the second guest rings until it is killed" \
		must_reach hook 3 $((want[3] + 5000))
	GUEST=second vmm_kill
	want[3]=$(bell hook 3 count)
	sleep 1
	check "the killed guest rings no more" counted
	ring_hook 10 2 100
	check "the first guest still rings" counted
	check "the server notices the killed guest" \
		grep -qx 'doorbellctl: client [0-9]* has gone' \
		"$CASE_DIR/hook.log"
}

kill_server()
{
	local status=0

	ring_start 10 0
	must_reach hook 0 $((want[0] + 1000))
	check "SIGTERM ends the server well, while a guest rings" \
		server_stop hook
	check "SIGTERM: the server removes its socket" test ! -e "$CASE_DIR/hook.sock"
	ring_stop 0
	check "the guest's rings without a server do no harm" ring 10 0 1000
	server_start hook
	check "a new server starts from zero" counted hook "0 0 0 0"
	server_stop hook KILL || status=$?
	check "SIGKILL ends a server and leaves its socket" \
		test $status = 137 -a -S "$CASE_DIR/hook.sock"
	server_start hook --shm-size 1048576
	check "a new server replaces the socket" counted hook "0 0 0 0"
	check_fails "a second server does not replace the socket of a running one" \
		doorbellctl bell \
		--ivshmem-socket "$CASE_DIR/hook.sock"
	guest_second
	GUEST=second ring 10 1 700
	check "a guest that comes back is counted exactly" \
		counted hook "0 700 0 0"
	check "the guest sees the size of the new server's memory" test 1048576 = \
		"$(GUEST=second guest_run \
		'stat -c %s /sys/bus/pci/devices/0000:00:10.0/resource2')"
	check "the first guest still runs" guest_run true
}

guest_second()
{
	devices=()
	device hook 10
	GUEST=second GUEST_MEM=128 guest_start "${devices[@]}"
}

[ -e /tmp/guest/vmlinux ] || skip_case "no guests under this kernel"
module_load
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
declare -A slot=([worker]=12 [inline]=13)
server_start hook
server_start worker --mode worker --watch
server_start inline --mode inline --watch --json
check "bells begin at zero" counted
guest_programs ivshmem
devices=()
device hook 10
device hook 11 ioeventfd=off
device worker 12
device inline 13
guest_start "${devices[@]}"
ok "the guest is up after $SECONDS s"
compare_paths
count_exits
all_vectors
server_sleeps
watches
lists
guest_second
two_guests
crowd
kill_guest
kill_server
GUEST=second vmm_kill
guest_stop
for name in hook worker inline; do
	check "$name: the server ends well" server_stop $name INT
done
check "the module can be unloaded" rmmod vhost_doorbell
case_end
