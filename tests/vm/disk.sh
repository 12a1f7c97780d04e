# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# disk.sh: any number of disks, each with a vhost-doorbell-blk of its own.
#
#   disk_start NAME FILE ARG...
#			start the daemon that serves FILE, in $CASE_DIR/NAME.sock
#   disk_attach NAME [PROPERTIES]
#			add what QEMU needs for it to the array 'disks'; the device
#			is vhost-user-blk-pci or $DISK_DEVICE, $DISK_CHARDEV adds
#			options to its socket
#   disk_reconnect	for $DISK_CHARDEV: QEMU connects again, as its version has it
#   disk_links		the guest's disks are /disk/SERIAL there, for guest_run
#   disk_stop NAME	end the daemon, and fail if it does not end well
#   disk_kill NAME	kill it
#   disk_sum NAME COUNTER
#			a counter, summed over the queues (or pairs of a card)
#   disk_counters NAME	all of them
#   disk_memory NAME COUNTER
#			a counter of the line 'memory:'
#   disk_features NAME	what was negotiated
#   disk_agreed NAME BIT	was it, as we know it and as the guest does? After
#			disk_links
#   disk_tasks NAME	process ids of all that may work for it: the daemon, its
#			kernel threads
#   disk_switches PID...
#			context switches of all their threads
#   disk_sleeps PID...	those of them that were not another's doing
#
# disk_pid[NAME] is the daemon; it says what it says in $CASE_DIR/NAME.log.
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

# QEMU has renamed it.
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
	# A descriptor that goes meanwhile is no error.
	{ grep -lsx $'vhost-doorbell:\t.*' "/proc/${disk_pid[$1]}/fdinfo/"* || :; } |
		head -n 1 | xargs -r cat
}

# All counters, a name and its sum per line
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

# disk_status PID...: of all their threads
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
