# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A driver that is neither ours nor Linux's: dpdk-testpmd with virtio-user.
# NET_BACKEND names the back end of the card: doorbell or vhost-net.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/net.sh"

host=10.0.0.1
pmd=10.0.0.11
mac=52:54:00:00:07:04

# name: properties of virtio-user
variants=(
	'split:'
	'packed, in order:packed_vq=1,in_order=1'
	'not mergeable, in order:mrg_rxbuf=0,in_order=1'
)
step=3
# 'make check-all' runs more variants.
[ "${EVERYWHERE:-0}" -eq 0 ] || {
	step=1
	variants+=(
		'packed:packed_vq=1'
		'in order:in_order=1'
		'not mergeable:mrg_rxbuf=0'
		'packed, not mergeable:mrg_rxbuf=0,packed_vq=1'
		'packed, not mergeable, in order:mrg_rxbuf=0,packed_vq=1,in_order=1'
		'large queue:queue_size=1024'
		'packed, large queue:queue_size=1024,packed_vq=1'
	)
}

# pmd_start PAIRS PROPERTIES MODE [ARG...]: start testpmd on a card
pmd_start()
{
	local pairs=$1 card=$2 mode=$3

	shift 3
	tap_add tap0 "$pairs" br0
	case $NET_BACKEND in
	doorbell)
		card_start card --tap=tap0 --queues="$pairs"
		card=path=$CASE_DIR/card.sock${card:+,$card}
		;;
	*)
		card=path=/dev/vhost-net,iface=tap0${card:+,$card}
		;;
	esac
	# With --stats-period testpmd does not read its input. Otherwise it would
	# take the end of /dev/null for the Enter that stops it.
	dpdk-testpmd --no-huge -m 128 --no-pci --no-telemetry --no-shconf -l 0,1 \
		--vdev "net_virtio_user0,mac=$mac,queues=$pairs,$card" -- \
		--forward-mode="$mode" --auto-start --stats-period=1 \
		--rxq="$pairs" --txq="$pairs" --total-num-mbufs=8192 "$@" \
		>"$CASE_DIR/pmd" 2>&1 </dev/null &
	pmd_pid=$!
	wait_for 60 pmd_runs || {
		tail -n 30 "$CASE_DIR/pmd"
		return 1
	}
}

pmd_runs()
{
	grep -q 'Port statistics' "$CASE_DIR/pmd" || ended "$pmd_pid"
	! ended "$pmd_pid"
}

# testpmd prints its counters when it ends.
pmd_stop()
{
	local status=0

	! nic_is doorbell || disk_counters card >"$CASE_DIR/counters"
	kill -INT "$pmd_pid"
	wait_for 20 ended "$pmd_pid" || kill -KILL "$pmd_pid"
	wait "$pmd_pid" || status=$?
	[ $status -eq 0 ] || {
		diag "testpmd: status $status" "$(tail -n 20 "$CASE_DIR/pmd")"
		return 1
	}
	if nic_is doorbell; then
		diag "$(grep -v ' 0$' "$CASE_DIR/counters" | xargs)"
		disk_stop card || return
	fi
	ip link del tap0
}

# pmd_count RX|TX: print the final count of all ports
pmd_count()
{
	awk -v what="$1-packets:" '
		/Accumulated forward statistics/ { all = 1 }
		all { for (i = 1; i < NF; i++) if ($i == what) n = $(i + 1) }
		END { print n + 0 }' "$CASE_DIR/pmd"
}

# Frames that the tap got from the driver
from_pmd()
{
	cat /sys/class/net/tap0/statistics/rx_packets
}

more_from_pmd()
{
	[ "$(from_pmd)" -gt "$1" ]
}

# Sends frames by the kernel's packet generator directly into the tap
generate()
{
	modprobe pktgen
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
	echo "add_device tap0" >/proc/net/pktgen/kpktgend_0
	printf '%s\n' "count $1" "pkt_size $2" 'delay 20000' "dst_mac $mac" \
		"dst $pmd" |
	while read -r line; do
		echo "$line" >/proc/net/pktgen/tap0
	done
	# This write returns when all frames are sent.
	echo start >/proc/net/pktgen/pgctrl
	diag "$(grep -E 'pps|errors' /proc/net/pktgen/tap0)"
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
}

answers()
{
	test-pings $pmd 64 >/dev/null 2>&1
}

echoes()
{
	check "$1: testpmd runs" pmd_start "$2" "$3" icmpecho
	check "$1: testpmd answers" wait_for 20 answers
	check "$1: pings of all sizes" host_pings $pmd 2 1472 $step
	check "$1: testpmd ends" pmd_stop
}

# Check the contents of the frames, not only their number.
sends()
{
	check "$1: testpmd sends" pmd_start "$2" "$3" txonly --txpkts="$4"
	check "$1: frames arrive" wait_for 20 more_from_pmd 5000
	diag "$1: $(from_pmd) frames"
	timeout 20 tcpdump -Z root -n -vv -c 50 -i br0 udp \
		>"$CASE_DIR/dump" 2>/dev/null || :
	check "$1: their checksums are correct" \
		eval "grep -q UDP $CASE_DIR/dump && ! grep bad $CASE_DIR/dump"
	check "$1: testpmd ends" pmd_stop
}

receives()
{
	check "$1: testpmd receives" pmd_start "$2" "$3" rxonly
	generate 5000 60
	generate 1000 1400
	# Give frames in the tap time to arrive
	sleep 1
	check "$1: testpmd ends" pmd_stop
	diag "$1: $(pmd_count RX) frames of 6000 received"
	check "$1: most frames arrive" test "$(pmd_count RX)" -gt 5000
}

# Frames that arrive are sent back, except those that testpmd drops while its own
# ring is full.
forwards()
{
	local before came

	check "$1: testpmd forwards" pmd_start "$2" "$3" io
	before=$(from_pmd)
	generate 5000 60
	check "$1: many frames come back" wait_for 10 more_from_pmd $((before + 1000))
	# Give frames in the rings time to arrive
	sleep 1
	came=$(from_pmd)
	check "$1: testpmd ends" pmd_stop
	diag "$1: $((came - before)) frames of 5000 came back, $(pmd_count TX) were sent"
	check "$1: all frames that it sent come back" test "$came" -ge "$(pmd_count TX)"
}

command -v dpdk-testpmd >/dev/null || skip_case 'no dpdk-testpmd'
! nic_is doorbell || module_load
modprobe tun
modprobe bridge
! nic_is vhost-net || modprobe vhost_net
bridge_add br0 $host/24
for variant in "${variants[@]}"; do
	echoes "${variant%%:*}" 1 "${variant#*:}"
done
echoes 'two pairs' 2 ''
diag "$SECONDS s"
for variant in "${variants[@]::2}"; do
	name=${variant%%:*}
	card=${variant#*:}
	sends "$name" 1 "$card" 64
	receives "$name" 1 "$card"
	forwards "$name" 1 "$card"
	diag "$SECONDS s"
done
sends 'frames in pieces' 1 '' 64,500,900
sends 'two pairs' 2 '' 64
case_end
