# shellcheck shell=bash disable=SC2154 # of case.sh: case_results
# SPDX-License-Identifier: GPL-2.0
# emulate.sh: run the module under an emulated driver, without a guest.
#
#   module_load		load vhost_doorbell.ko
#   nullb NAME ATTRIBUTE=VALUE...
#			make a null_blk disk that keeps its data in memory; sets
#			$disk to its device node
#   daemon_start ARG...	start vhost-doorbell-blk with two queues on $sock; sets
#			$daemon to its pid
#   daemon_stop		stop it; fail if it ends with an error
#   released DISK	is the block device unused? A device that was closed while
#			its disk was slow holds the disk until the disk has answered.
#   emulate ARG...	run doorbell-bench emulate on $sock
#   counter QUEUE NAME	print a counter of the daemon's device, from fdinfo
#   under_way		has the driver in the background made some requests?
#   nullb_ext4 NAME SIZE DIR
#			make such a disk of SIZE megabytes with ext4, and mount it on
#			$CASE_DIR/DIR
#   tap COMMAND...	run a test program and report its results as ours
#
# Their output is in $CASE_DIR/daemon.log and $CASE_DIR/emulate.log.
# $factor is how many times slower than usual this kernel is.

factor=${TIME_FACTOR:-1}
sock=$CASE_DIR/sock

module_load()
{
	[ -d /sys/module/vhost_doorbell ] || "$VM_DIR/load"
}

nullb()
{
	local name=$1 item config=/sys/kernel/config/nullb

	shift
	modprobe null_blk nr_devices=0
	[ -d $config ] || mount -t configfs configfs /sys/kernel/config
	# Remove the disk of an earlier case
	if [ -d "$config/$name" ]; then
		echo 0 >"$config/$name/power"
		rmdir "$config/$name"
	fi
	mkdir "$config/$name"
	for item in memory_backed=1 size=64 "$@" power=1; do
		echo "${item#*=}" >"$config/$name/${item%%=*}"
	done
	# Older kernels name the disk by a number.
	disk=/dev/$name
	[ -b "$disk" ] || disk=/dev/nullb$(cat "$config/$name/index")
}

nullb_ext4()
{
	nullb "$1" size="$2"
	mkfs.ext4 -q "$disk"
	mkdir "$CASE_DIR/$3"
	mount "$disk" "$CASE_DIR/$3"
}

daemon_start()
{
	vhost-doorbell-blk --socket-path="$sock" --queues=2 "$@" \
		>>"$CASE_DIR/daemon.log" 2>&1 &
	daemon=$!
	if ! wait_for $((10 * factor)) test -S "$sock"; then
		cat "$CASE_DIR/daemon.log"
		exit 1
	fi
}

daemon_stop()
{
	local status=0

	kill "$daemon"
	wait "$daemon" || status=$?
	[ $status -eq 0 ] || diag "vhost-doorbell-blk ended with $status"
	return $status
}

released()
{
	python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)' \
		"$1" 2>/dev/null
}

# A killed daemon leaves its socket, which must not be taken for that of the
# next one.
daemon_kill()
{
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null || :
	rm -f "$sock"
}

emulate()
{
	local status=0

	timeout -k 10 $((60 * factor)) doorbell-bench emulate --socket "$sock" \
		--watchdog $((20 * factor)) "$@" \
		>"$CASE_DIR/emulate.log" 2>&1 || status=$?
	[ $status -eq 0 ] || diag "emulate $*: status $status" \
		"$(tail -n 30 "$CASE_DIR/emulate.log")"
	return $status
}

# These are called often, so they start no process.
fdinfo()
{
	local file text

	for file in "/proc/$daemon/fdinfo/"*; do
		text=
		# The file may vanish meanwhile.
		{ IFS= read -r -d '' text <"$file"; } 2>/dev/null || :
		if [[ $text == *$'\nvhost-doorbell:\t'* ]]; then
			printf '%s' "$text"
			break
		fi
	done
}

counter()
{
	local line=$'\nqueue'$1$':[^\n]* '$2'=([0-9]+)'

	if [[ $(fdinfo) =~ $line ]]; then
		echo "${BASH_REMATCH[1]}"
	fi
}

# Does the driver in the background make requests?
under_way()
{
	local n

	n=$(counter 0 completed)
	[ "${n:-0}" -gt 100 ]
}

tap()
{
	local name=$1 line planned='' seen=$case_results status=0
	local out=$CASE_DIR/tap

	# The programs map memory at fixed addresses, so turn off address
	# randomisation.
	[[ $name != test-* ]] || set -- setarch -R "$@"
	"$@" >"$out" 2>&1 || status=$?
	while IFS= read -r line; do
		if [[ $line =~ ^(not ok|ok)( [0-9]+)?( -)?" "(.*)$ ]]; then
			line=${BASH_REMATCH[4]}
			case ${BASH_REMATCH[1]}$line in
			not*) not_ok "$line" ;;
			*' # SKIP '*) skip "${line%% # SKIP *}" "${line##* # SKIP }" ;;
			*) ok "$line" ;;
			esac
		elif [[ $line =~ ^1\.\.([0-9]+)$ ]]; then
			planned=${BASH_REMATCH[1]}
		else
			diag "${line#\# }"
		fi
	done <"$out"
	if [ $status -gt 1 ] || [ "$planned" != $((case_results - seen)) ]; then
		not_ok "$name: status $status, planned '$planned' results"
	fi
}
