# shellcheck shell=bash disable=SC2034,SC2154 # of guest.sh, disk.sh: vmm_pid, disk_pid
# SPDX-License-Identifier: GPL-2.0
# libvirt.sh: the release's own libvirtd in L1, and a guest that it starts.
#
#   libvirt_start	run libvirtd, under AppArmor where the kernel has it. Its files
#			are in $CASE_DIR/libvirt in place of /etc, /var and /run:
#			it sees them where they usually are. AppArmor's profiles are
#			in $libvirt_apparmor (yes, no).
#   libvirt_stop	end libvirtd. Its guests stay.
#   libvirt_end		the same, and remove the profiles from the kernel
#   libvirt_run COMMAND [ARG...]
#			run it where libvirtd's files are in their places
#   virsh ARG...	fails with what libvirtd said in $CASE_DIR/virsh
#   serve blk|net NAME ARG...
#			start vhost-doorbell-blk or -net as disk.sh's daemon KIND-NAME,
#			with a socket that the group of libvirt's QEMU may use:
#			/run/vhost-doorbell/KIND/NAME.sock
#   domain_file FILE	print the domain in FILE as L1 can run it: with its kernel in
#			place of a boot loader, and 256 MiB
#   domain_initrd	make what that kernel boots from: guest.cpio and the driver of
#			network cards
#
#   domain_pid		to be called when virsh has started another QEMU for the domain
#
# guest_start, guest_run and the like of guest.sh work on the domain vm1.

libvirt_dir=$CASE_DIR/libvirt
libvirt_apparmor=no
doorbell_run=/run/vhost-doorbell

# shellcheck disable=SC2016 # the inner shell's
libvirt_init='
	set -e
	dir=$1
	for place in etc var/lib var/cache var/log run; do
		mkdir -p "/$place/libvirt" "$dir/$place"
		mount --bind "$dir/$place" "/$place/libvirt"
	done
	mount --bind "$dir/apparmor.d" /etc/apparmor.d
	mount -t securityfs securityfs /sys/kernel/security
	exec libvirtd -f "$dir/libvirtd.conf"
'

# libvirt_profiles OPTION...: load or remove the AppArmor profiles of libvirtd and its
# helper
libvirt_profiles()
{
	# shellcheck disable=SC2016 # the inner shell's
	unshare --mount --propagation private sh -c '
		mount -t securityfs securityfs /sys/kernel/security
		cd /etc/apparmor.d
		exec apparmor_parser "$@" usr.sbin.libvirtd usr.lib.libvirt.virt-aa-helper
	' - "$@"
}

# Copy libvirt's directories once, so that a test leaves nothing in L1.
libvirt_files()
{
	local place

	chmod 711 "$CASE_DIR"
	mkdir "$libvirt_dir"
	for place in etc var/lib var/cache var/log; do
		mkdir -p "/$place/libvirt" "$libvirt_dir/${place%/*}"
		cp -a "/$place/libvirt" "$libvirt_dir/$place"
	done
	cp -a /etc/apparmor.d "$libvirt_dir/"
	cat >"$libvirt_dir/libvirtd.conf" <<-END
		auth_unix_rw = "none"
		log_outputs = "3:file:$libvirt_dir/log"
	END
	# libvirtd must make no cgroups: run-l1 kills all processes in the cgroup of
	# the case. It must not use virtlogd, which does not run here.
	cat >>"$libvirt_dir/etc/qemu.conf" <<-END
		cgroup_controllers = []
		stdio_handler = "file"
	END
	# udev does this on a real system. Otherwise libvirtd asks QEMU for its
	# capabilities again at each call.
	chmod 666 /dev/kvm
	if grep -qx Y /sys/module/apparmor/parameters/enabled; then
		libvirt_apparmor=yes
		libvirt_profiles -r -K
	fi
}

