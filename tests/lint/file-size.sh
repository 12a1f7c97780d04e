#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# file-size: warn about files above 500 lines and C functions above 50; fail
# above 800 and 100
. "$(dirname "$0")/common"

# long_functions FILE...: 'FILE:LINE: LENGTH NAME' of those above 50 lines. In
# the kernel's style a body is all from a { to a } in the first column.
long_functions()
{
	awk '
	FNR == 1 { start = 0 }
	/^[A-Za-z_].*\(/ && !/;[[:space:]]*$/ {
		name = $0
		sub(/[[:space:]]*\(.*/, "", name)
		sub(/.*[ *]/, "", name)
		head = FNR
	}
	/^\{/ { start = FNR }
	/^\}/ && start {
		if (FNR - start - 1 > 50)
			printf "%s:%d: %d %s\n", FILENAME, head,
			       FNR - start - 1, name
		start = 0
	}' "$@"
}

while IFS= read -r file; do
	lines=$(wc -l <"$file")
	# A program needs one header for the whole ABI.
	most=800
	[[ $file != include/uapi/* ]] || most=1200
	if [ "$lines" -gt $most ]; then
		bad "$file: $lines lines, split it (at most $most)"
	elif [ "$lines" -gt 500 ]; then
		echo "note: $file: $lines lines (better 500)"
	fi
done < <(files '*.c' '*.h' '*.sh' '*.awk' '*Makefile' 'tests/vm/*' 'tests/run')

mapfile -t sources < <(files '*.c' '*.h')
while read -r where length name; do
	if [ "$length" -gt 100 ]; then
		bad "$where $name() has $length lines, redesign it (at most 100)"
	else
		echo "note: $where $name() has $length lines (better 50)"
	fi
done < <(long_functions "${sources[@]}")
finish
