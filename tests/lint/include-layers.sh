#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# include-layers: check the layers of Documentation/architecture.rst by the
# table in include-layers.txt
. "$(dirname "$0")/common"
set -f	# patterns of the table are no file names here

rules=$(dirname "${BASH_SOURCE[0]}")/include-layers.txt
rules=tests/lint/${rules##*/}
mapfile -t rows < <(table "$rules" | grep -vE '^(only|never) ')
mapfile -t only < <(table "$rules" | grep '^only ')
mapfile -t never < <(table "$rules" | grep '^never ')

# allowed FILE: print the headers in the first row that matches it; status 1
# without a row
allowed()
{
	local row

	for row in "${rows[@]}"; do
		read -ra row <<<"$row"
		# shellcheck disable=SC2053 # a pattern is meant
		if [[ $1 == ${row[0]} ]]; then
			echo "${row[*]:1}"
			return 0
		fi
	done
	return 1
}

# check_own FILE LINE HEADER ALLOWED: check an include of a header of the
# project
check_own()
{
	local own=${1##*/} headers

	read -ra headers <<<"$4"
	case $1 in
	drivers/*) headers+=(stats.h trace.h) ;;
	esac
	matches "$3" "${own%.*}.h" "${headers[@]}" ||
		bad "$1:$2: may not include \"$3\" ($rules)"
}

# check_only FILE LINE HEADER: check an include of a header that only some files
# may use
check_only()
{
	local row

	for row in "${only[@]}"; do
		read -ra row <<<"$row"
		[ "$3" = "${row[1]}" ] || continue
		matches "$1" "${row[@]:2}" ||
			bad "$1:$2: <$3> is for ${row[*]:2} ($rules)"
	done
}

# check_never: check that no lower layer declares functions of an upper one itself
check_never()
{
	local row file

	for row in "${never[@]}"; do
		read -ra row <<<"$row"
		while IFS= read -r file; do
			bad_lines < <(grep -noE "\\b${row[1]}\w*" "$file" |
				sed "s|^|$file:|; s|\$| is of an upper layer ($rules)|")
		done < <(files "${row[@]:2}")
	done
}

check_file()
{
	local file=$1 may line text header

	may=$(allowed "$file") || {
		bad "$file: has no row in $rules"
		return
	}
	while IFS=: read -r line text; do
		header=${text#*[<\"]}
		header=${header%%[>\"]*}
		case $text in
		*\"*) check_own "$file" "$line" "$header" "$may" ;;
		*)
			case $file in
			drivers/*) check_only "$file" "$line" "$header" ;;
			esac
			;;
		esac
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*include\b' "$file")
}

while IFS= read -r file; do
	check_file "$file"
done < <(files 'drivers/vhost-doorbell/*.[ch]' 'tools/vhost-user/*.[ch]' \
	'tools/lib/*.[ch]' 'tools/daemon/*.[ch]' 'tools/blk/*.[ch]' \
	'tools/net/*.[ch]' 'tools/doorbell-bench/*.[ch]')
check_never
finish
