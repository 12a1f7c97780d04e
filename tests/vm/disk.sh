# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# disk.sh: any number of disks, each with a vhost-doorbell-blk of its own.
#
#   disk_start NAME FILE ARG...
#			start a daemon that serves FILE on $CASE_DIR/NAME.sock
#   disk_attach NAME [PROPERTIES]
#			append QEMU's options for it to the array 'disks'; the device
#			is vhost-user-blk-pci or $DISK_DEVICE; $DISK_CHARDEV adds
#			options to its socket
#   disk_reconnect	print the option for $DISK_CHARDEV that makes QEMU reconnect
#   disk_links		make links /disk/SERIAL to the disks in the guest
#   disk_stop NAME	stop the daemon; fail if it ends with an error
#   disk_kill NAME	kill the daemon
#   disk_sum NAME COUNTER
#			print a counter, summed over the queues (or pairs of a card)
#   disk_counters NAME	print all counters
#   disk_memory NAME COUNTER
#			print a counter of the line 'memory:'
#   disk_features NAME	print the negotiated features
#   disk_agreed NAME BIT	was this feature negotiated, by our device's and by the
#			guest's report? Needs disk_links
#   disk_tasks NAME	print the pids of the daemon and of its kernel threads
#
#   disk_switches PID...
#			print the context switches of all their threads
#   disk_sleeps PID...	print the voluntary ones of these
#
# disk_pid[NAME] is the daemon's pid; its log is $CASE_DIR/NAME.log.
# emulate.sh has module_load and nullb.
declare -A disk_pid
disks=()

disk_listens()
{
	[ -S "$CASE_DIR/$1.sock" ] || ! kill -0 "${disk_pid[$1]}" 2>/dev/null
}

disk_start()
{
	local name=$1 file=$2

	shift 2
	rm -f "$CASE_DIR/$name.sock"
	vhost-doorbell-blk --socket-path="$CASE_DIR/$name.sock" \
		--blk-file="$file" "$@" >>"$CASE_DIR/$name.log" 2>&1 &
	disk_pid[$name]=$!
	if ! wait_for 30 disk_listens "$name" ||
	   ! kill -0 "${disk_pid[$name]}"; then
		cat "$CASE_DIR/$name.log"
		exit 1
	fi
}

disk_attach()
{
	local chardev="socket,id=$1,path=$CASE_DIR/$1.sock"

	disks+=(-chardev "$chardev${DISK_CHARDEV:+,$DISK_CHARDEV}"
		-device "${DISK_DEVICE:-vhost-user-blk-pci},chardev=$1${2:+,$2}")
}

# QEMU 9 has renamed the option.
disk_reconnect()
{
	if qemu-system-x86_64 --version | grep -q 'version [78]\.'; then
		echo reconnect=1
	else
		echo reconnect-ms=500
	fi
}

disk_links()
{
	# shellcheck disable=SC2016 # the guest's
	guest_run 'mkdir /disk
		for d in /sys/block/vd*; do
			ln -s /dev/${d##*/} /disk/$(cat $d/serial)
		done'
}

disk_stop()
{
	local status=0

	kill "${disk_pid[$1]}"
	wait "${disk_pid[$1]}" || status=$?
	[ $status -eq 0 ] || diag "$1: the daemon ended with $status" \
		"$(tail -n 5 "$CASE_DIR/$1.log")"
	return $status
}

disk_kill()
{
	kill -KILL "${disk_pid[$1]}"
	wait "${disk_pid[$1]}" 2>/dev/null || :
}

disk_fdinfo()
{
	# The descriptor may be closed meanwhile.
	{ grep -lsx $'vhost-doorbell:\t.*' "/proc/${disk_pid[$1]}/fdinfo/"* || :; } |
		head -n 1 | xargs -r cat
}

# Prints all counters: a name and its sum per line
disk_counters()
{
	disk_fdinfo "$1" | awk '
		/^(queue|pair)[0-9]+:/ {
			for (i = 2; i <= NF; i++) {
				split($i, pair, "=")
				sum[pair[1]] += pair[2]
			}
		}
		END { for (key in sum) print key, sum[key] }'
}

disk_sum()
{
	disk_counters "$1" | sed -n "s/^$2 //p"
}

disk_memory()
{
	disk_fdinfo "$1" | sed -n "s/^memory:.*[[:blank:]]$2=\([0-9]*\).*/\1/p"
}

disk_tasks()
{
	echo "${disk_pid[$1]}"
	disk_fdinfo "$1" | sed -n 's/.* worker_pid=\([1-9][0-9]*\).*/\1/p'
}

# disk_status PID...: print the status files of all their threads
disk_status()
{
	local pid

	for pid; do
		cat "/proc/$pid/task"/*/status
	done 2>/dev/null || :
}

disk_switches()
{
	disk_status "$@" |
		awk '/ctxt_switches:/ { n += $2 } END { print n + 0 }'
}

disk_sleeps()
{
	disk_status "$@" |
		awk '/^voluntary_ctxt_switches:/ { n += $2 } END { print n + 0 }'
}

disk_features()
{
	disk_fdinfo "$1" | sed -n 's/^features:[[:blank:]]*//p'
}

disk_agreed()
{
	test "$(($(disk_features "$1") >> $2 & 1))" = 1 &&
		guest_run "v=\$(readlink /disk/$1) &&
			cut -c $(($2 + 1)) /sys/block/\${v##*/}/device/features |
			grep -qx 1"
}
