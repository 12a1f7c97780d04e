#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tidy: check for things that no file of the project may contain
. "$(dirname "$0")/common"

# never PATTERN WHAT [FILE...]: report lines that match PATTERN
never()
{
	local pattern=$1 what=$2

	shift 2
	bad_lines < <(grep -nIHE "$pattern" "$@" 2>/dev/null |
		cut -c1-160 | sed "s/\$/: $what/")
}

mapfile -t all < <(files)
mapfile -t others < <(files | grep -vxF "tests/lint/${0##*/}")

never '[[:blank:]]+$' 'blanks at the end of the line' "${all[@]}"
never $'\r$' 'a carriage return' "${all[@]}"
never '\b(TODO|FIXME|XXX)\b' 'finish it, or open an issue' "${others[@]}"
# A path that exists on one machine only.
never '(^|[^[:alnum:]_.~-])/(root|home|work|Users)/[[:alnum:]_.]' \
	'a path of one machine' "${others[@]}"
never '^(<<<<<<<|>>>>>>>)( .*)?$' 'left over from a merge' "${all[@]}"

mapfile -t text < <(grep -lI . "${all[@]}")
for file in "${text[@]}"; do
	[ -z "$(tail -c 1 "$file")" ] || bad "$file: no newline at its end"
done
bad_lines < <(awk '
	function check() { if (last == "") print name ": an empty line at its end" }
	FNR == 1 && name != "" { check() }
	{ name = FILENAME; last = $0 }
	END { check() }' "${text[@]}")

# One parser of options and one of numbers: they refuse signs, spaces and tails alike.
mapfile -t sources < <(files '*.c' '*.h' | grep -vxF tools/lib/optparse.c)
never '\b(getopt(_long(_only)?)?|ato[il]l?|atof|strto(u?ll?|[dfl]|ld|[iu]max))\(.*[,)]' \
	'parse it by optparse.h or number.h' "${sources[@]}"

# C files and scripts are indented with tabs.
mapfile -t tabbed < <(files '*.c' '*.h' '*.sh')
never '^        ' 'indented by spaces, tabs are wanted' "${tabbed[@]}"
finish
