# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The packages and the units with a real systemd: install, a disk by an instance, its
# sandbox, cards, 50 disks in one go, an upgrade with a disk in use, remove and purge.
# timeout: 600
# kernels: trixie
# shellcheck disable=SC2016 # eval expands them
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
. "$VM_DIR/net_emulate.sh"
. "$VM_DIR/systemd.sh"

# Fewer in make check, as 50 take half a minute to start
instances=50
[ "${EVERYWHERE:-0}" -eq 1 ] || instances=10

deb_install()
{
	systemd_run dpkg -i --force-confnew "$@" >"$CASE_DIR/dpkg.log" 2>&1 || {
		diag "$(tail -n 20 "$CASE_DIR/dpkg.log")"
		return 1
	}
}

unit()
{
	systemd_run systemctl --quiet "$@"
}

# property UNIT NAME: print a property of the unit
property()
{
	systemd_run systemctl show --value -p "$2" "$1"
}

# conf NAME LINE...: write the settings file of an instance
conf()
{
	local name=$1

	shift
	printf '%s\n' "$@" >"$systemd_root/etc/vhost-doorbell/blk/$name.conf"
}

# image NAME: make a disk image where the daemon may write
image()
{
	local dir=$systemd_root/var/lib/vhost-doorbell

	truncate -s 1M "$dir/$1.img"
	chown --reference="$dir" "$dir/$1.img"
}

why()
{
	systemd_run journalctl --no-pager -q -n 8 -u "$1"
}

# errors NAME: print the instance's lines in the journal with level error
errors()
{
	systemd_run journalctl --no-pager -q -o cat -p err -u "vhost-doorbell-blk@$1.service"
}

# reads NAME [COUNT]: read from the disk through the instance's socket
reads()
{
	doorbell-bench emulate --socket "$systemd_root/run/vhost-doorbell/blk/$1.sock" \
		--count "${2:-20}" >"$CASE_DIR/emulate.log" 2>&1 || {
		diag "$(tail -n 5 "$CASE_DIR/emulate.log")" \
			"$(why "vhost-doorbell-blk@$1.service")"
		return 1
	}
}

of_its_group()
{
	test "$(systemd_run stat -c "%G %a" /dev/vhost-doorbell)" = "vhost-doorbell 660"
}

# udev_gives GID: udev has a rule by which the device node gets this group
udev_gives()
{
	systemd_run udevadm test /sys/class/misc/vhost-doorbell 2>&1 |
		grep -E "60-vhost-doorbell.rules:2 GROUP $1\$" >/dev/null
}

# known_as NAME: doorbellctl finds the device of $disk by this name
known_as()
{
	systemd_run doorbellctl show "$1" | grep -F "$disk" >/dev/null
}

# read_after ROUNDS: a driver has begun after that many rounds, and has ended
read_after()
{
	[ "$(wc -l <"$CASE_DIR/rounds")" -gt $(($1 + 1)) ]
}

# of_daemon UNIT FILE: print a file of /proc of the unit's process
of_daemon()
{
	systemd_run cat "/proc/$(property "$1" MainPID)/$2"
}

# dkms_says VERSION: does DKMS report this version, and no other, as installed?
dkms_says()
{
	systemd_run dkms status -m vhost-doorbell >"$CASE_DIR/dkms.status" &&
		test "$(grep -c . "$CASE_DIR/dkms.status")" -eq 1 &&
		grep -q "vhost-doorbell[/, ]*$1, $kernel.*: installed" \
			"$CASE_DIR/dkms.status" && return
	diag "$(cat "$CASE_DIR/dkms.status")"
	return 1
}

debs=$VM_DIR/../debs
version=$(cat "$debs/version")
kernel=$(uname -r)
modprobe -a macvtap veth bridge
systemd_boot || exit 1

# --- installation of the packages ---

