# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Memory is plugged and unplugged while a guest's disks are in use; QEMU options
# that must be refused, and with which message; and more queues than a guest
# needs.
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"

dimms=34
size=$((128 << 20))

# QEMU must fail with this message
refused()
{
	local status=0

	timeout 60 qemu-system-x86_64 -nodefaults -display none -S \
		-machine q35,accel=kvm,memory-backend=ram -m 64M \
		-object memory-backend-memfd,id=ram,size=64M,share=on \
		"$@" </dev/null >"$CASE_DIR/refused" 2>&1 || status=$?
	diag "$(tail -n 2 "$CASE_DIR/refused")"
	[ $status -eq 1 ] && grep -q "$pattern" "$CASE_DIR/refused"
}

# fio_in_guest NAME ARG...: print the fio command
fio_in_guest()
{
	echo "fio --name=$1 --filename=/disk/$1 --rw=randwrite --direct=1 \
		--ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 \
		--thread --eta=never --minimal ${*:2}"
}

# Starts a load that runs until stop_load, which prints how it ended
start_load()
{
	guest_run "rm -f /tmp/stop /tmp/ended /tmp/rounds
		(while [ ! -e /tmp/stop ]; do
			$(fio_in_guest load --bsrange=4k-64k --size=8M) \
				>/tmp/fio 2>&1 || break
			echo >>/tmp/rounds
		done
		if [ -e /tmp/stop ]; then
			echo well >/tmp/ended
		else
			tail -n 5 /tmp/fio >/tmp/ended
		fi) </dev/null >/dev/null 2>&1 &"
}

stop_load()
{
	# Stop only after the load has completed a round in the new state
	guest_run -t 60 'while [ ! -e /tmp/ended ]; do
			[ ! -e /tmp/rounds ] || touch /tmp/stop
			sleep 0.2
		done
		cat /tmp/ended'
}

plug()
{
	vmm_qmp object-add "{\"qom-type\": \"memory-backend-memfd\",
		\"id\": \"more$1\", \"size\": $size, \"share\": true}" &&
		vmm_qmp device_add "{\"driver\": \"pc-dimm\",
			\"id\": \"dimm$1\", \"memdev\": \"more$1\"}"
}

plug_all()
{
	local i

	for ((i = 0; i < dimms; i++)); do
		plug $i >>"$CASE_DIR/plugged" || {
			tail -n 1 "$CASE_DIR/plugged"
			return 1
		}
	done
}

guest_has()
{
	local kb

	# shellcheck disable=SC2016 # the guest's
	kb=$(guest_run 'awk "\$1 == \"MemTotal:\" { print \$2 }" /proc/meminfo')
	[ "$kb" -ge $(($1 * 1024)) ]
}

dimm_gone()
{
	! vmm_qmp query-memory-devices | grep -q "\"dimm$1\""
}

# The guest may refuse while memory is in use, and does not try again by itself.
unplug()
{
	local i

	for ((i = 0; i < 5; i++)); do
		vmm_qmp device_del "{\"id\": \"dimm$1\"}" >/dev/null || return
		if wait_for 10 dimm_gone "$1"; then
			vmm_qmp object-del "{\"id\": \"more$1\"}" >/dev/null
			return
		fi
	done
	diag "$(vmm_qmp query-memory-devices)"
	return 1
}

unplug_some()
{
	unplug $((dimms - 1)) && unplug $((dimms - 2)) && unplug 3 && unplug 0
}

regions()
{
	disk_memory load regions
}

module_load
many=()
for name in load many; do
	nullb $name irqmode=2 completion_nsec=50000 submit_queues=2
	[ $name = load ] || many=(--queues=64)
	disk_start $name "$disk" --serial=$name "${many[@]}"
done

pattern='iommu_platform=true is not supported'
check "QEMU refuses iommu_platform=on" refused \
	-chardev "socket,id=load,path=$CASE_DIR/load.sock" \
	-device vhost-user-blk-pci,chardev=load,iommu_platform=on

disk_attach load num-queues=1
disk_attach many num-queues=64,queue-size=1024
export GUEST_MEM=384
GUEST_APPEND=memhp_default_state=online_movable GUEST_SMP=2 \
	guest_start -m "slots=$((dimms + 2)),maxmem=16G" "${disks[@]}"
ok "the guest is up after $SECONDS s"
disk_links

# shellcheck disable=SC2016 # the guest's
check "a guest of 2 CPUs uses 2 of 64 queues" test 2 = \
	"$(guest_run 'v=$(readlink /disk/many); ls -d /sys/block/${v##*/}/mq/* | wc -l')"
check "64 queues of 1024 entries: fio verifies" \
	guest_run -t 60 "$(fio_in_guest many --bs=4k --size=8M --number_ios=500) >/dev/null"

before=$(regions)
start_load
check "$dimms memory devices are plugged" plug_all
check "each is a region of the device's memory" test "$(regions)" -ge $((before + dimms))
check "the guest has their memory" wait_for 60 guest_has $((dimms * 120))
check "the load during plugging verifies" test "$(stop_load)" = well

# The kernel takes user pages from the movable zone first, which is the new
# memory.
pinned=$(disk_memory many pins)
check "fio verifies in the new memory" guest_run -t 100 \
	"$(fio_in_guest many --bs=64k --size=32M) >/dev/null"
check "the new memory is pinned" \
	test "$(disk_memory many pins)" -gt "$pinned"

start_load
check "four memory devices are unplugged" unplug_some
check "their regions are gone" test "$(regions)" -le $((before + dimms - 4))
check "the load during unplugging verifies" test "$(stop_load)" = well
check "one memory device is plugged again" plug 0
check "fio verifies after that" guest_run -t 100 \
	"$(fio_in_guest many --bs=64k --size=16M) >/dev/null"
for name in load many; do
	check "$name: no request failed" test "$(disk_sum $name errors)" = 0
done
guest_stop
for name in load many; do
	check "$name: the daemon ends well" disk_stop $name
done
case_end
