#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# spdx: every file says its licence: GPL-2.0, and the ABI's header two
. "$(dirname "$0")/common"

# licences FILE...: 'FILE<TAB>LICENCE', from the first three lines: before it may
# stand a #! and a directive of shellcheck's. No licence, nothing after the tab.
licences()
{
	awk '
	function tell() { if (name != "") print name "\t" licence }
	FNR == 1 { tell(); name = FILENAME; licence = "" }
	FNR <= 3 && sub(/.*SPDX-License-Identifier: /, "") {
		sub(/ *(\*\/|-->)$/, "")
		licence = $0
	}
	END { tell() }' "$@"
}

dual='((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)'
mapfile -t all < <(LC_ALL=C files)
while IFS=$'\t' read -r file licence; do
	want=GPL-2.0
	case $file in
	# No comments possible there, or text of the project as a whole.
	*.json | *.md | *.svg | *.png | COPYING | VERSION | MAINTAINERS | \
		CHANGELOG | .gitignore | .mailmap | .shellcheckrc) continue ;;
	include/uapi/*) want=$dual ;;
	esac
	[ "$licence" = "$want" ] ||
		bad "$file:1: SPDX-License-Identifier is '$licence', not '$want'"
done < <(LC_ALL=C licences "${all[@]}")
finish
