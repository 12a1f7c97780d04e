#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_ctl_completion.sh - the completion of doorbellctl offers names of devices, and never
# runs what stands in them
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=../vm/case.sh
. "$top/tests/vm/case.sh"
# shellcheck source=../../tools/completions/doorbellctl
. "$top/tools/completions/doorbellctl"

# In place of the program
doorbellctl()
{
	case $* in
	'list --json')
		cat <<END
{
  "devices": [
    {
      "id": 7,
      "disk": "/srv/\$(touch $dir/ran).img",
      "unit": "vhost-doorbell-blk@web",
      "socket": "/run/two words"
    }
  ]
}
END
		;;
	--help)
		echo '  show [DEVICE]'
		;;
	esac
}

# complete_line WORD...: as bash does it for the last word
complete_line()
{
	COMP_WORDS=(doorbellctl "$@")
	COMP_CWORD=$#
	_doorbellctl || :
}

offers()
{
	printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$1"
}

complete_line show ''
check "the number of a device is offered" offers 7
check "the instance of its unit" offers web
check "a name with a blank is quoted" offers '/run/two\ words'
check "a name with a command is quoted" offers "/srv/\\\$\\(touch\\ $dir/ran\\).img"
complete_line set '/srv/'
check "of the names those that begin so" test ${#COMPREPLY[@]} -eq 1
check "the command in a name did not run" test ! -e "$dir/ran"
complete_line sh
check "subcommands are offered" offers show
case_end
