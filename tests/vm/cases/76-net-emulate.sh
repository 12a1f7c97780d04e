# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A card sends and receives under the emulated driver, on a tap and on a network
# device of its own, in every mode. Every byte is checked.
# kernels: trixie trixie-backports
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/net_emulate.sh"

module_load
modprobe tun

# A short check of the frames in a mode
net_mode()
{
	local name=$1

	shift
	both "$name" --min-size 60 --size 1514 "$@"
	both "$name: packed rings" --packed --layout random --size 1514 "$@"
	check "$name: requests are answered" net --load echo "$@"
}

net_device=(--doorbell --tap tap0)
net_loads "tap"
net_loads "tap, packed" --packed
net_offloads "tap"
net_offloads "tap, packed" --packed
both "tap: legacy" --legacy --layout header --no-mrg --size 1514
both "tap: legacy, MRG_RXBUF" --legacy --layout header --size 1514
both "tap: indirect tables" --layout indirect
both "tap: no event index" --no-event-idx
both "tap: no indirect tables" --no-indirect --layout split --size 1514
both "tap: in order" --in-order
both "tap: in order, packed" --in-order --packed
both "tap: a packed ring of 37" --packed --queue-size 37
both "tap: eight entries" --queue-size 8
for mode in inline worker poll; do
	net_mode "tap, $mode" --mode $mode
done
net_pairs "tap"
net_bridge "tap" tap1

net_device=(--doorbell --dev vd0)
net_loads "own device"
net_offloads "own device, packed" --packed
both "own device: legacy" --legacy --layout header --no-mrg --size 1514
for mode in inline worker poll; do
	net_mode "own device, $mode" --mode $mode
done
net_pairs "own device"
net_bridge "own device" vd1

# The same card, served through the daemon and vhost-user.
vhost-doorbell-net --tap=tap2,create --queues=4 --socket-path="$sock" \
	>"$CASE_DIR/daemon.log" 2>&1 &
daemon=$!
check "the daemon listens" wait_for $((10 * factor)) test -S "$sock"
net_device=(--socket "$sock" --host-if tap2)
both "daemon" --min-size 60 --size 1514
both "daemon: packed rings, TSO4" --packed --offload tso4 --size 60000
both "daemon: four pairs" --pairs 4
check "daemon: requests are answered" net --load echo
kill $daemon
check "the daemon ends well" wait $daemon
case_end