# Compiling the module would take minutes here; check-dkms tests that outside of L1.
# So make DKMS copy the module that was compiled for this kernel.
systemd_modules
systemd_run sh -c 'echo "MAKE[0]=\"cp /tmp/host/vhost_doorbell.ko drivers/vhost-doorbell\"
CLEAN=true" >/etc/dkms/vhost-doorbell.conf'
check "the packages are installed" deb_install "$debs/vhost-doorbell"{,-dkms}"_$version"_*.deb \
	"$debs/vhost-doorbell-bench_$version"_*.deb
check "DKMS has installed the module" dkms_says "$version"
check "and it is loaded" test -d /sys/module/vhost_doorbell
[ -d /sys/module/vhost_doorbell ] || systemd_run modprobe vhost_doorbell
check "it will be at each boot" eval '
	systemd_run cat /usr/lib/modules-load.d/vhost-doorbell.conf | grep -qx vhost_doorbell'
for file in include/linux/vhost_doorbell.h share/bash-completion/completions/doorbellctl; do
	check "there is $file" test -s "$systemd_root/usr/$file"
done
check "there is a user" systemd_run id vhost-doorbell
check "the device node is of its group" wait_for 10 of_its_group
check "by the rule of udev, too" udev_gives "$(systemd_run id -g vhost-doorbell)"
check "QEMU and libvirt find the daemon" grep -q '"binary": "/usr/bin/vhost-doorbell-blk"' \
	"$systemd_root/usr/share/qemu/vhost-user/50-vhost-doorbell-blk.json"
for kind in blk net; do
	status=0
	systemd_run systemd-analyze verify --man=no --recursive-errors=no \
		vhost-doorbell-$kind@x.{service,socket} >"$CASE_DIR/verify" 2>&1 ||
		status=$?
	check "systemd has looked at the units of $kind" test $status -lt 126
	check_fails "systemd finds nothing wrong with the units of $kind" grep \
		"vhost-doorbell" "$CASE_DIR/verify"
	check "its exposure is 2.0 or less" eval "
		systemd_run systemd-analyze security --no-pager --threshold=20 \
			vhost-doorbell-$kind@x.service >'$CASE_DIR/security'"
	diag "$(tail -n 1 "$CASE_DIR/security")"
done

# --- one disk, its unit and its sandbox ---

systemd_disk one
conf one "# a disk" "blk-file = $disk" "serial = one"
check "a socket is enabled and started" unit enable --now vhost-doorbell-blk@one.socket
check "it is for the group only" test "$(systemd_run stat -c '%U %G %a' \
	/run/vhost-doorbell/blk/one.sock)" = 'root vhost-doorbell 660'
check_fails "no daemon runs" unit is-active vhost-doorbell-blk@one.service
check "the first front end starts it, and reads" reads one
check "it is active" unit is-active vhost-doorbell-blk@one.service
check "a front end that says what is no message" systemd_run perl -MIO::Socket::UNIX -e '
	$s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
	syswrite($s, pack("L3", 0, 1, 0));
	sysread($s, $b, 1) and die' /run/vhost-doorbell/blk/one.sock
check "is an error of the instance in the journal" wait_for 10 eval '
	errors one | grep -q "^one: unknown message: request 0"'
check_fails "as the other lines are not" eval 'errors one | grep "front end"'
diag "$(property vhost-doorbell-blk@one.service StatusText)"
check "its status says whether a front end is connected" wait_for 10 eval '
	[[ $(property vhost-doorbell-blk@one.service StatusText) == *"front end is connected"* ]]'
# A device is there for as long as a front end is connected.
doorbell-bench emulate --socket "$systemd_root/run/vhost-doorbell/blk/one.sock" \
	--seconds 300 >/dev/null 2>&1 &
driver=$!
for name in one /run/vhost-doorbell/blk/one.sock; do
	check "doorbellctl knows it as $name" wait_for 20 known_as "$name"
