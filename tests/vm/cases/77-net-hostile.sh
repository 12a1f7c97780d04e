# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A network driver that breaks the rules harms only its own queue.
# kernels: trixie
# timeout: 600
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/net_emulate.sh"

module_load
modprobe tun

long=${EVERYWHERE:-0}

# attack NAME RING [ARG...]: break all rules on a card whose rings are split (RING is '') or
# packed (--packed). 'make check-all' tries both, and --no-mrg.
attack()
{
	local name=$1 arg args=("$2")

	shift 2
	[ "$long" -eq 0 ] || args=('' --packed --no-mrg)
	for arg in "${args[@]}"; do
		diag "$name $* $arg"
		# shellcheck disable=SC2086 # none or one
		tap net_hostile all "$@" $arg
		# shellcheck disable=SC2086
		tap net_hostile random --seconds 3 --seed $RANDOM "$@" $arg
		# shellcheck disable=SC2086
		both "$name: a good driver after that${arg:+, $arg}" "$@" $arg
	done
}

net_device=(--doorbell --tap tap0)
attack "tap" ''
if [ "$long" -eq 1 ]; then
	attack "tap, worker" '' --mode worker
	attack "tap, two pairs" '' --pairs 2
fi
net_device=(--doorbell --dev vd0)
attack "own device" --packed

# The rate limit lets ten lines of each kind pass in five seconds.
lines=$(dmesg | grep -c vhost-doorbell || :)
diag "$lines lines in the kernel log in $SECONDS s"
check "the kernel log is not flooded" test "$lines" -le $((2 * SECONDS + 20))
case_end
