#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# man-options: every program has a man page, and both tell the same options and
# subcommands; needs the programs, and builds them if they are not there
. "$(dirname "$0")/common"

bin=${VHD_BIN:-build/tools/bin}

# programs: by name, as tools/Makefile finds them
programs()
{
	local path

	for path in tools/*.c; do
		[ ! -f "$path" ] || basename "$path" .c
	done
	for path in tools/*/main.c; do
		[ ! -f "$path" ] || basename "$(dirname "$path")"
	done
}

# help PROGRAM [SUBCOMMAND]: what --help says
help()
{
	timeout 10 "$@" --help 2>/dev/null </dev/null
}

# subcommands PROGRAM: the words that begin an indented line of its --help
subcommands()
{
	help "$1" | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u
}

options_of()
{
	grep -oE -- '(^|[^[:alnum:]-])--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z0-9-]+' |
		sort -u
}

# text_of PAGE: without what man and mdoc make of hyphens
text_of()
{
	sed -e 's/\\-/-/g' -e 's/\<Fl -/--/g' "$1"
}

# tags_of PAGE: the options that it explains, which stand in the tag of a .TP
# or in an .It
tags_of()
{
	text_of "$1" | awk '
	tag { print; tag = 0 }
	/^\.TP/ { tag = 1 }
	/^\.It / { print }' | options_of
}

check_program()
{
	local program=$1 page said=$work/said told=$work/told tagged=$work/tagged sub

	page=$(find tools/man -name "$program.[1-8]")
	if [ -z "$page" ]; then
		bad "tools/man: no page of $program"
		return
	fi
	help "$bin/$program" >"$work/help" || {
		bad "$program: --help fails"
		return
	}
	subcommands "$bin/$program" >"$work/subcommands"
	while IFS= read -r sub; do
		help "$bin/$program" "$sub" >>"$work/help"
		grep -qwF -- "$sub" "$page" ||
			bad "$page: lacks the subcommand $sub"
	done <"$work/subcommands"
	options_of <"$work/help" >"$said"
	text_of "$page" | options_of >"$told"
	tags_of "$page" >"$tagged"
	bad_lines < <(comm -23 "$said" "$told" | sed "s|^|$page: lacks |")
	bad_lines < <(comm -13 "$said" "$tagged" |
		sed "s|\$|: in $page but not in $program --help|")
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

while IFS= read -r program; do
	[ -x "$bin/$program" ] || missing=1
done < <(programs)
if [ -n "${missing:-}" ]; then
	bin=build/tools/bin
	make -s -C tools >"$work/make" 2>&1 || {
		tail -n 5 "$work/make"
		skip "the programs do not build"
	}
fi
while IFS= read -r program; do
	check_program "$program"
done < <(programs)

# And no page of a program that is not there any more.
while IFS= read -r page; do
	name=${page##*/}
	programs | grep -qxF "${name%.*}" || bad "$page: there is no such program"
done < <(find tools/man -name '*.[1-3]' -o -name '*.[5-8]')
finish
