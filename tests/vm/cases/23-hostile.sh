# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A driver that breaks the rules harms only its own queue.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# Cases that need another kind of disk are skipped here and run with that disk
# at the end.
hostile_all()
{
	doorbell-bench emulate --socket "$sock" --hostile all "$@" |
		awk -v skipped="$CASE_DIR/skipped" -v ran="$CASE_DIR/ran" '
		/^1\.\./ { planned = substr($0, 4); next }
		{ name = $0; sub(/^(not )?ok [0-9]* - /, "", name) }
		sub(/ # SKIP .*/, "", name) { print name >>skipped; n++; next }
		{ print name >>ran; print }
		END { print "1.." planned - n }'
}

# To save time, make check breaks the rules with split and with packed rings in mode
# inline, and with one of them elsewhere. make check-all does it with both everywhere.
declare -A rings=([inline]='split packed' [worker]=split [poll]=packed
		  [read-only]=split [4096]=packed)
[ "${EVERYWHERE:-0}" -eq 0 ] || rings=()

# hostile KIND [ARG...]: break all rules, with the rings of this kind of test
hostile()
{
	local kind=$1 ring

	shift
	for ring in ${rings[$kind]:-split packed}; do
		[ "$ring" = packed ] || ring=
		tap hostile_all "$@" ${ring:+--packed}
		[ $# -eq 0 ] || continue
		tap doorbell-bench emulate --socket "$sock" --hostile random \
			--seconds 3 --seed $RANDOM ${ring:+--packed}
		check "$kind: a good driver is served after that${ring:+, packed}" \
			emulate --rw randrw --verify --queues 2 --count 200 \
			${ring:+--packed}
	done
}

module_load
modprobe loop
nullb nullb0 size=256 irqmode=1
for mode in inline worker poll; do
	daemon_start --blk-file="$disk" --mode=$mode
	hostile $mode
	check "$mode: the daemon ends well" daemon_stop
done

daemon_start --blk-file="$disk" --read-only
hostile read-only --read-only-expected
check "read-only: the daemon ends well" daemon_stop

truncate -s 256M "$CASE_DIR/blocks"
loop=$(losetup -f --show --sector-size 4096 "$CASE_DIR/blocks")
daemon_start --blk-file="$loop"
hostile 4096
check "blocks of 4096 bytes: the daemon ends well" daemon_stop
losetup -d "$loop"

left=$(comm -23 <(sort -u "$CASE_DIR/skipped") <(sort -u "$CASE_DIR/ran"))
check "every rule was broken on some disk: ${left:-all}" test -z "$left"

# The rate limit lets ten lines of each kind pass in five seconds.
lines=$(dmesg | grep -c vhost-doorbell || :)
diag "$lines lines in the kernel log in $SECONDS s"
check "the kernel log is not flooded" test "$lines" -le $((2 * SECONDS + 20))
case_end
