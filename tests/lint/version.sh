#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# version: all copies of the version must equal the one in VERSION
. "$(dirname "$0")/common"

version=$(cat VERSION)
[[ $version =~ ^[0-9]+(\.[0-9]+)+$ ]] ||
	bad "VERSION:1: '$version' is not such as 1.2"

# is FILE TEXT WHERE: compare the version that FILE has
is()
{
	[ "$2" = "$version" ] || bad "$1: has '$2' in $3, and VERSION '$version'"
}

is dkms.conf "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf)" \
	PACKAGE_VERSION
is debian/changelog "$(sed -n '1s/^vhost-doorbell (\([^)]*\)) .*/\1/p' \
	debian/changelog)" 'its first line'
is CHANGELOG.md "$(sed -n 's/^## \([0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)" \
	'its first heading'
bad_lines < <(grep -nE '"[0-9]+\.[0-9.]+"' -r tools drivers --include='*.[ch]' |
	grep -i version | sed 's/:[^:]*$/: a version of its own/')
finish
