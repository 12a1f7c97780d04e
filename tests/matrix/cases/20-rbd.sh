# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Images of a Ceph cluster, which the kernel's rbd driver maps: a monitor and an OSD
# (BlueStore on a disk of 2 GiB), both in L1. The OSD talks to the disk, and rbd to the OSD,
# as on any other machine; replicas are on other machines and are not tested. The
# cluster is without authentication and without a manager, which no I/O needs.
# timeout: 780
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/matrix.sh"

ceph=$CASE_DIR/ceph
monitor=127.0.0.1:6789

config()
{
	mkdir -p /etc/ceph /var/run/ceph "$ceph"/{mon,osd}
	cat >/etc/ceph/ceph.conf <<-END
		[global]
		fsid = $1
		mon_host = v1:$monitor
		public_addr = 127.0.0.1
		cluster_addr = 127.0.0.1
		auth_cluster_required = none
		auth_service_required = none
		auth_client_required = none
		osd_pool_default_size = 1
		osd_pool_default_min_size = 1
		osd_crush_chooseleaf_type = 0
		mon_allow_pool_size_one = true
		osd_memory_target = 900M
		bluestore_cache_autotune = false
		bluestore_cache_size = 64M
		osd_op_num_shards = 1
		osd_op_num_threads_per_shard = 2
		osd_mclock_skip_benchmark = true
		osd_heartbeat_grace = 300
		log_to_file = false
		log_to_stderr = true
		err_to_stderr = true
	END
}

# logged FILE COMMAND...: run it with its output in that log
logged()
{
	"${@:2}" >>"$ceph/$1.log" 2>&1
}

# client COMMAND...: run Ceph's command, which waits for the monitor
client()
{
	logged client timeout 200 "$@" || {
		diag "$*: $(tail -n 5 "$ceph/client.log")" "$(tail -n 15 "$ceph/mon.log")" \
			"$(tail -n 15 "$ceph/osd.log" 2>/dev/null)"
		return 1
	}
}

cluster()
{
	local fsid osd

	fsid=$(cat /proc/sys/kernel/random/uuid)
	osd=$(cat /proc/sys/kernel/random/uuid)
	config "$fsid"
	logged client monmaptool --create --addv a "[v1:$monitor]" --fsid "$fsid" \
		"$ceph/monmap" &&
		logged mon ceph-mon --mkfs -i a --monmap "$ceph/monmap" \
			--mon-data "$ceph/mon" || return
	logged mon ceph-mon -f -i a --mon-data "$ceph/mon" &
	client ceph osd new "$osd" || return
	nullb osd size=2048 irqmode=1
	ln -s "$disk" "$ceph/osd/block"
	logged osd ceph-osd --mkfs -i 0 --osd-uuid "$osd" --osd-data "$ceph/osd" || return
	logged osd ceph-osd -f -i 0 --osd-data "$ceph/osd" &
	client ceph osd pool create images 8 8
}

# image NAME: make an image of 64 MiB and map it; set $disk to it
image()
{
	client rbd create --pool images --size 64M --image-feature layering "$1" || return
	echo "$monitor name=admin images $1 -" >/sys/bus/rbd/add || return
	disk=/dev/rbd$((images))
	images=$((images + 1))
	wait_for 30 test -b "$disk"
}

# Requests in flight would wait for the OSD for ever.
unmap()
{
	local device

	for device in /sys/bus/rbd/devices/*; do
		[ ! -e "$device" ] || echo "${device##*/} ${1:-}" >/sys/bus/rbd/remove
	done
}
trap 'unmap force 2>/dev/null' EXIT

module_load
modprobe rbd
guest="Linux $(uname -r | cut -d . -f 1-2)"
name="Ceph $(ceph-osd --version | cut -d ' ' -f 3), krbd"
images=0
if ! cluster; then
	diag "$(tail -n 20 "$ceph"/*.log)"
	not_ok "$(row_name - - "$name" -)|the cluster does not start"
	case_end
	exit
fi
diag "the cluster is up after $SECONDS s"
for ring in split packed; do
	image $ring
	diag "$disk after $SECONDS s"
	verified "$name" $ring "$disk"
	guest_disk $ring "$disk" $ring
done
guest_rings "$guest" "$name"
check "the images are unmapped" unmap
diag "$(timeout 60 ceph osd df 2>&1 | tail -n 4)" "$(timeout 60 ceph -s 2>&1)"
case_end
