# shellcheck shell=bash disable=SC2154 # of emulate.sh: disk
# SPDX-License-Identifier: GPL-2.0
# Fuzz the module for $KFUZZ_SECONDS, see kfuzz.c. 'run' sets the time limit.
# timeout: 60
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

out=$VM_DIR/../kfuzz
corpus=$VM_DIR/../corpus
disks=()

# The stop of each queue waits for grace periods.
expedite()
{
	echo 1 >/sys/kernel/rcu_expedited
}

# Files in memory, such as guest memory, may have huge pages if they ask for it.
allow_huge_pages()
{
	local file=/sys/kernel/mm/transparent_hugepage/shmem_enabled

	[ ! -e $file ] || echo advise >$file
}

# Histograms and tracepoints are off by default, and only then without an effect.
observe()
{
	local hist=/sys/module/vhost_doorbell/parameters/histograms

	echo 1 >$hist
	grep -q Y $hist
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || return 0
	[ ! -e /sys/kernel/tracing/events/vhost_doorbell ] ||
		echo 1 >/sys/kernel/tracing/events/vhost_doorbell/enable
}

make_disks()
{
	nullb kfuzz0 blocksize=512 discard=1
	disks+=("$disk")
	nullb kfuzz1 blocksize=4096
	disks+=("$disk")
	nullb kfuzz2 size=64 blocksize=4096 zoned=1 zone_size=4 zone_nr_conv=2 \
		zone_max_open=2 zone_max_active=3
	disks+=("$disk")
	nullb_ext4 kfuzz3 64 ext4
	truncate -s 16M "$CASE_DIR/ext4/image"
	disks+=("$CASE_DIR/ext4/image")
	# A file system that is soon full
	mkdir "$CASE_DIR/small"
	mount -t tmpfs -o size=1m small "$CASE_DIR/small"
	truncate -s 16M "$CASE_DIR/small/image"
	disks+=("$CASE_DIR/small/image")
}

fuzz()
{
	local patience=$((60 * factor))

	kfuzz --corpus="$corpus" --out="$out" --filler="$CASE_DIR/small/filler" \
		--seconds="$KFUZZ_SECONDS" --seed="$KFUZZ_SEED" --patience="$patience" \
		--jobs="$KFUZZ_JOBS" \
		${KFUZZ_REPLAY:+"--replay=$out/replay"} "${disks[@]}" 2>&1 |
		tee "$out/log" | sed 's/^ok - /# /'
	return "${PIPESTATUS[0]}"
}

# Of the last line of the report: did enough programs start a queue?
started_enough()
{
	awk '/ with a queue started / {
		match($0, /\([0-9.]+ %\)/)
		share = substr($0, RSTART + 1, RLENGTH - 4)
	}
	END { exit !(share >= 10) }' "$out/log"
}

mkdir -p "$out" "$corpus"
expedite
allow_huge_pages
module_load
observe
make_disks
check "$KFUZZ_SECONDS s of programs" fuzz
[ -n "${KFUZZ_REPLAY:-}" ] ||
	check 'one program in ten starts a queue' started_enough
case_end
