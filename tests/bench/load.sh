# shellcheck shell=bash disable=SC2154 # the caller's
# SPDX-License-Identifier: GPL-2.0
# load.sh: run a load on the disk of a back end, and measure it; for in-l1 and host.
#
#   qemu_driver DISK	the name of QEMU's block driver for it
#   queues		the number of queues of a disk that is told one
#   guest_disk SLOT	the guest's name of the disk in that slot
#   load NAME LOAD MILLISECONDS
#			run a load, and print one line of results
#   iops		the sum of the IOPS of such lines
#   row_id ROUND NAME LOAD CLIENT VCPUS
#			print the first columns of a row
#   keep_row		append the row to $rows, and print what is known of it
#   measure ROUND NAME LOAD
#			measure one row
#
# The caller sets client, cpus, kind, window, warm (ms), count (see sample.c) and
# rows. For each back end it sets disk_of (the disk's name in /sys/class/block), client_of,
# daemon_of, socket_of and device_of: what backend_start tells (see in-l1). It may set
# range, the bytes of the disk that loads use, and read_only=on, so that nothing writes to
# the disk; $CASE_DIR/idle is the output of sample on the idle machine.
read_only=
range=

queues()
{
	local n

	n=$(nproc)
	echo $((n > 16 ? 16 : n))
}

qemu_driver()
{
	if [ -b "$1" ]; then echo host_device; else echo file; fi
}

guest_disk()
{
	guest_run "ls \$(find /sys/devices/pci0000:00/0000:00:$1.0 -name block)"
}

# who NAME: print the pid of the process that serves the disk, or nothing
who()
{
	if [ "${daemon_of[$1]}" = vmm ]; then
		echo "${vmm_pid[guest]:-}"
	else
		echo "${daemon_of[$1]}"
	fi
}

# fio_job NAME LOAD MILLISECONDS: print the fio command
fio_job()
{
	local rw bs depth fsync engine=psync jobs=1

	IFS=: read -r rw bs depth fsync <<<"$2"
	# Submit as many requests at once as possible, as applications with a
	# deep queue do
	[ "$depth" -eq 1 ] ||
		engine="libaio --iodepth=$depth --iodepth_batch_submit=$depth\
 --iodepth_batch_complete_min=1 --iodepth_batch_complete_max=$depth"
	# One job for each queue
	[ "$client" != guest ] || jobs=$cpus
	printf '%s' "fio --name=bench --filename=${device_of[$1]} --rw=$rw" \
		" --bs=$bs --rwmixread=70 --direct=1 --ioengine=$engine" \
		" --norandommap --thread --numjobs=$jobs --group_reporting" \
		"${fsync:+ --fsync=1}${range:+ --size=$range}" \
		"${read_only:+ --readonly} --time_based" \
		" --runtime=$((($3 + 999) / 1000))" \
		" --output-format=terse --terse-version=3"
}

flush_offered()
{
	local features

	features=$(doorbell-bench emulate --socket "${socket_of[$1]}" --config |
		sed -n 's/^features: *//p')
	test $((features >> 9 & 1)) = 1
}

# emulated NAME LOAD MILLISECONDS: run the emulated driver; print its JSON
# object
emulated()
{
	local rw bs depth fsync

	IFS=: read -r rw bs depth fsync <<<"$2"
	# Without FLUSH each write is stable, so the driver need not sync.
	flush_offered "$1" || fsync=''
	# shellcheck disable=SC2086 # one word or two
	timeout 90 doorbell-bench emulate --socket "${socket_of[$1]}" --rw "$rw" \
		--bs "$bs" --mix 70 --depth "$depth" \
		${fsync:+--flush-every 1} ${range:+--size "$range"} \
		--regions 1 --json \
		--seconds $((($3 + 999) / 1000))
}

# load NAME LOAD MILLISECONDS: run a load; print one line of results
load()
{
	local of=${client_of[$1]}

	if [ "$client" = emulated ] && [ "$of" != host ]; then
		emulated "$@"
		return
	fi
	if [ "$of" = host ]; then
		eval "timeout 90 $(fio_job "$@")"
	else
		guest_run -t $(($3 / 1000 + 60)) "$(fio_job "$@")"
	fi >"$CASE_DIR/fio.out"
	grep '^3;' "$CASE_DIR/fio.out"
}

