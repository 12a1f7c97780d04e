# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
# Linux guests ring bells by the doorbell register of QEMU's ivshmem-doorbell
# device: counted to the last one, while QEMU sleeps; by QEMU for comparison;
# more guests at once; an odd crowd on the socket; guest and server killed.
# kernels: trixie
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

vectors=4
# The counters of the server 'hook', by vector, as they should be
want=(0 0 0 0)
calls_event=/sys/kernel/tracing/events/raw_syscalls/sys_enter
declare -A server_pid bell_fds

# server_start NAME ARG...: on $CASE_DIR/NAME.sock
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

# By vector: the bells are made in that order.
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

# bell NAME VECTOR KEY: from fdinfo. Asked often: no process is started.
bell()
{
	local fds text line=$'\n'$3$':\t([^\n]*)'

	read -ra fds <<<"${bell_fds[$1]}"
	IFS= read -r -d '' text \
		<"/proc/${server_pid[$1]}/fdinfo/${fds[$2]}" || :
	[[ $text =~ $line ]] && echo "${BASH_REMATCH[1]}"
}

# counts NAME: of all vectors
counts()
{
	local v list=()

	for ((v = 0; v < vectors; v++)); do
		list+=("$(bell "$1" $v count)")
	done
	echo "${list[*]}"
}

# counted [NAME COUNTS]: they are that, or come to it soon; $want of 'hook'
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

# reached NAME VECTOR COUNT
reached()
{
	[ "$(bell "$1" "$2" count)" -ge "$3" ]
}

# Without that nothing more can be said.
must_reach()
{
	wait_for 120 reached "$@" && return
	diag "$1: $(counts "$1"), vector $2 does not reach $3" "$(qemu_said)"
	return 1
}

# options NAME: those for QEMU that the server named, in text or in JSON
options()
{
	sed -n 's/^  \(-[a-z]*\) \([^ ]*\).*/\1\n\2/p' "$CASE_DIR/$1.out"
	sed -n 's/.*"qemu": \[\(.*\)\].*/\1/p' "$CASE_DIR/$1.out" |
		grep -o '"[^"]*"' | tr -d '"'
}

# device NAME SLOT [PROPERTIES]: add a device of the server NAME to 'devices'
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

# ring SLOT VALUE N: from the guest; sets $ns to the time per write
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

# ring_hook SLOT VECTOR N: ring bells of 'hook', and expect them to be counted
ring_hook()
{
	want[$2]=$((want[$2] + $3))
	ring "$@"
}

# ring_start SLOT VALUE: the same, in the background, until it is stopped
ring_start()
{
	guest_run "ivshmem $1 ring $2 0 >/tmp/ring 2>&1 </dev/null &
		echo \$! >/tmp/pid"
}

# ring_stop VECTOR: end it, and expect all of its writes to be counted
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

# calls_start: count the system calls of QEMU's threads from here on
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

# What QEMU has done so far: exits to it, system calls, sleeps
cost()
{
	mmio_exits
	sed -n 's/.* hitcount: *\([0-9]*\).*/\1/p' $calls_event/hist |
		awk '{ n += $1 } END { print n + 0 }'
	disk_sleeps "${vmm_pid[guest]}"
}

# measure SLOT VECTOR: what QEMU does while the guest rings; sets $exits, $calls
# and $sleeps, per 1000 writes. Nothing else goes on in the guest then.
measure()
{
	local before after start n

	start=$(bell hook "$2" count)
	ring_start "$1" "$2"
	must_reach hook "$2" $((start + 1000))
	# The writes within the time that the cost is of: it is an upper bound.
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
	check "ioeventfd: QEMU sleeps on" test "$sleeps" -lt 50
	check "ioeventfd: all writes are counted" counted
	measure 11 2
	calls_stop
	check "without: every write reaches QEMU" test "$exits" -ge 1000
	check "without: QEMU makes two system calls for each" \
		test "$calls" -ge 2000
	check "without: all writes are counted" counted
}

