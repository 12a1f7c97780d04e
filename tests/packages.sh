# shellcheck shell=bash disable=SC2034 # the caller's
# SPDX-License-Identifier: GPL-2.0
# packages.sh: the Debian packages that the tests and the demo need.

build_packages=(gcc libc6-dev make)
lint_packages=(shellcheck perl linux-source)
vm_packages=(mmdebstrap cpio xz-utils zstd kmod util-linux)
# To build our packages and check them
deb_packages=(debhelper dh-dkms dpkg-dev lintian)

apt_install()
{
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		--no-install-recommends install "$@" >/dev/null
}

# need PACKAGE...: install missing packages; without root, name them and fail
need()
{
	local package missing=() name=${0##*/}

	command -v dpkg-query >/dev/null || return 0
	for package; do
		# shellcheck disable=SC2016 # dpkg's variable
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "$name: please install: ${missing[*]}" >&2
		exit 1
	fi
	echo "# installing ${missing[*]}"
	# The machine may have no package lists yet: update them and try again.
	apt_install "${missing[@]}" 2>/dev/null || {
		apt-get -qq update && apt_install "${missing[@]}"
	} || {
		echo "$name: cannot install: ${missing[*]}" >&2
		exit 1
	}
}
