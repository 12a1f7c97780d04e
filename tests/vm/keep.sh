# shellcheck shell=bash disable=SC2154,SC2034 # of disk.sh: disk_pid; for the case: keep_longest
# SPDX-License-Identifier: GPL-2.0
# keep.sh: kill the worker of a daemon that runs with --keep, see disk.sh.
#
#   keep_worker NAME	print the worker's pid
#   keep_kill NAME	kill the worker while requests come, and wait until the next one
#			goes on. Its parent is stopped until the kernel has served some
#			without a worker. Adds their number to $keep_alone, and keeps in
#			$keep_longest the milliseconds for which no worker lived at most;
#			fails if none was served or no worker goes on
#   keep_fio SERIAL MIB		in the guest, begin to write and verify that part of the disk,
#			again and again
#   keep_fio_end	end that after the present round; print the number of blocks that
#			were verified; fail if fio has failed, or found another block
#   keep_fio_longest	print the milliseconds of the longest request of the rounds so far
#   keep_takeovers NAME	print how many workers have gone on with a front end

keep_alone=0
keep_longest=0

keep_worker()
{
	pgrep -P "${disk_pid[$1]}" | tail -n 1
}

keep_takeovers()
{
	grep -c 'goes on with the front end' "$CASE_DIR/$1.log"
}

keep_moved()
{
	local requests

	requests=$(disk_sum "$1" requests)
	[ "${requests:-0}" -gt "$2" ]
}

keep_went_on()
{
	[ "$(keep_takeovers "$1")" -gt "$2" ]
}

# Its address space is gone.
keep_is_dead()
{
	grep -q '^State:.Z' "/proc/$1/status"
}

keep_kill()
{
	local parent=${disk_pid[$1]} worker count before began alone gap

	worker=$(keep_worker "$1")
	count=$(keep_takeovers "$1" || :)
	kill -STOP "$parent"
	began=$(date +%s%N)
	kill -KILL "$worker"
	wait_for 10 keep_is_dead "$worker" || :
	before=$(disk_sum "$1" requests)
	wait_for 20 keep_moved "$1" $((before + 20)) || :
	alone=$(($(disk_sum "$1" requests) - before))
	kill -CONT "$parent"
	wait_for 20 keep_went_on "$1" "$count" || {
		tail -n 5 "$CASE_DIR/$1.log"
		return 1
	}
	gap=$((($(date +%s%N) - began) / 1000000))
	keep_alone=$((keep_alone + alone))
	[ $gap -le $keep_longest ] || keep_longest=$gap
	[ $alone -gt 0 ]
}

keep_fio()
{
	guest_run "while [ ! -e /tmp/enough ]; do
			fio --name=kept --filename=/disk/$1 --size=${2}M --bs=4k --direct=1 \
				--thread --output-format=terse --terse-version=3 --eta=never \
				--rw=randwrite --ioengine=libaio --iodepth=4 \
				--verify=crc32c --verify_fatal=1 || break
			echo round
		done >/tmp/fio 2>&1 &"
}

# At least one round must have ended. The serial line is slow: only these fields of terse
# version 3 are sent, the longest read and the longest write in us.
keep_fio_longest()
{
	guest_run -t 60 "grep '^3;' /tmp/fio | cut -d ';' -f 39,80" | awk -F ';' '
		{
			rounds++
			if ($1 > longest)
				longest = $1
			if ($2 > longest)
				longest = $2
		}
		END { printf "%d\n", longest / 1000; exit !rounds }'
}

# fio's verify phase counts as reading.
keep_fio_end()
{
	guest_run -t 120 'touch /tmp/enough
		while killall -q -0 fio; do sleep 1; done; sleep 1; cat /tmp/fio' \
		>"$CASE_DIR/fio" &&
	awk -F ';' '
		/^3;/ { runs++; bad += $5 != 0; blocks += $6 / 4; next }
		/^round/ { rounds++; next }
		/error|verify:/ { bad++ }
		END { printf "%d\n", blocks; exit bad || !rounds || runs != rounds }' \
		"$CASE_DIR/fio" && return
	cat "$CASE_DIR/fio" >&2
	return 1
}