# Sum of the IOPS of all lines of results
iops()
{
	awk -F '[;:,]' '
		/^3;/ { n += $8 + $49 }
		/^{/ {
			for (i = 1; i < NF; i++)
				if ($i ~ /"iops"/)
					n += $(i + 1)
		}
		END { print n + 0 }'
}

# Counting system calls slows a load down, so the load runs once more for that.
# count_syscalls NAME LOAD: set 'calls' and 'vmm' to system calls per request
count_syscalls()
{
	local stat=/sys/class/block/${disk_of[$1]}/stat before n pid rw bs depth fsync

	trace_ready || return 0
	IFS=: read -r rw bs depth fsync <<<"$2"
	load "$1" "$2" 3000 >"$CASE_DIR/load" &
	pid=$!
	sample "${disk_of[$1]}" "$warm" 1 "$count" >/dev/null
	before=$(awk '{ print $1 + $5 }' "$stat")
	trace_start
	sleep 1
	trace_read
	n=$(($(awk '{ print $1 + $5 }' "$stat") - before))
	trace_stop
	kill -0 $pid 2>/dev/null || return 0
	wait $pid || return 0
	# As in row.awk, the disk's count is the number of requests only for loads
	# of 4k without sync on a block device; otherwise take the load's count.
	[[ $bs$fsync = 4k && $kind != file* ]] ||
		n=$(iops <"$CASE_DIR/load")
	calls=$(ratio "$(calls_of "$(who "$1")")" "$n")
	[ "$client" = emulated ] ||
		vmm=$(ratio "$(calls_of "${vmm_pid[guest]}")" "$n")
}

# row_id ROUND NAME LOAD CLIENT VCPUS: print the first columns of a row
row_id()
{
	local rw bs depth fsync

	IFS=: read -r rw bs depth fsync <<<"$3"
	printf '%s\t' "$(uname -r)" "$2" "$kind" "$4" "$rw${fsync:+-fsync}" \
		"$bs" "$depth" "$5"
	printf '%s' "$1"
}

# keep_row: store the row for its group, and print what is known of it
keep_row()
{
	tee -a "$rows" | awk -F '\t' '{
		printf "round %d  %-8s %-12s %d CPU  %-15s %4s depth %3d  %-22s %8.0f IOPS %9s insn\n",
			$9, $4, $3, $8, $5, $6, $7, $2, $10,
			$18 == "null" ? $18 : int($18) }'
}

# measure ROUND NAME LOAD: measure one row
measure()
{
	local time=$((warm + window + 500)) calls=null vmm=null
	local pid rw bs depth fsync id who

	[ "$1" -gt 1 ] || [ "${client_of[$2]}" = host ] ||
		count_syscalls "$2" "$3"
	load "$2" "$3" $time >"$CASE_DIR/load" &
	pid=$!
	sample "${disk_of[$2]}" "$warm" "$window" "$count" >"$CASE_DIR/sample"
	if ! kill -0 $pid 2>/dev/null; then
		echo "bench: $2 left out of round $1: too slow to start"
		wait $pid || :
		return
	fi
	# The emulator loses a program now and then. Leave this round out and
	# report it.
	if ! wait $pid; then
		echo "bench: $2 left out of round $1: the load failed"
		return
	fi
	IFS=: read -r rw bs depth fsync <<<"$3"
	who=$client
	[ "${client_of[$2]}" = guest ] || who=host
	id=$(row_id "$1" "$2" "$3" "$who" "$cpus")
	awk -v OFS='\t' -v id="$id" -v bs="$bs" -v fsync="$fsync" -v kind="$kind" \
		-v calls="$calls" -v vmm="$vmm" \
		-f "$here/cost.awk" -f "$here/row.awk" "$CASE_DIR/idle" "$CASE_DIR/sample" \
		"$CASE_DIR/load" | keep_row
}
