# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The recipe of throttling.rst for network cards: tc on the port of a card limits what
# the guest receives and sends. With a limit a load must take at least a certain time.
# timeout: 300
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/net_emulate.sh"

# 400 frames of 1250 bytes at 2 Mbit/s take two seconds, less the burst of 25 kB.
least=1800
tbf=(tbf rate 2mbit burst 25k limit 2m)

# timed ARG...: run a load; set 'time' to its milliseconds
timed()
{
	local start=${EPOCHREALTIME/./} status=0

	net --verify --size 1250 --min-size 1250 --count 400 "$@" || status=$?
	time=$(((${EPOCHREALTIME/./} - start) / 1000))
	return $status
}

# limited NAME SETUP ARG...: check a load under the limit that SETUP makes once the
# port exists
limited()
{
	local name=$1 setup=$2 free

	shift 2
	check "$name: every frame arrives" timed "$@"
	free=$time
	check "$name, limited: every frame arrives" timed --setup "$setup" "$@"
	diag "$name: $free ms, with the limit $time ms of at least $least"
	check "$name, limited: no faster than the limit" test "$time" -ge $least
	check "$name: faster by a second without it" test $((time - free)) -ge 1000
}

module_load
for module in tun macvtap veth bridge ifb sch_tbf cls_matchall act_mirred; do
	modprobe $module
done

for port in tap dev; do
	net_device=(--doorbell "--$port" card0)
	limited "$port: received" "tc qdisc add dev card0 root ${tbf[*]}" --load rx
done

# Frames that a guest sends arrive at its port, which has no queue for that: redirect
# them to an ifb device, which has one.
ip link add ifb-card0 type ifb
ip link set ifb-card0 up
tc qdisc add dev ifb-card0 root "${tbf[@]}"
ip link add br0 type bridge forward_delay 0
ip link set br0 up
bridge='ip link set card0 master br0; ip link set card1 master br0'
for port in tap dev; do
	net_device=(--doorbell "--$port" card0)
	check "$port: sent: every frame arrives" timed --load pass --peer card1 \
		--setup "$bridge"
	free=$time
	check "$port: sent, limited: every frame arrives" timed --load pass --peer card1 \
		--setup "$bridge; tc qdisc add dev card0 clsact;
			tc filter add dev card0 ingress matchall \
				action mirred egress redirect dev ifb-card0"
	diag "$port: sent: $free ms, with the limit $time ms of at least $least"
	check "$port: sent, limited: no faster than the limit" test "$time" -ge $least
	check "$port: sent: faster by a second without it" test $((time - free)) -ge 1000
done

# For a macvtap it is the other way round: frames that a guest sends leave through its
# queue.
ip link add low type veth peer name far
ip link set low up
ip link set far up
ip link add link low name card2 type macvtap mode bridge
ip link set card2 up
net_device=(--doorbell --tap "/dev/tap$(cat /sys/class/net/card2/ifindex)" --host-if far)
limited "macvtap: sent" "tc qdisc add dev card2 root ${tbf[*]}" --load tx
case_end
