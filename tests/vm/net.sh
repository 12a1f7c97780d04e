# shellcheck shell=bash disable=SC2034,SC2154 # of guest.sh, disk.sh: guest_base, disk_pid
# SPDX-License-Identifier: GPL-2.0
# net.sh: networks in L1, and guests with network cards.
#
#   net_up		load modules for networks; IPv6 addresses are usable at once
#   bridge_add NAME [ADDRESS/BITS]
#			make a bridge that forwards at once, with an address of L1
#   tap_add NAME QUEUES [BRIDGE]
#			make a tap, with IFF_MULTI_QUEUE for more than one queue
#   host_add NAME BRIDGE ADDRESS/BITS
#			make another host: a network namespace whose card 'eth0' is
#			linked to NAME in that bridge ('': in none)
#   on_host NAME COMMAND...
#			run a command there
#   macvtap_add NAME LOWER [MODE]
#			make a macvtap; macvtap_file prints its device file
#   macvtap_file NAME
# run-l1 removes all of these after the case.
#
#   nic_add NAME PORT [QUEUES [PROPERTIES]]
#			append QEMU's options for a card on this tap or macvtap, with
#			that many pairs of queues, to the array 'nics'. $NET_BACKEND
#			is its back end: doorbell (default; starts a daemon), vhost-net,
#			tap (QEMU itself), passt (without a port, in user mode),
#			socket (PORT is the vhost-user socket of a server that is
#			running already).
#			$NIC_ARGS are more arguments for the daemon, $NIC_CHARDEV adds
#			options to its socket; with NIC_PORT=dev PORT is a network
#			device that the module makes, and tap_add makes no tap
#   nics_start ARG...	run guest_start and bring all cards of the guest up
#   nic_mac NAME	print the card's MAC address
#   nic_is BACKEND...	is $NET_BACKEND one of these?
#   card_start NAME ARG...
#			start vhost-doorbell-net on $CASE_DIR/NAME.sock. Its pid is
#			in disk_pid[NAME], so that the functions of disk.sh work for
#			cards, too
#
# In these functions the guest's peer is L1, or the other host that $NET_HOST names.
#
#   guest_address IF ADDRESS/BITS
#			bring a guest's card up
#   guest_agreed IF BIT	has the card's driver negotiated this feature?
#   guest_pings ADDRESS FROM TO [STEP]
#   host_pings ADDRESS FROM TO [STEP]
#			send pings of these sizes, and compare the contents
#   iperf_host ADDRESS [ARG...]
#			run iperf3 from the guest to a server on the peer; print
#			received Mbit/s, fail if there are none. -R: other direction
#   iperf_guest GUEST ADDRESS [ARG...]
#			the same, to a server in another guest
#   stream_host ADDRESS MIB
#			send that many MiB over TCP from the guest to the peer and
#			back, and compare the contents
#   stream_guest GUEST ADDRESS MIB
#			the same, with another guest
#   iperf_rounds_start ADDRESS [SECONDS]
#			in the guest, begin to run iperf3 to a server on L1 for that long
#			(3), in both directions in turn, again and again
#   iperf_rounds_go_on	has it done two more rounds, without an error?
#   iperf_rounds_end	end that; fails if one failed. Prints the number of rounds, and of
#			the intervals of two seconds in which no data came
#   ended PID		has this process ended?
#
# The guests have pings, stream, iperf3, ethtool, and busybox's ip and nc.

. "$VM_DIR/rounds.sh"

NET_BACKEND=${NET_BACKEND:-doorbell}
guest_base=/tmp/guest/net.cpio
nics=()
nics_added=0
declare -A nic_macs net_bridges

net_up()
{
	local module

	for module in tun macvtap veth bridge 8021q dummy; do
		modprobe "$module"
	done
	[ "$NET_BACKEND" != vhost-net ] || modprobe vhost_net
	# Skip duplicate address detection, so that an address is usable at
	# once.
	sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0
	guest_programs pings stream xdp
}

bridge_add()
{
	ip link add "$1" type bridge forward_delay 0 stp_state 0 mcast_snooping 0
	ip link set "$1" up
	[ -z "${2:-}" ] || ip address add "$2" dev "$1"
}

tap_add()
{
	local queues=()

	net_bridges[$1]=${3:-}
	! own_device || return 0
	[ "$2" -eq 1 ] || queues=(multi_queue)
	ip tuntap add dev "$1" mode tap vnet_hdr "${queues[@]}"
	port_join "$1"
}

host_add()
{
	ip netns add "$1"
	ip link add "$1" type veth peer name eth0 netns "$1"
	[ -z "$2" ] || ip link set "$1" master "$2"
	ip link set "$1" up
	on_host "$1" ip link set lo up
	on_host "$1" ip link set eth0 up
	on_host "$1" ip address add "$3" dev eth0
}

on_host()
{
	local name=$1

	shift
	ip netns exec "$name" "$@"
}