# What skipping QEMU saves is counted in exits: the times are only shown.
count_exits()
{
	local before fast

	before=$(mmio_exits)
	ring_hook 10 1 6000
	fast=$ns
	check "6000 writes are counted exactly" counted
	check "and none of them left the kernel" \
		test $(($(mmio_exits) - before)) -lt 50
	before=$(mmio_exits)
	ring_hook 11 1 6000
	check "6000 writes without ioeventfd, too" counted
	before=$(($(mmio_exits) - before))
	check "and all of them left it" test "$before" -ge 6000
	diag "a write takes $fast ns, without ioeventfd $ns ns"
}

all_vectors()
{
	local v

	for v in 0 1 2 3; do
		ring_hook 10 $v $((10 + v))
	done
	check "each vector rings its bell" counted
	# Vectors and peers that nobody has: QEMU gets these, and drops them.
	ring 10 9 3
	ring 10 $((7 << 16)) 3
	ring 11 $(((7 << 16) + vectors)) 3
	check "what is nobody's is lost" counted
	for v in worker inline; do
		ring "${slot[$v]}" 3 3000
		check "mode $v: 3000 writes are counted exactly" \
			counted $v "0 0 0 3000"
		diag "$v: $ns ns per write, $(bell $v 3 times)"
	done
}

# The server has nothing to do with it all: not even to wake up.
server_sleeps()
{
	local before

	before=$(disk_sleeps "${server_pid[hook]}")
	ring_hook 10 0 3000
	check "nobody wakes a server that does not watch" \
		test "$(disk_sleeps "${server_pid[hook]}")" = "$before"
	# A second after its last line it wakes up to look again.
	sleep 1.5
	before=$(disk_sleeps "${server_pid[worker]}")
	sleep 3
	check "nor one that does, while nothing rings" \
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
	check "it watches, at most once a second" \
		test "$lines" -ge 1 -a "$lines" -le $((SECONDS - start + 2))
	sleep 1.5
	check "and what was last is told last" test "$(tail -n 1 \
		"$CASE_DIR/inline.out" | grep -c '"vector": 1, .*"count": 40000,')" = 1
}

lists()
{
	local pid=${server_pid[hook]}

	check "doorbellctl lists the bells of the server" test \
		"$(doorbellctl bell | awk -v pid="$pid" '
			$2 == pid { printf "%s,%s,%s ", $4, $5, $6 }')" = \
		"$(printf 'hook,1,%s ' "${want[@]}")"
	check "and in JSON" test "$(doorbellctl bell --json |
		grep -c "^ *\"pid\": $pid,\$")" = $((vectors * 2))
	check "they are no devices" test "$(doorbellctl list | wc -l)" = 1
}

# Both hammer the same bell, and each one of its own.
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
	check "the same bell, by two guests" counted
	GUEST=second ring_start 10 3
	ring_hook 11 1 2000
	GUEST=second ring_stop 3
	check "bells of their own" counted
	ring 10 $(((${ids##* } << 16) + 1)) 100
	check "what they ring each other is not the host's" counted
}

crowd()
{
	ring_start 10 0
	tap test-ivshmem_crowd "$CASE_DIR/hook.sock" $vectors 120
	ring_stop 0
	check "the guest has gone on ringing" counted
	GUEST=second ring_hook 10 3 10
	check "and the other does" counted
}

kill_guest()
{
	GUEST=second ring_start 10 3
	check "the second guest rings until it is killed" \
		must_reach hook 3 $((want[3] + 5000))
	GUEST=second vmm_kill
	want[3]=$(bell hook 3 count)
	sleep 1
	check "and no more after that" counted
	ring_hook 10 2 100
	check "the first one rings on" counted
	check "the server has seen it go" \
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
	check "and its socket is gone" test ! -e "$CASE_DIR/hook.sock"
	ring_stop 0
	check "the guest rings on, to nobody" ring 10 0 1000
	server_start hook
	check "a new server starts from zero" counted hook "0 0 0 0"
	server_stop hook KILL || status=$?
	check "it can be killed" test $status = 137 -a -S "$CASE_DIR/hook.sock"
	server_start hook --shm-size 1048576
	check "and replaced" counted hook "0 0 0 0"
	check_fails "but not while it lives" doorbellctl bell \
		--ivshmem-socket "$CASE_DIR/hook.sock"
	guest_second
	GUEST=second ring 10 1 700
	check "a guest that comes back is counted exactly" \
		counted hook "0 700 0 0"
	check "the new server told it the new size" test 1048576 = \
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
