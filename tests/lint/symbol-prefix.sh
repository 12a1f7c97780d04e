#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# symbol-prefix: the name of a function that is not static must begin with the
# name of its file, by the rules of symbol-prefix.txt
. "$(dirname "$0")/common"

rules=tests/lint/symbol-prefix.txt
declare -A prefixes=() also=()
while read -r where prefix; do
	case $where in
	*/) prefixes[$where]=${prefix#-} ;;
	*) also[$where]+=" $prefix" ;;
	esac
done < <(table "$rules")

# exported FILE: print 'LINE NAME' of each function that is not static. In the
# kernel's style the head of a function and its { begin in the first column.
exported()
{
	awk '
	/^[A-Za-z_]/ && !/[;:]$/ { head = $0; line = FNR }
	/^[A-Za-z_].*[;:]$/ { head = "" }
	/^\{/ && head != "" && head !~ /^(static|enum|struct [a-z_]+ \{)/ {
		sub(/^__(printf|attribute__)\([^)]*\)+ */, "", head)
		if (match(head, /[a-zA-Z_0-9]+\(/))
			print line, substr(head, RSTART, RLENGTH - 1)
		head = ""
	}' "$1"
}

check_file()
{
	local file=$1 name=${1##*/} line symbol prefix may

	prefix=${prefixes[${file%/*}/]}${name%.c}_
	read -ra may <<<"$prefix ${also[$file]:-}"
	while read -r line symbol; do
		matches "$symbol" "${may[@]/%/*}" ||
			bad "$file:$line: $symbol() is not ${prefix}* ($rules)"
	done < <(exported "$file")
}

for dir in "${!prefixes[@]}"; do
	while IFS= read -r file; do
		check_file "$file"
	done < <(files "$dir*.c")
done
finish