done
kill $driver 2>/dev/null || :
wait $driver || :
check "it has a user of its own" eval '
	of_daemon vhost-doorbell-blk@one.service status |
		grep -q "^Uid:.$(systemd_run id -u vhost-doorbell)[^0-9]"'
check "no capability" eval '
	of_daemon vhost-doorbell-blk@one.service status | grep -q "^CapEff" &&
	! of_daemon vhost-doorbell-blk@one.service status |
		grep -E "^Cap(Eff|Prm|Bnd|Amb):.*[1-9a-f]"'
check "no network" eval '
	test "$(of_daemon vhost-doorbell-blk@one.service net/dev | grep -c :)" -eq 1'
check "a filter of system calls" eval '
	of_daemon vhost-doorbell-blk@one.service status | grep -q "^Seccomp:.2"'
check "all the memory that the guest may have" eval '
	of_daemon vhost-doorbell-blk@one.service limits |
		grep -q "^Max locked memory *unlimited"'
check "a restart keeps the socket" unit restart vhost-doorbell-blk@one.service
check "and the next front end reads" reads one
check "a stop of the daemon, too" unit stop vhost-doorbell-blk@one.service
check "the next front end starts it again" reads one

# --- wrong settings ---

image wrong
conf wrong "blk-file = /var/lib/vhost-doorbell/wrong.img" "quues = 3"
mkdir -p "$systemd_root/etc/systemd/system/vhost-doorbell-blk@wrong.socket.d"
printf '[Socket]\nSocketGroup=libvirt-qemu\n' \
	>"$systemd_root/etc/systemd/system/vhost-doorbell-blk@wrong.socket.d/qemu.conf"
unit daemon-reload
unit start vhost-doorbell-blk@wrong.socket

# as_qemu [ARG...]: connect as the user of libvirt's QEMU
as_qemu()
{
	systemd_run runuser -u libvirt-qemu -- doorbell-bench emulate \
		--socket /run/vhost-doorbell/blk/wrong.sock --count 5 \
		>"$CASE_DIR/emulate.log" 2>&1
}

check_fails "settings that are wrong" as_qemu
check "file and line are in the journal" wait_for 10 eval '
	errors wrong |
		grep -q "wrong.conf:2: .*quues"'
check "it is not tried again" test \
	"$(property vhost-doorbell-blk@wrong.service NRestarts)" = 0
check "the socket waits for the next front end" unit is-active \
	vhost-doorbell-blk@wrong.socket
for ((i = 0; i < 12; i++)); do
	as_qemu && break
done
check "also after many front ends" unit is-active vhost-doorbell-blk@wrong.socket
conf wrong "blk-file = /var/lib/vhost-doorbell/wrong.img"
check "with settings that are right QEMU's user reads" as_qemu
unit stop vhost-doorbell-blk@wrong.{socket,service}
check_fails "an instance without settings" unit start vhost-doorbell-blk@none.socket

# --- network cards ---

# card NAME INTERFACE SETTING...: start an instance; frames must pass in both
# directions between its socket and the interface
card()
{
	local name=$1 interface=$2 load

	shift 2
	printf '%s\n' "$@" >"$systemd_root/etc/vhost-doorbell/net/$name.conf"
	check "card $name: it starts" unit start "vhost-doorbell-net@$name.socket" \
		"vhost-doorbell-net@$name.service"
	for load in tx rx; do
		check "card $name: frames, $load" net --load $load --verify --count 50 \
			--socket "$systemd_root/run/vhost-doorbell/net/$name.sock" \
			--host-if "$interface"
	done
	unit is-active "vhost-doorbell-net@$name.service" ||
		diag "$(why "vhost-doorbell-net@$name.service")"
}

ip link add br0 type bridge
ip link set br0 up
card tap vm1 "tap = vm1,create" "bridge = br0"
check "its tap is in the bridge" test -e /sys/class/net/br0/brif/vm1
card own vm2 "dev = vm2" "bridge = br0"
check "its interface is in the bridge" test -e /sys/class/net/br0/brif/vm2
check "it has one capability" eval '
	of_daemon vhost-doorbell-net@own.service status |
		grep -qE "^CapEff:.0*1000$"'
