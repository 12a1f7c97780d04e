# shellcheck shell=bash disable=SC2154 # of emulate.sh: factor
# SPDX-License-Identifier: GPL-2.0
# net_emulate.sh: run network cards under an emulated driver, without a guest.
#
#   net_device=(OPTION...)	the card, and the tap or device: options of
#			doorbell-bench
#   net ARG...		run doorbell-bench emulate --type net on that card
#   net_hostile CASE [ARG...]	print TAP of hostile cases, except those of the other format
#			of rings
#   net_loads NAME [ARG...]	check what every card must do: loads, layouts, sizes
#   net_offloads NAME [ARG...]	check offloads in both directions, and all kinds of buffers
#   net_pairs NAME [ARG...]	check several pairs, with another end that does not wait
#   net_bridge NAME PEER [ARG...]	check frames from one card over a bridge to the card of
#			PEER, a tap or device, too
#
# The output is in $CASE_DIR/net.log. Source emulate.sh first.

net_device=()
net_count=${NET_COUNT:-500}

net_hostile()
{
	doorbell-bench emulate --type net "${net_device[@]}" \
		--hostile "$@" | awk '
		/^1\.\./ { planned = substr($0, 4); next }
		/ # SKIP / { n++; next }
		{ print }
		END { print "1.." planned - n }'
}

net()
{
	local status=0

	timeout -k 10 $((60 * factor)) doorbell-bench emulate --type net \
		--watchdog $((20 * factor)) --count "$net_count" \
		"${net_device[@]}" "$@" >"$CASE_DIR/net.log" 2>&1 || status=$?
	[ $status -eq 0 ] || diag "net $*: status $status" \
		"$(tail -n 30 "$CASE_DIR/net.log")"
	return $status
}

# both NAME ARG...: send and receive, and check every byte
both()
{
	local name=$1

	shift
	check "$name: sent" net --load tx --verify --batch 8 "$@"
	check "$name: received" net --load rx --verify --batch 8 "$@"
}

net_loads()
{
	local name=$1

	shift
	both "$name: 64 bytes" "$@"
	check "$name: one at a time: sent" net --load tx --verify "$@"
	check "$name: one at a time: received" net --load rx --verify "$@"
	check "$name: requests are answered" net --load echo "$@"
	check "$name: UDP to the host" \
		net --load tx --host udp --batch 8 "$@"
	check "$name: UDP from the host" \
		net --load rx --host udp --batch 8 "$@"
	both "$name: any size" --min-size 60 --size 1514 "$@"
	both "$name: pieces of any size" \
		--layout split --segs 12 --min-size 60 --size 1514 "$@"
	both "$name: any layout" \
		--layout random --min-size 60 --size 1514 "$@"
	both "$name: a descriptor for the header" --layout header "$@"
	check "$name: frames of 64 KiB" net --load tx --verify --batch 4 \
		--layout random --min-size 2000 --size 65549 "$@"
	check "$name: more in flight" \
		net --load tx --verify --batch 16 --depth 128 "$@"
	check "$name: buffers come back late" \
		net --load rx --verify --batch 8 --refill 100 "$@"
	check "$name: a driver that polls" net --load echo --wait yield "$@"
}

net_offloads()
{
	local name=$1

	shift
	both "$name: checksums" --offload csum --size 1514 "$@"
	both "$name: TSO4" --offload tso4 --min-size 80 --size 65535 "$@"
	both "$name: TSO6, any layout" --offload tso6 --layout random \
		--min-size 100 --size 60000 "$@"
	both "$name: TSO4, buffers of 64 KiB" \
		--offload tso4 --size 65535 --no-mrg "$@"
	check "$name: TSO4, many small buffers" net --load rx --verify \
		--batch 2 --offload tso4 --size 20000 --buffer 300 "$@"
	both "$name: no offloads" --no-guest-offloads --size 1514 "$@"
	both "$name: small buffers" \
		--no-guest-offloads --no-mrg --size 1514 "$@"
}

net_pairs()
{
	local name=$1

	shift
	both "$name: four pairs" --pairs 4 "$@"
	check "$name: checked by another thread" \
		net --load tx --verify --batch 16 --host-thread "$@"
	check "$name: a flood, whatever is lost" net --load rx --verify \
		--batch 16 --host-thread --count 20000 "$@"
	check "$name: requests of another thread" \
		net --load echo --host-thread "$@"
}

net_bridge()
{
	local name=$1 peer=$2 own=${net_device[-1]} setup

	shift 2
	setup="ip link set $own master br0; ip link set $peer master br0"
	ip link add br0 type bridge forward_delay 0
	ip link set br0 up
	check "$name: over a bridge" net --load pass --peer "$peer" --verify \
		--setup "$setup" --batch 8 "$@"
	check "$name: over a bridge, TSO4" net --load pass --peer "$peer" \
		--verify --setup "$setup" --offload tso4 --size 60000 "$@"
	check "$name: over a bridge, one at a time" net --load pass \
		--peer "$peer" --setup "$setup" --wait yield "$@"
	ip link del br0
}
