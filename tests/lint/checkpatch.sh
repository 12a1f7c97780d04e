#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# checkpatch: run the kernel's style check on all C sources
#
# Distribution headers lack the script. It is looked for in $CHECKPATCH, in
# kernel source trees, and in the tarball of the linux-source package, from which
# it is unpacked into the cache.
. "$(dirname "$0")/common"

cache=${VHD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vhost-doorbell}

# Message types that are not checked, and why.
ignore=(
	FILE_PATH_CHANGES	# the kernel's MAINTAINERS file does not exist here
	UNCOMMENTED_DEFINITION	# asks for comments of locks; __guarded_by serves
	WAITQUEUE_ACTIVE	# overlooks a comment above a longer condition
	UNNECESSARY_ELSE	# complains about the last of several cases, too
	BIT_MACRO		# 1UL << SHIFT may be a size; libc has no BIT()
	MACRO_ARG_REUSE		# our macros are called with plain names
)
# Further types for programs: kernel helpers that libc lacks, and matters of
# taste.
ignore_tools=(
	PREFER_DEFINED_ATTRIBUTE_MACRO
	CAMELCASE		# PRIu64
	ARRAY_SIZE
	NAKED_SSCANF SSCANF_TO_KSTRTO
	VOLATILE		# libc has no READ_ONCE()
	SPLIT_STRING		# help texts
	EMBEDDED_FUNCTION_NAME	# "usage: ..."
	UNNECESSARY_PARENTHESES	# compilers warn without some of them
	MULTIPLE_ASSIGNMENTS
	SUSPECT_COMMA_SEMICOLON	# takes initialisers of tables for statements
)

find_checkpatch()
{
	local path

	for path in "${CHECKPATCH:-}" "$cache"/checkpatch/scripts/checkpatch.pl \
		"$cache"/*/scripts/checkpatch.pl \
		"$cache"/*/linux-source-*/scripts/checkpatch.pl \
		/lib/modules/*/{build,source}/scripts/checkpatch.pl \
		/usr/src/linux*/scripts/checkpatch.pl \
		/usr/lib/linux-kbuild-*/scripts/checkpatch.pl; do
		[ -n "$path" ] && [ -f "$path" ] && echo "$path" && return 0
	done
	return 1
}

unpack_checkpatch()
{
	local tarball dir=$cache/checkpatch

	for tarball in /usr/src/linux-source-*.tar.xz \
		"$cache"/*/usr/src/linux-source-*.tar.xz; do
		[ -f "$tarball" ] || continue
		mkdir -p "$dir" && tar -xJf "$tarball" -C "$dir" --strip=1 \
			--wildcards '*/scripts/checkpatch.pl' \
			'*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' 2>/dev/null
		return
	done
}

# check IGNORED FILE...: check copies without code that checkpatch mistakes for
# functions
check()
{
	local ignored=$1 file status=0

	shift
	for file; do
		mkdir -p "$work/${file%/*}"
		sed -e 's/ __guarded_by([^)]*)//' -e 's/_cleanup_fd_ //' \
			-e 's/__attribute__((cleanup([a-z_]*)))/__cleanup/' \
			"$file" >"$work/$file"
	done
	(cd "$work" && perl "$checkpatch" --no-tree --strict --terse --quiet \
		--no-summary --show-types --ignore "$ignored" --file "$@") \
		2>"$work/stderr" || status=$?
	[ "$status" -eq 0 ] || lint_status=1
	# Otherwise stderr only complains about the missing kernel tree.
	[ "$status" -le 1 ] || cat "$work/stderr"
}

command -v perl >/dev/null || skip "perl is not installed"
checkpatch=$(find_checkpatch) || {
	unpack_checkpatch
	checkpatch=$(find_checkpatch)
} || skip "no checkpatch.pl here; it is in the package linux-source"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# trace.h follows the form that the tracing headers require.
mapfile -t module < <(files 'drivers/*.[ch]' 'include/*.h' | grep -v /trace.h)
mapfile -t programs < <(files 'tools/*.[ch]')
list=$(IFS=,; echo "${ignore[*]}")
check "$list" "${module[@]}"
check "$list,$(IFS=,; echo "${ignore_tools[*]}")" "${programs[@]}"
finish