macvtap_add()
{
	ip link add link "$2" name "$1" type macvtap mode "${3:-bridge}"
	ip link set "$1" up
}

macvtap_file()
{
	echo "/dev/tap$(cat "/sys/class/net/$1/ifindex")"
}

# If KVM stops the guest at a card's first kick, it is started again.
nics_start()
{
	local try=1

	guest_start "$@"
	until guest_run 'ls /sys/class/net | grep eth | xargs -I CARD ip link set CARD up'
	do
		if ! vmm_given_up || [ $((try++)) -eq 10 ]; then
			vmm_fail 'the cards do not come up'
		fi
		diag 'KVM has given up the guest, see vmm_given_up: once more'
		vmm_kill
		guest_start "$@"
	done
}

nic_mac()
{
	echo "${nic_macs[$1]}"
}

nic_is()
{
	[[ " $* " == *" $NET_BACKEND "* ]]
}

# nic_netdev NAME PORT QUEUES: start its server; set $netdev
nic_netdev()
{
	local fd extra fds='' i socket=$CASE_DIR/$1.sock vhost=off

	read -ra extra <<<"${NIC_ARGS:-}"
	case $NET_BACKEND in
	doorbell)
		card_start "$1" "$(port_option "$2")" --queues="$3" "${extra[@]}"
		! own_device || port_join "$2"
		;;
	passt)
		passt --vhost-user --foreground --quiet --socket "$socket" \
			"${extra[@]}" >"$CASE_DIR/$1.log" 2>&1 &
		wait_for 30 test -S "$socket"
		;;
	socket) socket=$2 ;;
	vhost-net) vhost=on ;;
	esac
	case $NET_BACKEND in
	doorbell | passt | socket)
		nics+=(-chardev "socket,id=$1,path=$socket${NIC_CHARDEV:+,$NIC_CHARDEV}")
		netdev="vhost-user,id=$1-net,chardev=$1,queues=$3"
		return
		;;
	esac
	if is_macvtap "$2"; then
		# QEMU inherits the open descriptors, as it does from libvirt.
		for ((i = 0; i < $3; i++)); do
			exec {fd}<>"$(macvtap_file "$2")"
			fds+=:$fd
		done
		netdev="tap,id=$1-net,vhost=$vhost,fd${fds:2:0}s=${fds#:}"
	else
		netdev="tap,id=$1-net,vhost=$vhost,ifname=$2,queues=$3"
		netdev+=,script=no,downscript=no
	fi
}

own_device()
{
	nic_is doorbell && [ "${NIC_PORT:-tap}" = dev ]
}

port_join()
{
	[ -z "${net_bridges[$1]}" ] || ip link set "$1" master "${net_bridges[$1]}"
	ip link set "$1" up
}

is_macvtap()
{
	[ -e "/sys/class/net/$1/macvtap" ]
}

port_option()
{
	if is_macvtap "$1"; then
		echo "--macvtap=$1"
	elif own_device; then
		echo "--dev=$1"
	else
		echo "--tap=$1"
	fi
}

nic_add()
{
	local netdev mac pairs=${3:-1} device=virtio-net-pci

	nics_added=$((nics_added + 1))
	mac=52:54:00:00:00:$(printf '%02x' $nics_added)
	# A macvtap passes on only frames for its own address.
	! is_macvtap "$2" || mac=$(cat "/sys/class/net/$2/address")
	nic_macs[$1]=$mac
	nic_netdev "$1" "$2" "$pairs"
	# Without the ROM, which would try to boot from the network and take
	# long.
	device+=",id=$1-nic,netdev=$1-net,mac=$mac,romfile="
	[ "$pairs" -eq 1 ] || device+=",mq=on,vectors=$((2 * pairs + 2))"
	nics+=(-netdev "$netdev" -device "$device${4:+,$4}")
}

card_start()
{
	local name=$1

	shift
	rm -f "$CASE_DIR/$name.sock"
	vhost-doorbell-net --socket-path="$CASE_DIR/$name.sock" "$@" \
		>>"$CASE_DIR/$name.log" 2>&1 &
	disk_pid["$name"]=$!
	if ! wait_for 30 disk_listens "$name" ||
	   ! kill -0 "${disk_pid[$name]}"; then
		cat "$CASE_DIR/$name.log"
		exit 1
	fi
}

guest_address()
{
	guest_run "ip link set $1 up && ip address add $2 dev $1"
}

guest_agreed()
{
	guest_run "cut -c $(($2 + 1)) /sys/class/net/$1/device/features" | grep -qx 1
}

guest_pings()
{
	guest_run -t 120 "pings $*" >"$CASE_DIR/pings" 2>&1 && said pings && return
	said pings
	return 1
}

host_pings()
{
	local at

	set_at
	"${at[@]}" test-pings "$@" >"$CASE_DIR/pings" 2>&1 && said pings &&
		return
	said pings
	return 1
}

said()
{
	diag "$(tail -n 20 "$CASE_DIR/$1")"
}

