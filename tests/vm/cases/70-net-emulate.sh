# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The emulated driver of a network card against vhost-net: what is true there and
# is not told, or is told and is not true, the driver has wrong.
# kernels: trixie
# timeout: 300
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/net_emulate.sh"

modprobe tun
modprobe vhost_net
net_device=(--vhost-net --tap tap0)

net_loads "vhost-net"
check "vhost-net: indirect tables" net --load tx --verify --layout indirect
net_offloads "vhost-net"
net_loads "vhost-net, legacy" --legacy --layout header --no-mrg
check "vhost-net: no event index" net --load echo --no-event-idx
check "vhost-net: neither that nor indirect tables" \
	net --load echo --no-event-idx --no-indirect
net_pairs "vhost-net"
net_bridge "vhost-net" tap1

# Whatever it does to its queue is undone by a new start.
tap doorbell-bench emulate --type net "${net_device[@]}" --hostile all
tap doorbell-bench emulate --type net "${net_device[@]}" --hostile random \
	--seconds 3 --seed $RANDOM
check_fails "a port that is not there" net --host-if none --verify
check_fails "no such card" net --tap /dev/none
case_end
