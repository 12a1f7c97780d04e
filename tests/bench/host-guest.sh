# shellcheck shell=bash disable=SC2034,SC2154 # the caller's
# SPDX-License-Identifier: GPL-2.0
# host-guest.sh: a guest from this machine's own kernel, busybox and fio. For host.
#
#   guest_why		print what is missing for a guest
#   guest_make DIR	make DIR/guest.cpio; set guest_base and guest_kernel
#
# Environment: GUEST_KERNEL (an image of the running release), GUEST_FIO (a static fio
# makes the guest smaller).
#
# The init is that of the tests' guests, see tests/vm/init.guest.

guest_image()
{
	local file version

	version=$(uname -r)
	for file in "${GUEST_KERNEL:-/boot/vmlinuz-$version}" \
		"/lib/modules/$version/vmlinuz" "/usr/lib/modules/$version/vmlinuz"; do
		if [ -r "$file" ]; then
			echo "$file"
			return
		fi
	done
	return 1
}

guest_why()
{
	local program

	[ -w /dev/kvm ] || echo 'no /dev/kvm that may be written'
	[ -n "$(guest_image)" ] ||
		echo "no image of the running kernel, such as /boot/vmlinuz-$(uname -r); GUEST_KERNEL names one"
	for program in qemu-system-x86_64 busybox cpio; do
		command -v $program >/dev/null || echo "no $program"
	done
}

# guest_program DIR PATH [NAME]: add a program with its libraries
guest_program()
{
	local file

	cp -L "$2" "$1/bin/${3:-$(basename "$2")}"
	# libgcc_s is loaded by the C library at run time when a thread ends. A static
	# program needs none.
	{ ldd "$2" 2>/dev/null | grep -q '=>' || return 0; }
	{
		ldd "$2" | grep -o '/[^ ]*'
		ldconfig -p | grep -o '/.*/libgcc_s\.so\.1$'
	} | sort -u | while read -r file; do
		mkdir -p "$1${file%/*}"
		cp -L "$file" "$1$file"
	done
}

guest_unpack()
{
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# Add the drivers that the kernel does not have built in, in load order
guest_modules()
{
	local path file module

	mkdir -p "$1/m"
	: >"$1/m/order"
	for module in virtio_pci virtio_blk virtio_scsi sd_mod; do
		modprobe -S "$(uname -r)" --show-depends "$module" 2>/dev/null || :
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			file=$(basename "$path")
			file=${file%%.ko*}.ko
			guest_unpack "$path" >"$1/m/$file"
			echo "$file" >>"$1/m/order"
		done
}

guest_make()
{
	local root=$1/initrd

	mkdir -p "$root/bin"
	cp "$here/../vm/init.guest" "$root/init"
	guest_program "$root" "$(command -v busybox)" busybox
	guest_program "$root" "${GUEST_FIO:-$(command -v fio)}" fio
	guest_modules "$root"
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$1/guest.cpio"
	rm -rf "$root"
	guest_base=$1/guest.cpio
	guest_kernel=$(guest_image)
}
