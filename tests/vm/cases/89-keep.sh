# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A disk whose daemon is killed again and again: the guest's fio goes on. A daemon that is a
# unit of systemd is killed and restarted by systemctl: its driver goes on.
# timeout: 900
# kernels: trixie
# shellcheck disable=SC2016 # eval expands them
. "$VM_DIR/case.sh"
. "$VM_DIR/guest.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/disk.sh"
. "$VM_DIR/keep.sh"
. "$VM_DIR/systemd.sh"

kills=3
blocks=
usual=0
[ "${EVERYWHERE:-0}" -eq 0 ] || kills=50

# --- a guest's disk ---

module_load
nullb kept size=64
disk_start kept "$disk" --serial=kept --keep
disk_attach kept
guest_start "${disks[@]}"
disk_links
keep_fio kept 4
check "fio ends a round before any kill" wait_for 60 eval 'usual=$(keep_fio_longest)'
keep_alone=0
said=$(vmm_lines)
for ((i = 1; i <= kills; i++)); do
	check "kill $i: another one goes on" keep_kill kept
done
diag "$kills kills, $keep_longest ms without a daemon at most"
diag "$keep_alone requests were served while no daemon lived"
check "requests were served while no daemon lived" test $keep_alone -gt 0
check "fio has no error" eval 'blocks=$(keep_fio_end)'
slowest=$(keep_fio_longest)
diag "$blocks blocks were verified; longest request: $usual ms before the kills, $slowest ms in all"
# The emulated machine stalls for that long by itself.
check "no request took much longer than before" test "$slowest" -le $((4 * usual + 1000))
check "QEMU says nothing" vmm_quiet "$said"
check "the disk goes on" guest_run 'dd if=/disk/kept of=/dev/null bs=4k count=100 iflag=direct'
count=$(keep_takeovers kept)
kill -HUP "${disk_pid[kept]}"
check "the parent replaces the worker at SIGHUP" wait_for 20 keep_went_on kept "$count"
check "and the disk goes on" guest_run 'dd if=/disk/kept of=/dev/null bs=4k count=100 iflag=direct'
vmm_kill
check "QEMU's end releases the device" wait_for 20 eval '! disk_fdinfo kept | grep -q .'
check "the parent ends at SIGTERM" disk_stop kept
diag "$(cat "$CASE_DIR/kept.log")"

# --- the unit of systemd ---

unit()
{
	systemd_run systemctl --quiet "$@"
}

property()
{
	systemd_run systemctl show --value -p "$2" "$1"
}

stores()
{
	wait_for 60 eval '[ "$(property $u.service NFileDescriptorStore)" -gt 5 ]' && return
	tail "$CASE_DIR/emulate.log"
	systemd_run journalctl --no-pager -q -n 20
	return 1
}

says()
{
	[ "$(systemd_run journalctl --no-pager -q -o cat -u $u.service |
		grep -c 'goes on with the front end')" -ge "$1" ]
}

has_disk()
{
	systemd_run doorbellctl list | grep -F " $disk" >/dev/null
}

debs=$VM_DIR/../debs
version=$(cat "$debs/version")
u=vhost-doorbell-blk@one
systemd_boot || exit 1
systemd_run dpkg -i --force-confnew "$debs/vhost-doorbell_$version"_*.deb \
	>"$CASE_DIR/dpkg.log" 2>&1 || cat "$CASE_DIR/dpkg.log"
chgrp "$(systemd_run id -g vhost-doorbell)" /dev/vhost-doorbell
chmod 660 /dev/vhost-doorbell
systemd_disk one
echo "blk-file = $disk" >"$systemd_root/etc/vhost-doorbell/blk/one.conf"
unit start $u.socket
doorbell-bench emulate --socket "$systemd_root/run/vhost-doorbell/blk/one.sock" \
	--seconds 600 >"$CASE_DIR/emulate.log" 2>&1 &