# iperf_rate FILE: print the received Mbit/s from iperf3's JSON. For UDP some
# versions report only what was sent, and the lost percentage
iperf_rate()
{
	awk -F '[:,]' '
		/"error"/ { print > "/dev/stderr"; exit failed = 1 }
		/"sum[a-z_]*":/ { split($1, part, "\""); section = part[2] }
		/"bits_per_second"/ { rate[section] = $2 }
		/"lost_percent"/ { lost[section] = $2 }
		END {
			if (failed)
				exit 1
			if ("sum_received" in rate)
				got = rate["sum_received"]
			else
				got = rate["sum"] * (1 - lost["sum"] / 100)
			printf "%d\n", got / 1e6 + 0.5
			exit !(got > 0)
		}' "$1"
}

# Set the array 'at' to a prefix that runs a command on the peer. (A function
# would add a shell process.)
set_at()
{
	at=()
	[ -z "${NET_HOST:-}" ] || at=(ip netns exec "$NET_HOST")
}

# iperf_client ADDRESS ARG...: run iperf3 in the guest; print the rate
iperf_client()
{
	local rate out=$CASE_DIR/iperf

	# Print only the needed lines: the serial line is slow.
	guest_run -t 60 "iperf3 -c $* -i 0 -J >/tmp/iperf 2>&1
		grep -A 12 -e '\"sum' -e '\"error\"' /tmp/iperf || cat /tmp/iperf" \
		>"$out" || :
	rate=$(iperf_rate "$out" 2>"$out.error") || {
		said iperf.error
		said iperf
		return 1
	}
	diag "iperf3 $*: $rate Mbit/s"
}

iperf_host()
{
	local server status=0 at

	set_at
	"${at[@]}" iperf3 -s -1 -B "$1" >"$CASE_DIR/iperf.server" 2>&1 &
	server=$!
	wait_for 20 listens 5201 || :
	iperf_client "$@" || status=1
	kill $server 2>/dev/null || :
	wait $server 2>/dev/null || :
	return $status
}

iperf_rounds_start()
{
	iperf3 -s -D -p 5202
	# shellcheck disable=SC2016 # the guest's
	guest_run "address=$1 seconds=${2:-3}"'; cd /tmp; : >rounds; (
		while [ ! -e stop ]; do
			iperf3 -c $address -p 5202 -t $seconds -i 2 $r -J >iperf 2>&1 ||
				{ cp iperf bad; break; }
			r=$([ -n "$r" ] || echo -R)
			sed "1,/\"intervals\"/d" iperf | grep -c "\"bytes\":[[:space:]]*0," >>rounds
		done; echo >ended) >/dev/null 2>&1 &'
}

iperf_rounds_go_on()
{
	rounds_go_on 'tail -n 5 /tmp/bad; ip -s link show eth0; dmesg | tail -n 5'
}

iperf_rounds_end()
{
	guest_run -t 60 "$rounds_stop; cat /tmp/rounds" |
		awk '{ n += $1 } END { print NR, n + 0 }' &&
		guest_run 'test ! -e /tmp/bad || { tail -n 5 /tmp/bad; exit 1; }' >&2
}

ended()
{
	! kill -0 "$1" 2>/dev/null
}

listens()
{
	local at

	set_at
	"${at[@]}" ss -Hltn "sport = :$1" | grep -q .
}

iperf_guest()
{
	local server=$1

	shift
	# shellcheck disable=SC2016 # the guest's
	GUEST=$server guest_run 'killall -q iperf3; iperf3 -s -1 -D &&
		for i in 1 2 3 4 5 6 7 8 9 10; do
			netstat -ltn | grep -q :5201 && exit
			sleep 0.2
		done; exit 1' || return
	iperf_client "$@"
}

stream_host()
{
	local server status=0 at

	set_at
	"${at[@]}" test-stream listen 7000 "$2" >"$CASE_DIR/stream.host" 2>&1 &
	server=$!
	guest_run -t 120 "stream $1 7000 $2" >"$CASE_DIR/stream" 2>&1 || status=1
	# On a failure the server may wait for a client for ever.
	[ $status -eq 0 ] || kill $server 2>/dev/null || :
	wait $server || status=1
	said stream
	[ $status -eq 0 ] || said stream.host
	return $status
}

stream_guest()
{
	local status=0

	GUEST=$1 guest_run "timeout 120 stream listen 7000 $3 >/tmp/stream 2>&1 &"
	guest_run -t 120 "stream $2 7000 $3" >"$CASE_DIR/stream" 2>&1 || status=1
	said stream
	# The listener compares its data, too, and then prints its result.
	GUEST=$1 guest_run 'for i in 1 2 3 4 5 6 7 8 9 10; do
			grep -q there /tmp/stream && exit
			sleep 0.2
		done; cat /tmp/stream; killall stream; exit 1' \
		>"$CASE_DIR/stream" || status=1
	[ $status -eq 0 ] || said stream
	return $status
}
