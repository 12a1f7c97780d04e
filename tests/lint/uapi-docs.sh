#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# uapi-docs: each ioctl must be in uapi.rst and in the man page; each field,
# flag and limit of the header in uapi.rst; and the documents must name no
# others
. "$(dirname "$0")/common"

header=include/uapi/linux/vhost_doorbell.h
code=(drivers/vhost-doorbell/ioctl*.c)
rst=Documentation/uapi.rst
man=tools/man/vhost-doorbell.4
for file in "$header" "$rst" "$man"; do
	[ -f "$file" ] || { bad "$file: is not there"; finish; }
done

own=$(tr '\n' ' ' <"$header" | grep -oE \
	'#define VHOST_DOORBELL_[A-Z_]+ [\ 	]*_IO[WR]*\(' | awk '{ print $2 }')
vhost=$(grep -ohE '\bVHOST_[A-Z_]+\b' "${code[@]}" | grep -E \
	'^VHOST_(SET|GET|RESET|NEW|FREE|ATTACH)_' | sort -u)
fields=$(grep -oE '^ \* @[A-Za-z_]+:' "$header" | tr -d ' *@:' | sort -u |
	grep -v '^VHOST_')
names=$(grep -oE '\bVHOST_DOORBELL_[A-Z0-9_]+' "$header" | sort -u |
	grep -vxE 'VHOST_DOORBELL_(IOC_MAGIC|BLK_SERIAL_LEN|QUEUE_|BLK_F_|BELL_)')

# has FILE WORD WHAT: report WORD if FILE lacks it
has()
{
	grep -qwF -- "$2" "$1" || bad "$1: lacks $3 $2"
}

for name in $own $vhost; do
	has "$rst" "$name" "the ioctl"
	has "$man" "$name" "the ioctl"
	grep -qx -- "$name" "$rst" || bad "$rst: no section of $name"
done
for name in $own; do
	grep -qwF -- "$name" "${code[@]}" ||
		bad "${code[*]}: do not know $name"
done
for name in $fields; do
	has "$rst" "$name" "the field"
done
for name in $names; do
	# The states of a queue have a common prefix and are listed without it.
	grep -qwF -- "_${name#VHOST_DOORBELL_QUEUE_}" "$rst" ||
		has "$rst" "$name" "the constant"
done

# Each name in the documents must be in the header.
for file in "$rst" "$man"; do
	while IFS= read -r name; do
		grep -qwF -- "$name" "$header" ||
			bad "$file: $name is not in $header"
	done < <(sed 's/\\-/-/g' "$file" |
		grep -oE '\bVHOST_DOORBELL_[A-Z0-9_]+' | sort -u)
done
finish
