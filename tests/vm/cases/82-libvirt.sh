# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# libvirt: the examples of Documentation/examples/libvirt, run by the release's libvirtd
# under AppArmor: define, start, reboot, plug, detach, resize, reconnect, destroy, and
# what libvirtd answers to what it cannot do with these disks.
# timeout: 400
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/libvirt.sh"

examples=$VM_DIR/examples/libvirt
domain=$CASE_DIR/vm1.xml
address=10.0.0.11

# does NAME ARG...: virsh must succeed
does()
{
	local name=$1

	shift
	if virsh "$@" >"$CASE_DIR/virsh.out"; then
		ok "$name"
	else
		not_ok "$name"
		diag "$(cat "$CASE_DIR/virsh")"
	fi
}

# refused NAME MESSAGE ARG...: virsh must fail with this message
refused()
{
	local name=$1 message=$2

	shift 2
	if ! virsh "$@" >"$CASE_DIR/virsh.out" &&
	   grep -qF -- "$message" "$CASE_DIR/virsh"; then
		ok "$name"
	else
		not_ok "$name"
		diag "$(cat "$CASE_DIR/virsh.out" "$CASE_DIR/virsh")"
	fi
}

# no_option NAME SED MESSAGE: libvirt must refuse to define the domain after SED has
# changed its XML
no_option()
{
	sed "$2" "$domain" >"$CASE_DIR/other.xml"
	if cmp -s "$domain" "$CASE_DIR/other.xml"; then
		not_ok "$1: the example has no place for it"
		return
	fi
	refused "$1" "$3" define "$CASE_DIR/other.xml"
}

# Settings that libvirt refuses when a domain is defined
options()
{
	local name
	local driver="<driver name='qemu' type='raw'" target="<target dev='vda' bus='virtio'/>"

	for name in cache=none io=native discard=unmap detect_zeroes=on \
		error_policy=stop iothread=1 copy_on_read=on; do
		no_option "${name%=*}" "s|$driver|& ${name%=*}='${name#*=}'|" \
			"${name%=*} is not supported with vhostuser disk"
	done
	for name in iotune:'<total_iops_sec>100</total_iops_sec>' serial:one \
		readonly: shareable: transient: wwn:5000c50015ea71ac; do
		no_option "${name%%:*}" \
			"s|$target|&<${name%%:*}>${name#*:}</${name%%:*}>|" \
			"${name%%:*} is not supported with vhostuser disk"
	done
	no_option "blockio" "s|$target|&<blockio logical_block_size='4096'/>|" \
		"blockio is not supported with vhostuser disk"
	no_option "snapshots by default" "s|<disk type|<disk snapshot='external' type|" \
		"only snapshot=no is supported with vhostuser disk"
	no_option "a bus that is not virtio" \
		"s|$target|<target dev='sda' bus='sata'/>|; s| queues='2'||" \
		"vhostuser disk supports only virtio bus"
	no_option "memory that is not shared" "/<memoryBacking>/,/<.memoryBacking>/d" \
		"'vhostuser' requires shared memory"
}

# Does QEMU run under the AppArmor profile that libvirt has made for the domain?
confined()
{
	grep -q '^libvirt-.* (enforce)' "/proc/${vmm_pid[guest]}/attr/current"
}

# says MESSAGE: does QEMU's log have this message about a socket?
says()
{
	grep -q "Failed to connect to '$doorbell_run/[a-z]*/vm1.sock': $1" \
		"$libvirt_dir/var/log/qemu/vm1.log"
}

# Start the daemons with a socket that QEMU may not open, and correct its mode after
# QEMU has failed once.
permissions()
{
	serve blk vm1 --blk-file="$disk" --serial=one
	serve net vm1 --tap=tap0,create --bridge=br0 --queues=2
	chmod g= $doorbell_run/blk/vm1.sock
	: >"$libvirt_dir/var/log/qemu/vm1.log"
	(
		wait_for 90 says "Permission denied" &&
			chmod g=rwx $doorbell_run/blk/vm1.sock
	) &
	opened=$!
}

