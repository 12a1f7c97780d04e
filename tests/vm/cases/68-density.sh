# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Density: what 1, 8, 64 and 256 devices and their daemons cost; threads of workers end
# without work and come back; grace periods of attach and detach. 'make bench-density' also
# counts instructions.
# timeout: 1200
# kernels: everywhere
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

count=256
idle=/sys/module/vhost_doorbell/parameters/worker_idle_ms

# rss PID...: print the sum of their own memory and of all their memory, in KiB
rss()
{
	local pid

	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '
	/^Rss:/ { rss += $2 }
	/^Pss:/ { pss += $2 }
	/^Private_/ { own += $2 }
	END { print own, pss, rss }'
}

all_listen()
{
	local i

	for ((i = 0; i < count; i++)); do
		[ -S "$CASE_DIR/$i.sock" ] || return 1
	done
}

module_load
nullb shared irqmode=1
cgroups=(/sys/fs/cgroup/case-idle-{one,two,set})
echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
mkdir "${cgroups[@]}"
check "the parameter's default" grep -qx 5000 $idle
tap test-idle "${cgroups[@]}"
rmdir "${cgroups[@]:1}"

[ -e /sys/kernel/tracing/kprobe_events ] ||
	mount -t tracefs tracefs /sys/kernel/tracing
tap test-attach

tap test-density "$disk" /tmp/host/insn

daemons=()
for ((i = 0; i < count; i++)); do
	vhost-doorbell-blk --socket-path="$CASE_DIR/$i.sock" --queues=2 \
		--blk-file="$disk" --read-only >>"$CASE_DIR/daemon.log" 2>&1 &
	daemons+=($!)
done
check "$count daemons listen" wait_for $((180 * factor)) all_listen
read -r own pss all < <(rss "${daemons[@]}")
diag "$count idle daemons: $own KiB of their own, PSS $pss KiB, RSS $all KiB;" \
	"each $((own / count)), $((pss / count)), $((all / count)) KiB"
check "a daemon's own memory is at most 512 KiB: $((own / count))" \
	test $((own / count)) -le 512
check "a daemon's RSS is at most 4 MiB: $((all / count))" \
	test $((all / count)) -le 4096
kill "${daemons[@]}"
wait "${daemons[@]}" 2>/dev/null || :
case_end