libvirt_start()
{
	[ -w /dev/kvm ] || skip_case "no KVM in L1"
	[ -e "$libvirt_dir" ] || libvirt_files
	unshare --mount --propagation private bash -c "$libvirt_init" - \
		"$libvirt_dir" >"$libvirt_dir/out" 2>&1 &
	libvirt_pid=$!
	wait_for 60 virsh uri >/dev/null || {
		cat "$libvirt_dir"/{out,log} || :
		exit 1
	}
}

libvirt_stop()
{
	kill "$libvirt_pid"
	wait "$libvirt_pid"
}

libvirt_end()
{
	libvirt_stop || return
	[ $libvirt_apparmor = no ] || libvirt_profiles -R
}

libvirt_run()
{
	nsenter --target "$libvirt_pid" --mount -- "$@"
}

virsh()
{
	libvirt_run virsh -q -c qemu:///system "$@" 2>"$CASE_DIR/virsh"
}

serve()
{
	local kind=$1 name=$2
	local socket=$doorbell_run/$kind/$name.sock

	shift 2
	mkdir -p "${socket%/*}"
	rm -f "$socket"
	(
		umask 007
		exec setpriv --regid libvirt-qemu --clear-groups \
			"vhost-doorbell-$kind" --socket-path="$socket" "$@"
	) >>"$CASE_DIR/$kind-$name.log" 2>&1 &
	disk_pid["$kind-$name"]=$!
	wait_for 30 test -S "$socket" || {
		cat "$CASE_DIR/$kind-$name.log"
		exit 1
	}
}

# The guests' initramfs for disks has no driver of network cards: add it.
domain_initrd()
{
	local dir=$CASE_DIR/both

	mkdir -p "$dir"/{net,disk}
	(cd "$dir/net" && cpio -id --quiet 'm/*' </tmp/guest/net.cpio)
	(cd "$dir/disk" && cpio -id --quiet m/order <"$guest_base")
	awk '!seen[$0]++' "$dir"/{net,disk}/m/order >"$dir/order"
	mv "$dir/order" "$dir/net/m/order"
	{
		cat "$guest_base"
		(cd "$dir/net" && find . | cpio -o -H newc --quiet)
	} >"$CASE_DIR/initrd.cpio"
}

# The domain has two serial ports: the console, and the one that guest_run uses.
domain_file()
{
	local guest=$CASE_DIR/guest boot

	boot="<kernel>/tmp/guest/vmlinux</kernel>"
	boot+="<initrd>$CASE_DIR/initrd.cpio</initrd>"
	boot+="<cmdline>$guest_cmdline</cmdline>"
	sed -e "s|<memory unit='GiB'>2|<memory unit='MiB'>256|" \
		-e "s|</os>|$boot&<clock offset='utc'><timer name='hpet' present='no'/></clock>|" \
		-e "s|<apic/>|&<smm state='off'/>|" \
		-e "/<boot order/d; /<console/d" \
		-e "s|<serial type='pty'/>|<serial type='file'>\
			<source path='$guest/console'/></serial>\
			<serial type='pipe'><source path='$guest/command'/></serial>|" \
		"$1"
}

# Set up the domain's serial ports and its log as vmm_start of guest.sh does for QEMU.
domain_ports()
{
	local dir

	dir=$(vmm_dir)
	rm -rf "$dir"
	mkdir "$dir"
	vmm_pipes command
	: >"$dir/console"
	: >"$libvirt_dir/var/log/qemu/vm1.log"
	ln -s "$libvirt_dir/var/log/qemu/vm1.log" "$dir/qemu.log"
}

# guest_start of guest.sh calls these functions.
vmm_start()
{
	domain_ports
	virsh start vm1 || vmm_fail "$(cat "$CASE_DIR/virsh")"
	domain_pid
}

domain_pid()
{
	vmm_pid[guest]=$(cat "$libvirt_dir/run/qemu/vm1.pid")
}

vmm_qmp()
{
	virsh qemu-monitor-command vm1 \
		"{\"execute\": \"$1\", \"arguments\": ${2:-{\}}}"
}

vmm_kill()
{
	virsh destroy vm1 || :
}