# sees SERIAL: does the guest have a disk with this serial?
sees()
{
	guest_run "grep -qx $1 /sys/block/vd*/serial"
}

lost()
{
	! sees "$1"
}

# reads DEVICE FILE: does the guest read the same data from the device as the host
# from the file?
reads()
{
	guest_run -t 40 "dd if=/dev/$1 bs=1M count=2 iflag=direct 2>/dev/null | md5sum" \
		>"$CASE_DIR/got" &&
		dd if="$2" bs=1M count=2 iflag=direct 2>/dev/null | md5sum |
		cmp - "$CASE_DIR/got"
}

card_up()
{
	guest_run "ip link set $1 up && ip address add $2/24 dev $1"
}

pings()
{
	test-pings "$1" 64 >/dev/null 2>&1
}

size_is()
{
	guest_run "grep -qx $(($2 * 2048)) /sys/block/$1/size"
}

# closed NAME: does this daemon serve no guest?
closed()
{
	[ -z "$(disk_fdinfo "$1")" ]
}

# virsh waits only some seconds for the guest, and succeeds whatever it did. libvirtd hears
# from QEMU later, and refuses to attach the disk before.
detached()
{
	virsh domblklist vm1 >"$CASE_DIR/disks" && ! grep -q vdb "$CASE_DIR/disks" &&
		virsh domiflist vm1 >"$CASE_DIR/cards" && [ "$(grep -c vhostuser "$CASE_DIR/cards")" = 1 ]
}

state_is()
{
	[ "$(virsh domstate vm1)" = "$1" ]
}

# libvirt's answers to commands that these disks do not support, while the guest runs, and
# what needs a migration. None may disturb the guest.
answers()
{
	local only="supported for vhostuser disk"

	refused "domblkinfo" "block info is not $only" domblkinfo vm1 vda
	refused "domblkstat" "block stats are not $only" domblkstat vm1 vda
	refused "blockresize" "block resize is not $only" blockresize vm1 vda 100M
	refused "blkdeviotune" "I/O throttling is not supported for" \
		blkdeviotune vm1 vda --total-iops-sec 100
	refused "domblkthreshold" "setting device threshold is not $only" \
		domblkthreshold vm1 vda 1000
	refused "blockcopy" "block jobs are not supported on vhostuser disk 'vda'" \
		blockcopy vm1 vda "$CASE_DIR/copy"
	refused "snapshot" "require all disks to be selected for snapshot" \
		snapshot-create-as vm1 s1
	refused "snapshot of the disk" "selected for snapshot" \
		snapshot-create-as vm1 s1 --disk-only
	does "snapshot of the memory" snapshot-create-as vm1 s1 \
		--memspec "$CASE_DIR/memory" --diskspec vda,snapshot=no
	check "the guest runs on, and reads" reads vda "$disk"
	# libvirt moves no domain that has one.
	does "delete it" snapshot-delete vm1 s1 --metadata
	refused "checkpoint" "checkpoint for disk vda unsupported" \
		checkpoint-create-as vm1 c1
	refused "backup" "refusing to generate file name for disk 'vda'" backup-begin vm1
	refused "migration to the same host" "same host" \
		migrate vm1 --live qemu:///system tcp://127.0.0.1
	does "managedsave" managedsave vm1
	does "start from the saved state" start vm1
	domain_pid
	check "the guest runs" guest_run true
	check "and reads" reads vda "$disk"
}

plug()
{
	serve blk vm1-data --blk-file="$CASE_DIR/data" --serial=data
	serve net vm1-lan --tap=tap1,create --bridge=br0
	does "attach a disk" attach-device vm1 "$examples/disk.xml" --live --config
	check "the guest sees it" wait_for 60 sees data
	check "and reads it" reads vdb "$CASE_DIR/data"
	does "attach a card" attach-device vm1 "$examples/interface.xml" --live
	check "the guest uses it" wait_for 60 card_up eth1 10.0.0.12
}

