# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# case.sh: sourced first by every test case in L1.
#
# A case reports results with ok, not_ok, skip and check, and ends with
# case_end. A command that fails outside of a condition ends the case and fails
# it. $CASE_DIR is a directory for the case, removed after it.
set -Eeuo pipefail
trap 'echo "# ${BASH_SOURCE[0]##*/}: $LINENO: $BASH_COMMAND: status $?" >&2' ERR

case_results=0
case_skipped=0

ok()
{
	case_results=$((case_results + 1))
	echo "ok - $*"
}

not_ok()
{
	case_results=$((case_results + 1))
	echo "not ok - $*"
}

# skip NAME REASON: report a check that cannot run
skip()
{
	case_results=$((case_results + 1))
	case_skipped=$((case_skipped + 1))
	echo "ok - $1 # SKIP $2"
}

diag()
{
	printf '%s\n' "$@" | sed 's/^/# /'
}

# check NAME COMMAND [ARG...]: report a result from the command's status. A step
# that fails within the command does not end the case, as bash turns off -e
# there. So a function must join its steps with &&.
check()
{
	local name=$1

	shift
	if "$@"; then
		ok "$name"
	else
		not_ok "$name"
	fi
}

# check_fails NAME COMMAND [ARG...]: the command must fail
check_fails()
{
	local name=$1

	shift
	if "$@"; then
		not_ok "$name"
	else
		ok "$name"
	fi
}

# wait_for SECONDS COMMAND [ARG...]: repeat the command until it succeeds
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

case_end()
{
	echo "1..$case_results"
}

# skip_case REASON: skip the whole case
skip_case()
{
	skip "all of it" "$1"
	case_end
	exit 0
}
