#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# spdx: each file must state its licence: GPL-2.0; the UAPI header states two
. "$(dirname "$0")/common"

# licences FILE...: print 'FILE<TAB>LICENCE' from the first three lines, as a #!
# and a shellcheck directive may come first. Without a licence nothing follows
# the tab.
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
	# These formats have no comments, or the text is not source code.
	*.json | *.md | *.svg | *.png | COPYING | VERSION | MAINTAINERS | \
		CHANGELOG | .gitignore | .mailmap | .shellcheckrc) continue ;;
	# These formats have no comments, or debhelper would take a comment for a file
	# name.
	debian/changelog | debian/copyright | debian/source/format | \
		debian/*.install | debian/*.dirs | debian/*.docs | debian/*.examples | \
		debian/*.lintian-overrides | debian/*.README.Debian) continue ;;
	include/uapi/*) want=$dual ;;
	esac
	[ "$licence" = "$want" ] ||
		bad "$file:1: SPDX-License-Identifier is '$licence', not '$want'"
done < <(LC_ALL=C licences "${all[@]}")
finish