echo 'SUBSYSTEM=="macvtap", SUBSYSTEMS=="net", KERNELS=="vm3", OWNER="vhost-doorbell"' \
	>"$systemd_root/etc/udev/rules.d/70-vm3.rules"
systemd_run udevadm control --reload
ip link add lower type veth peer name other
ip link set lower up
ip link set other up
ip link add link lower name vm3 type macvtap mode passthru
ip link set vm3 up
systemd_run udevadm settle
card macvtap other "macvtap = vm3"
check "a tap goes with its unit" eval '
	unit stop "vhost-doorbell-net@*.socket" "vhost-doorbell-net@*.service" &&
	! test -e /sys/class/net/vm1'

# --- many disks ---

for ((i = 0; i < instances; i++)); do
	image $i
	conf "m$i" "blk-file = /var/lib/vhost-doorbell/$i.img" "queues = 1"
	many+=("vhost-doorbell-blk@m$i.socket" "vhost-doorbell-blk@m$i.service")
done
start=$SECONDS
check "$instances instances start in one go" unit start "${many[@]}"
diag "$((SECONDS - start)) s"
active=$(systemd_run systemctl --no-legend --plain list-units --state=running \
	'vhost-doorbell-blk@m*.service' | grep -c .)
check "all of them run" test "$active" -eq $instances
check "the first is read" reads m0
check "the last, too" reads "m$((instances - 1))"
check "they stop in one go" unit stop "${many[@]}"

# --- upgrade with a disk in use ---

pid=$(property vhost-doorbell-blk@one.service MainPID)
# One driver after the other, until it is told that it is enough
rm -f "$CASE_DIR/enough"
while [ ! -e "$CASE_DIR/enough" ]; do
	reads one 200 || exit 1
	echo read >>"$CASE_DIR/rounds"
done &
reader=$!
check "an upgrade with a disk in use" deb_install \
	"$debs/vhost-doorbell"{,-dkms}"_$version+upgrade"_*.deb
check "DKMS has installed the new module" dkms_says "$version+upgrade"
check "the daemon runs on" test "$pid" = \
	"$(property vhost-doorbell-blk@one.service MainPID)"
rounds=$(wc -l <"$CASE_DIR/rounds")
check "its disk is read all the while" wait_for 60 read_after "$rounds"
: >"$CASE_DIR/enough"
check "no request failed" wait $reader
check "a restart takes the new one" unit restart vhost-doorbell-blk@one.service
check "which reads" reads one
check "and is of the new version" eval '
	systemd_run /usr/bin/vhost-doorbell-blk --version |
		grep -qxF "vhost-doorbell-blk $version+upgrade"'

# --- remove, purge ---

check "remove" systemd_run dpkg -r vhost-doorbell vhost-doorbell-bench vhost-doorbell-dkms
check_fails "the module is not there for the next boot" eval '
	find "$systemd_root/lib/modules/$kernel/" -name "vhost_doorbell*" | grep .'
check_fails "the daemon has ended" systemd_run pgrep -x vhost-doorbell-
check_fails "and its socket is gone" test -e \
	"$systemd_root/run/vhost-doorbell/blk/one.sock"
check "the settings stay" test -e "$systemd_root/etc/vhost-doorbell/blk/one.conf"
check "purge" systemd_run dpkg -P vhost-doorbell vhost-doorbell-dkms
rm -r "$systemd_root/etc/dkms/vhost-doorbell.conf" \
	"$systemd_root/etc/systemd/system/vhost-doorbell-blk@wrong.socket.d"
check "then they are gone" eval '
	! find "$systemd_root"/{etc,usr,run,var/lib/dkms} -path "*vhost[-_]doorbell*" |
		grep .'
systemd_stop
case_end
