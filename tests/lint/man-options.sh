#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# man-options: check that every program has a man page, and that --help, SYNOPSIS
# and OPTIONS name the same options and subcommands. Builds the programs if they
# are missing
. "$(dirname "$0")/common"

bin=${VHD_BIN:-build/tools/bin}

# programs: list their names as tools/Makefile finds them
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

# help PROGRAM [SUBCOMMAND]: print its --help
help()
{
	timeout 10 "$@" --help 2>/dev/null </dev/null
}

# subcommands PROGRAM: list the words that begin an indented line of its --help
subcommands()
{
	help "$1" | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u
}

options_of()
{
	grep -oE -- '(^|[^[:alnum:]-])--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z0-9-]+' |
		sort -u
}

# short_of: list one-letter options, from lines that begin like '-h, --help'
short_of()
{
	grep -E -- '--[a-z]' | grep -oE -- '(^|[^[:alnum:]-])-[A-Za-z]([^[:alnum:]-]|$)' |
		grep -oE -- '-[A-Za-z]' | sort -u
}

# text_of PAGE: print it without the escapes of hyphens
text_of()
{
	sed -e 's/\\-/-/g' -e 's/\<Fl -/--/g' -e 's/\<Fl \([A-Za-z]\)\>/-\1/g' "$1"
}

# synopsis_of PAGE: print its SYNOPSIS without macros, one invocation per line
synopsis_of()
{
	text_of "$1" | awk '
	/^\.S[Hh] / { inside = $2 == "SYNOPSIS"; next }
	!inside { next }
	/^\.br/ || /^\.Nm *$/ || /^\.Pp/ { if (line != "") print line; line = ""; next }
	{ sub(/^\.[A-Z][A-Za-z]* /, ""); gsub(/"/, ""); line = line " " $0 }
	END { if (line != "") print line }'
}

# invocations_of PAGE SUBCOMMAND: list the invocations of one subcommand: those whose
# first word is its name
invocations_of()
{
	synopsis_of "$1" | awk -v sub_="$2" '
	NR == FNR { subcommand[$1] = 1; next }
	{
		for (i = 1; i <= NF; i++)
			if ($i in subcommand) {
				if ($i == sub_)
					print
				next
			}
	}' "$work/subcommands" -
}

# tags_of PAGE: print the lines that name options: the tags of .TP and .It
tags_of()
{
	text_of "$1" | awk '
	tag { print; tag = 0 }
	/^\.TP/ { tag = 1 }
	/^\.It / { print }'
}

# With more options than this a SYNOPSIS may say [OPTION]... instead.
SYNOPSIS_MAX=32

# compare PAGE WHAT SAID SHOWN: compare two sorted lists of options, from --help
# and from SYNOPSIS
compare()
{
	bad_lines < <(comm -23 "$3" "$4" | sed "s|^|$1: SYNOPSIS$2 lacks |")
	bad_lines < <(comm -13 "$3" "$4" |
		sed "s|\$|: in SYNOPSIS$2 of $1 but not in --help|")
}

# global_options PROGRAM: list the options that the program and each subcommand
# take
global_options()
{
	local sub

	help "$bin/$1" | options_of >"$work/global"
	while IFS= read -r sub; do
		help "$bin/$1" "$sub" | options_of | comm -12 "$work/global" - >"$work/both"
		mv "$work/both" "$work/global"
	done <"$work/subcommands"
}

# check_synopsis PROGRAM PAGE: each invocation must name the options in --help
check_synopsis()
{
	local program=$1 page=$2 sub options=$work/options shown=$work/shown

	if [ ! -s "$work/subcommands" ]; then
		options_of <"$work/help" >"$options"
		synopsis_of "$page" | options_of >"$shown"
		compare "$page" "" "$options" "$shown"
		return
	fi
	global_options "$program"
	help "$bin/$program" | options_of >"$work/all"
	while IFS= read -r sub; do
		invocations_of "$page" "$sub" >"$work/lines"
		if [ ! -s "$work/lines" ]; then
			bad "$page: SYNOPSIS lacks the subcommand $sub"
			continue
		fi
		help "$bin/$program" "$sub" | options_of >"$options"
		cat "$options" >>"$work/all"
		comm -23 "$options" "$work/global" >"$work/own"
		if [ "$(wc -l <"$work/own")" -gt "$SYNOPSIS_MAX" ]; then
			tr -d ' ' <"$work/lines" | grep -qF '[OPTION]...' ||
				bad "$page: SYNOPSIS of $sub lacks [OPTION]..."
			continue
		fi
		options_of <"$work/lines" | comm -23 - "$work/global" >"$shown"
		compare "$page" " of $sub" "$work/own" "$shown"
	done <"$work/subcommands"
	synopsis_of "$page" | options_of >"$work/synopsis"
	bad_lines < <(comm -23 "$work/global" "$work/synopsis" |
		sed "s|^|$page: SYNOPSIS lacks |")
	bad_lines < <(sort -u "$work/all" | comm -13 - "$work/synopsis" |
		sed "s|\$|: in SYNOPSIS of $page but not in --help|")
}

check_program()
{
	local program=$1 page said=$work/said tagged=$work/tagged sub

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
	check_synopsis "$program" "$page"
	{
		options_of <"$work/help"
		grep -E '^ +-' "$work/help" | short_of
	} | sort -u >"$said"
	tags_of "$page" >"$work/tags"
	{
		options_of <"$work/tags"
		short_of <"$work/tags"
	} | sort -u >"$tagged"
	bad_lines < <(comm -23 "$said" "$tagged" | sed "s|^|$page: explains no |")
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

# Each page must belong to a program that exists.
while IFS= read -r page; do
	name=${page##*/}
	# bpftrace parses the options of its scripts.
	[[ $name != doorbell-*.8 ]] || continue
	script=tools/systemd/${name%.*}
	if [ -x "$script" ]; then
		diff <(help "$script" | options_of) <(text_of "$page" | options_of) ||
			bad "$page and --help differ"
		continue
	fi
	programs | grep -qxF "${name%.*}" || bad "$page: there is no such program"
done < <(find tools/man -name '*.[1-3]' -o -name '*.[6-8]')
finish
