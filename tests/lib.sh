# shellcheck shell=bash disable=SC2154 # the caller's: results, logs, retries, attempts
# SPDX-License-Identifier: GPL-2.0
# lib.sh: results of the test groups, for tests/run.
#
# The results of a group are lines 'ok - GROUP: NAME' or 'not ok - GROUP: NAME';
# skipped ones end in ' # SKIP reason'. They are printed as they come and stored in
# $results/GROUP, from which the summary counts them. $logs is the directory of logs.
# The file $retries lists second attempts of this run, $attempts those of all runs.
# Details that a case in L1 prints after its failure are repeated with the summary.

# result GROUP ok|'not ok' NAME
result()
{
	printf '%s - %s: %s\n' "$2" "$1" "$3" | tee -a "$results/$1"
}

# attempt WHAT: record a second attempt
attempt()
{
	echo "$(date -u +%FT%TZ) $*" >>"$attempts"
}

# tap GROUP: read TAP from stdin, print and store its results; all input goes to
# GROUP.log, too
tap()
{
	local line of=/dev/null ended=0

	: >"$results/$1"
	mkdir -p "$results.said"
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$logs/$1.log"
		line=${line%$'\r'}
		if [[ $line =~ ^(not ok|ok)( [0-9]+)?( -)?" "?(.*)$ ]]; then
			result "$1" "${BASH_REMATCH[1]}" "${BASH_REMATCH[4]}"
			[[ $line == ok* ]] || of=$results.said/$1
		elif [[ $line == '@@RETRY '* ]]; then
			# Drop the results of the case during which L1 was
			# booted again
			sed -i "$((ended + 1)),\$d" "$results/$1"
			echo "# $1: L1 is booted again: ${line#@@RETRY }" |
				tee -a "$retries"
			attempt "$1: L1 is booted again: ${line#@@RETRY }"
		elif [[ $line == '#'* ]]; then
			case $line in
			'# first attempt: not ok'*)
				of=$results.said/$1
				attempt "$1: ${line#\# }"
				;;
			'# passed at the second attempt'*)
				echo "$line" >>"$retries"
				attempt "$1: ${line#\# }"
				;;
			esac
			printf '%s\n' "$line" | tee -a "$of"
			# The last line of a case
			if [[ $line =~ ^'# '.*': '[0-9]+' s'$ ]]; then
				of=/dev/null
				ended=$(grep -c . "$results/$1")
			fi
		fi
	done
}

# tap_from GROUP COMMAND...: as tap, from the output of COMMAND. A bad status
# without a failed result counts as a failure, and so does no result at all
tap_from()
{
	local group=$1 status

	shift
	: >"$logs/$group.log"
	"$@" 2>&1 | tap "$group"
	status=${PIPESTATUS[0]}
	# A status of 124 or more means a timeout or signal: a failure, whatever
	# the results.
	if [ "$status" -ge 124 ] || { [ "$status" -ne 0 ] &&
	     ! grep -q '^not ok' "$results/$group"; }; then
		result "$group" 'not ok' "ended with status $status"
		tail -n 30 "$logs/$group.log" | sed 's/^/# /'
	elif [ ! -s "$results/$group" ]; then
		result "$group" 'not ok' 'gave no results'
	fi
}

# one GROUP NAME COMMAND...: one result from the status of COMMAND; 77 is a skip
one()
{
	local group=$1 name=$2 log=$logs/$1-${2//[ \/]/-}.log status=0

	shift 2
	"$@" >"$log" 2>&1 </dev/null || status=$?
	case $status in
	0) result "$group" ok "$name" ;;
	77) result "$group" ok "$name # SKIP $(tail -n 1 "$log")" ;;
	*)
		result "$group" 'not ok' "$name"
		tail -n 40 "$log" | sed 's/^/# /'
		return 1
		;;
	esac
}

# Prints the summary; the status is 0 if no test failed.
summary()
{
	local failed skipped all

	all=$(cat "$results"/* 2>/dev/null | grep -c .)
	failed=$(cat "$results"/* 2>/dev/null | grep -c '^not ok')
	skipped=$(cat "$results"/* 2>/dev/null | grep -ciE '^ok .*# *skip')
	tail -q -n 40 "$results.said"/* 2>/dev/null
	grep -h '^not ok' "$results"/* 2>/dev/null | sed 's/^/# failed: /'
	cat "$retries" 2>/dev/null
	echo "$((all - failed - skipped)) passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$all" -gt 0 ]
}
