# shellcheck shell=bash disable=SC2034,SC2154 # the caller's
# SPDX-License-Identifier: GPL-2.0
# lib.sh: common parts of the scripts here that run outside of L1.
#
#   warn_busy		warn if this machine has other work
#   build_counters DIR	build DIR/insn.so, the emulator's plugin
#   stage_bench RELEASE DIR
#			make DIR/share, with the module, the programs and these
#			scripts; set $root, $boot, $version, $out and $share
#   measure_l1 RELEASE SCRIPT VARIABLE...
#			run a script in L1 with the values of these variables;
#			set $status
#
# The caller has set $here and $vm.

flags=(-std=gnu11 -O2 -Wall -Wextra -Wshadow -Wmissing-prototypes -Werror)

# On a busy machine times mean nothing. Instructions grow, too, by the timer
# ticks during a slower request.
warn_busy()
{
	awk -v cpus="$(nproc)" '$1 > cpus / 2 {
		print "bench: this machine is busy, its load is " $1 }' \
		/proc/loadavg >&2
}

build_counters()
{
	"${CC:-cc}" "${flags[@]}" -fPIC -shared -fvisibility=hidden \
		-o "$1/insn.so" "$here/insn.c"
}

# If the module does not build, the other back ends are still measured.
stage_bench()
{
	root=$("$vm/mkroot" "$1")
	boot=$("$vm/mkboot" "$1")
	version=$(cat "$boot/version")
	out=$(mkdir -p "$2" && cd "$2" && pwd)
	"$vm/mkmodule" "$1" "$out" || echo 'bench: no module' >&2
	"$vm/stage" "$1" "$out"
	share=$out/share
	build_counters "$out"
}

measure_l1()
{
	local release=$1 script=$2 name values=()

	shift 2
	for name; do
		values+=("$name=${!name:-}")
	done
	warn_busy
	status=0
	EXTRA="-plugin $out/insn.so,out=$share/insn ${EXTRA:-}" \
		TIMEOUT=${TIMEOUT:-36000} MEM=${MEM:-6G} RETRIES=${RETRIES:-9} \
		"$vm/l1" "$release" "$share" env "${values[@]}" \
		bash "/tmp/host/bench/$script" |
		sed -u 's/^@@RETRY/bench: the virtual machine is booted again:/' ||
		status=$?
}
