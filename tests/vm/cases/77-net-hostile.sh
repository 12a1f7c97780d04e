# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A driver of a card that breaks the rules hurts its own queue only.
# kernels: trixie
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/net_emulate.sh"

module_load
modprobe tun

# Cases of the other format of rings are left to it.
hostile()
{
	doorbell-bench emulate --type net "${net_device[@]}" \
		--hostile "$@" | awk '
		/^1\.\./ { planned = substr($0, 4); next }
		/ # SKIP / { n++; next }
		{ print }
		END { print "1.." planned - n }'
}

attack()
{
	local name=$1 arg

	shift
	for arg in '' --packed ${EVERYWHERE:+--no-mrg}; do
		diag "$name $* $arg"
		# shellcheck disable=SC2086 # none or one
		tap hostile all "$@" $arg
		# shellcheck disable=SC2086
		tap hostile random --seconds 3 --seed $RANDOM "$@" $arg
		# shellcheck disable=SC2086
		both "$name: a good driver after that${arg:+, $arg}" "$@" $arg
	done
}

net_device=(--doorbell --tap tap0)
attack "tap"
if [ -n "${EVERYWHERE:-}" ]; then
	attack "tap, worker" --mode worker
	attack "tap, two pairs" --pairs 2
fi
net_device=(--doorbell --dev vd0)
attack "own device"

# Ten in five seconds are let through, of each kind.
lines=$(dmesg | grep -c vhost-doorbell || :)
diag "$lines lines in the kernel log in $SECONDS s"
check "the kernel log is not flooded" test "$lines" -le $((2 * SECONDS + 20))
case_end
