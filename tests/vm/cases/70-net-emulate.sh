# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The emulated driver of a network card against vhost-net. This checks the
# driver: it must report vhost-net's violations and no others.
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
check "vhost-net: no event index, no indirect tables" \
	net --load echo --no-event-idx --no-indirect
net_pairs "vhost-net"
net_bridge "vhost-net" tap1

# A restart of the queue must undo whatever the case did to it.
tap net_hostile all
tap net_hostile random \
	--seconds 3 --seed $RANDOM
check_fails "an interface that does not exist fails" net --host-if none --verify
check_fails "a tap that does not exist fails" net --tap /dev/none
case_end
