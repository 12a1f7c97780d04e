# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# net-emulated.sh: measure with the emulated driver of network cards in L1; sourced after
# tests/vm/net.sh.
#
#   emulated_prepare	make a bridge with L1's address, and two taps in it
#   emulated_why BACKEND LOAD
#			print why this driver can't measure it; nothing if it can
#   emulated_run BACKEND LOAD [ARG...]
#			run a load; print the JSON object of its results. $COUNT is
#			the file with the emulator's count of instructions, $FRAMES
#			the number of frames of 64 bytes to move.
#
# BACKEND is vhost-net or vhost-doorbell-MODE. MODE dev is mode auto on a network device
# of the card's own. The driver uses the kernel part of the back end directly, without a
# daemon.
#
# A load of 64-byte frames moves a batch of 64 frames and waits until all of them have
# arrived. A load that ends in _single moves one frame at a time. UDP sockets in L1
# receive and send its frames; the receiving socket is read after the load. The driver
# sleeps while it waits, as a guest does.
#
# In a load that ends in _flood the sender has a thread of its own and does not wait; the
# result is how many frames are lost.
#
# All other loads run on one CPU, vhost-net's thread included. On two CPUs each spins
# while the other one holds a lock, for a time that depends on this machine, so the counts
# would differ from run to run.

emulated_prepare()
{
	local module

	for module in tun bridge vhost_net; do
		modprobe "$module"
	done
	[ ! -e /tmp/host/vhost_doorbell.ko ] || [ -d /sys/module/vhost_doorbell ] ||
		insmod /tmp/host/vhost_doorbell.ko
	bridge_add br0 10.0.0.1/24
	# Otherwise the bridge takes the address of a port, and changes it with
	# its ports.
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

# emulated_load LOAD: set 'load'
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
