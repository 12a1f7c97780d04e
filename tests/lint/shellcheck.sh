#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run shellcheck on every shell script
. "$(dirname "$0")/common"

command -v shellcheck >/dev/null || skip "shellcheck is not installed"

# Prints the shell of a script from its first line; nothing if it is not a
# script.
shell_of()
{
	local first=

	IFS= read -r first <"$1" 2>/dev/null
	case $first in
	'#!'*busybox*) echo dash ;;	# the nearest that is known
	'#!'*/dash | '#!'*/sh | '#!'*/sh\ *) echo sh ;;
	'#!'*bash*) echo bash ;;
	'# shellcheck shell='*)
		first=${first#*shell=}
		echo "${first%% *}"
		;;
	*)
		case $1 in
		*.sh) echo bash ;;
		esac
		;;
	esac
}

declare -A scripts=()
while IFS= read -r file; do
	shell=$(shell_of "$file")
	[ -z "$shell" ] || scripts[$shell]+="$file"$'\n'
done < <(LC_ALL=C files | grep -vE '\.([ch]|rst|md|json|png|svg|txt|[1-8])$')

for shell in "${!scripts[@]}"; do
	mapfile -t list <<<"${scripts[$shell]%$'\n'}"
	shellcheck --shell="$shell" --format=gcc "${list[@]}" || lint_status=1
done
finish
