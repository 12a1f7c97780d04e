# shellcheck shell=bash
# kernels: trixie
# timeout: 400
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"
modprobe -a tun tap vhost_net
module_load
e() {
	local s=0
	timeout 60 doorbell-bench emulate --type net "$@" >$CASE_DIR/out 2>&1 || s=$?
	[ $s -eq 0 ] && ok "$*" || not_ok "$*: $s"
	diag "$(tail -n 12 $CASE_DIR/out)"
}
for port in "--tap t0" "--dev d0"; do
for load in tx rx echo; do
for opt in "" "--packed" "--legacy" "--no-mrg" "--in-order"; do
	e --doorbell $port --load $load $opt --count 3000
done
e --doorbell $port --load $load --size 60000 --count 300
e --doorbell $port --load $load --layout random --count 1000
done
done
case_end
