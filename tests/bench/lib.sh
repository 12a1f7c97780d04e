# shellcheck shell=bash disable=SC2154 # the caller's
# SPDX-License-Identifier: GPL-2.0
# lib.sh: what the scripts here share, outside of L1.
#
#   warn_busy		say so if this machine has other work
#   build_counters DIR	make DIR/insn.so, the emulator's plugin, and sample in
#			what L1 sees of DIR

flags=(-std=gnu11 -O2 -Wall -Wextra -Wshadow -Wmissing-prototypes -Werror)

# Times of a busy machine say nothing; instructions grow too, with the timer
# ticks that fall on a slower request.
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
	"${CC:-cc}" "${flags[@]}" -static -o "$1/share/bin/sample" \
		"$here/sample.c"
}