driver=$!
check "the descriptors of its connection are stored" stores
diag "$(property $u.service NFileDescriptorStore) descriptors are stored"
before=$(date +%s%N)
check "systemctl restart" unit restart $u.service
took=$((($(date +%s%N) - before) / 1000000))
diag "it took $took ms"
check "which waits for no time-out" test $took -lt 10000
check "the new one goes on" wait_for 20 says 1
# Only the main process: systemd 252 fails if it cannot kill the kernel's worker, which is in
# the service's cgroup, too.
check "systemctl kill" unit kill --kill-whom=main -s KILL $u.service
check "the next one goes on" wait_for 20 says 2
systemd_run dpkg -i --force-confnew "$debs/vhost-doorbell_$version+upgrade"_*.deb \
	>"$CASE_DIR/dpkg.log" 2>&1 || cat "$CASE_DIR/dpkg.log"
check "a restart after an upgrade" unit restart $u.service
check "the new version goes on" wait_for 20 says 3
check "and tells of the old one" eval '
	systemd_run journalctl --no-pager -q -o cat -u $u.service |
		grep -q "goes on .* of version $version\$"'
check "the front end was served all the while" kill -0 $driver
diag "$(systemd_run journalctl --no-pager -q -o short-monotonic -n 20 -u $u.service)"
# The settings name another disk, while the first one is in use.
systemd_disk two
echo "blk-file = $disk" >"$systemd_root/etc/vhost-doorbell/blk/one.conf"
check "a restart with another disk in the settings" unit restart $u.service
check "the new one says that the front end keeps its disk" wait_for 20 eval '
	systemd_run journalctl --no-pager -q -o cat -u $u.service |
		grep -q "$disk: is not the disk that the front end has"'
check_fails "which it does" has_disk
check "and is served" kill -0 $driver
pid=$(property $u.service MainPID)
kill $driver || :
wait $driver || :
check "its end empties the store" wait_for 20 eval '
	[ "$(property $u.service NFileDescriptorStore)" = 0 ]'
doorbell-bench emulate --socket "$systemd_root/run/vhost-doorbell/blk/one.sock" \
	--seconds 600 >"$CASE_DIR/emulate.log" 2>&1 &
driver=$!
check "the next front end gets the other disk" wait_for 20 has_disk
check "from the same process, which has read its settings again" test "$pid" = \
	"$(property $u.service MainPID)"
check "and has its name" systemd_run grep -qx vhost-doorbell- "/proc/$pid/comm"

# --- another module, in the place of the loaded one ---

reload()
{
	systemd_run vhost-doorbell-reload "$@" >"$CASE_DIR/reload" 2>&1
}

check_fails "no module is installed for this kernel" reload
systemd_modules
cp /tmp/vhost_doorbell.ko "$systemd_root/lib/modules/$(uname -r)"
systemd_run depmod
check "no module is replaced by the same one" eval 'reload &&
	grep -q "is the installed one" "$CASE_DIR/reload"'
check_fails "the driver's device keeps it" reload --force
check "which the script says" grep -q "1 disks and cards are in use" "$CASE_DIR/reload"
systemd_run sh -c 'exec 7<>/dev/vhost-doorbell; exec sleep 300' &
stranger=$!
wait_for 10 eval '[ "$(systemd_run doorbellctl list | wc -l)" = 3 ]' || :
check_fails "a device of no unit keeps it, too" reload --force --guests
check "and the script names its process" grep -q '^sleep (process [0-9]*)' \
	"$CASE_DIR/reload"
check "nothing was stopped" eval 'kill -0 $driver && has_disk'
systemd_run pkill -x sleep || :
wait $stranger || :
echo Y >/sys/module/vhost_doorbell/parameters/histograms
check "a module is replaced while a driver is connected" reload --force --guests
diag "$(cat "$CASE_DIR/reload")"
check "its parameters are those of a module that was just loaded" grep -qx N \
	/sys/module/vhost_doorbell/parameters/histograms
wait $driver || :
check "the next driver is served" doorbell-bench emulate --count 20 \
	--socket "$systemd_root/run/vhost-doorbell/blk/one.sock"
systemd_stop
case_end
