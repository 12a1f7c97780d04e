# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# net-emulated.sh: the emulated driver of network cards, in L1; sourced after
# tests/vm/net.sh.
#
#   emulated_prepare	a bridge with L1's address, and two taps in it
#   emulated_why BACKEND LOAD
#			print why this driver can't measure it; nothing if it can
#   emulated_run BACKEND LOAD [ARG...]
#			print the object of results. In the file $COUNT an emulator
#			counts instructions; $FRAMES is how many frames of 64 bytes
#			to move.
#
# BACKEND is vhost-net or vhost-doorbell-MODE, where MODE dev is a network device of
# the card's own, in mode auto. Their kernel half is driven as it is, without a
# daemon.
#
# A load of 64 bytes moves a batch of 64 frames, and waits until all of it has
# arrived; one that ends in _single moves one frame at a time. UDP sockets take and
# send what is for L1; the one that takes reads when the load is over. The driver
# sleeps while it waits, as a guest does.
#
# In a _flood the sender has a thread of its own and waits for nothing: how much is
# lost?
#
# All but that runs on one CPU, vhost-net's thread too: on two, each spins while the
# other has a lock, as long as this machine lets it, and the counts differ from run to
# run.

emulated_prepare()
{
	local module

	for module in tun bridge vhost_net; do
		modprobe "$module"
	done
	[ ! -e /tmp/host/vhost_doorbell.ko ] || [ -d /sys/module/vhost_doorbell ] ||
		insmod /tmp/host/vhost_doorbell.ko
	bridge_add br0 10.0.0.1/24
	# Else it would be that of a port, and change with them.
	ip link set br0 address 52:54:00:00:ff:01
	NET_BACKEND=vhost-net tap_add tap0 1 br0
	NET_BACKEND=vhost-net tap_add tap1 1 br0
}

emulated_why()
{
	local load

	case $1 in
	vhost-net) ;;
	vhost-doorbell-*)
		[ -d /sys/module/vhost_doorbell ] || echo 'the module is not built'
		;;
	*) echo 'the emulated driver does not drive it' ;;
	esac
	emulated_load "$2" || echo 'no load of the emulated driver'
}

# emulated_load LOAD: sets 'load'
emulated_load()
{
	local few=$((FRAMES / 4))
	local frame=(--size 65000 --offload tso4 --batch 8 --count $((FRAMES / 10)))

	case $1 in
	tx64) load=(--load tx --host sink --batch 64 --count "$FRAMES") ;;
	tx64_single) load=(--load tx --host sink --count "$few") ;;
	rx64) load=(--load rx --host udp --batch 64 --count "$FRAMES") ;;
	rx64_flood)
		load=(--load rx --host udp --host-thread --batch 64
			--queue-size 1024 --count "$FRAMES")
		;;
	rx64_single) load=(--load rx --host udp --count "$few") ;;
	udp_rr) load=(--load echo --host udp --count "$few") ;;
	vm2vm64) load=(--load pass --batch 64 --count "$FRAMES") ;;
	vm2vm64_single) load=(--load pass --count "$few") ;;
	stream_tx) load=(--load tx --host none "${frame[@]}") ;;
	stream_rx) load=(--load rx --host packet "${frame[@]}") ;;
	vm2vm_stream) load=(--load pass "${frame[@]}") ;;
	*) return 1 ;;
	esac
}

emulated_run()
{
	local backend=$1 device load peer=tap1 cpus=0
	local args=(--type net --host-if br0 --regions 1 --json --warm 1280
		--count-file "${COUNT:-/nowhere}")

	emulated_load "$2"
	shift 2
	case $backend in
	vhost-net) device=(--vhost-net --tap tap0) ;;
	vhost-doorbell-dev)
		device=(--doorbell --dev dev0)
		peer=dev1
		# shellcheck disable=SC2016 # the shell's that it starts
		args+=(--setup 'for i in dev0 dev1; do
			[ ! -e /sys/class/net/$i ] || ip link set $i master br0
		done')
		;;
	*) device=(--doorbell --mode "${backend##*-}" --tap tap0) ;;
	esac
	[[ " ${load[*]} " != *' pass '* ]] || device+=(--peer "$peer")
	[ "${load[*]}" = "${load[*]/--host-thread/}" ] || cpus=0-$(($(nproc) - 1))
	timeout 300 taskset -c "$cpus" doorbell-bench emulate "${args[@]}" \
		"${device[@]}" "${load[@]}" "$@"
}