resize()
{
	truncate -s 96M "$CASE_DIR/data"
	check "doorbellctl resize" doorbellctl resize
	check "resize: the guest sees it" wait_for 60 size_is vdb 96
}

detach()
{
	does "detach the card" detach-device vm1 "$examples/interface.xml" --live
	does "detach the disk" detach-disk vm1 vdb --live --config
	check "the guest has lost it" wait_for 60 lost data
	check "its daemon has closed the device" wait_for 60 closed blk-vm1-data
	check "libvirt knows" wait_for 60 detached
	does "attach it again" attach-device vm1 "$examples/disk.xml" --live
	check "the guest sees it again" wait_for 60 sees data
}

reconnect()
{
	disk_kill blk-vm1
	disk_kill net-vm1
	serve blk vm1 --blk-file="$disk" --serial=one
	serve net vm1 --tap=tap0,create --bridge=br0 --queues=2
	check "the daemon was killed: the guest reads through the next" reads vda "$disk"
	check "that of the card, too: the guest answers" wait_for 60 pings $address
}

reboot()
{
	vmm_send command "0 5 $(printf 'reboot -f' | base64 -w 0)"
	vmm_expect command 120 @@READY >/dev/null ||
		vmm_fail 'the guest does not boot again'
	check "reboot: the disk is there" reads vda "$disk"
	check "the one that was plugged in, too" sees data
	card_up eth0 $address
	check "the card, too" wait_for 60 pings $address
}

restart_libvirtd()
{
	check "libvirtd ends" libvirt_stop
	check "the guest reads without it" reads vda "$disk"
	libvirt_start
	check "the next libvirtd finds the guest" wait_for 60 state_is running
}

module_load
modprobe -a tun bridge
nullb vm1
dd if=/tmp/bin/fio of="$disk" bs=1M conv=fsync 2>/dev/null
truncate -s 64M "$CASE_DIR/data"
dd if=/tmp/bin/fio of="$CASE_DIR/data" bs=1M seek=1 conv=notrunc,fsync 2>/dev/null
ip link add br0 type bridge forward_delay 0 mcast_snooping 0
ip address add 10.0.0.1/24 dev br0
ip link set br0 up
domain_initrd
libvirt_start
diag "libvirt $(virsh --version), AppArmor: $libvirt_apparmor, $SECONDS s"
domain_file "$examples/vm1.xml" >"$domain"
does "define: the example is valid" define --validate "$domain"
[ "${EVERYWHERE:-0}" -eq 0 ] || options
diag "$SECONDS s"
permissions
guest_start
ok "the guest is up after $SECONDS s"
check "AppArmor is on" test $libvirt_apparmor = yes
check "QEMU is confined by AppArmor" confined
check "start has waited until the socket's mode let QEMU in" wait $opened
check "it sees the disk" sees one
check "and reads it" reads vda "$disk"
card_up eth0 $address
check "and answers through the card" wait_for 60 pings $address
for step in answers plug resize reboot restart_libvirtd detach reconnect; do
	$step
	guest_answers
	diag "$step: $SECONDS s"
done
guest_stop
check "the guest powers off" wait_for 60 state_is 'shut off'
does "start again" start vm1
does "destroy" destroy vm1
check "destroy: the daemon lives" kill -0 "${disk_pid[blk-vm1]}"
check "and has closed the device" wait_for 60 closed blk-vm1
does "undefine" undefine vm1
for name in blk-vm1 blk-vm1-data net-vm1 net-vm1-lan; do
	check "$name: the daemon ends well" disk_stop $name
done
check "libvirtd ends" libvirt_end
rm -r $doorbell_run
case_end
