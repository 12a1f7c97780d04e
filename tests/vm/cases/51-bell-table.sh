# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The table of rings, without the module and with it.
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

rows='qemu-mmio qemu-pio ioeventfd-mmio ioeventfd-pio ioeventfd-mmio-any'
rows+=' hypercall ioeventfd-epoll ioeventfd-worker ioeventfd-inline'
need_module='qemu-mmio qemu-pio ioeventfd-worker ioeventfd-inline'

# table ARG...: a short run, its rows in $CASE_DIR/rows.json
table()
{
	local status=0

	rm -f "$CASE_DIR/rows.json"
	doorbell-bench bell --save "$CASE_DIR/rows.json" \
		--svg "$CASE_DIR/chart.svg" "$@" >"$CASE_DIR/out" 2>&1 ||
		status=$?
	diag "$(cat "$CASE_DIR/out")"
	return $status
}

# rows_are MEASURED UNMEASURED: so it is in rows.json, with every field
rows_are()
{
	python3 - "$CASE_DIR/rows.json" "$(uname -r)" "$1" "$2" <<-'END'
		import json, sys
		rows = json.load(open(sys.argv[1]))
		measured, unmeasured = sys.argv[3].split(), sys.argv[4].split()
		fields = {'kernel', 'name', 'iops', 'rtt_us', 'spread',
			  'vmexit', 'reason'}
		numbers = ('iops', 'rtt_us', 'spread')
		for row in rows:
		    assert set(row) == fields, row
		    assert row['kernel'] == sys.argv[2], row
		    if row['name'] in measured:
		        assert row['reason'] is None, row
		        assert row['iops'] > 0 and row['rtt_us'] > 0, row
		        assert row['spread'] >= 0, row
		    else:
		        assert row['reason'], row
		        assert all(row[n] is None for n in numbers), row
		names = [row['name'] for row in rows]
		assert sorted(names) == sorted(measured + unmeasured), names
	END
}

# Every row is in the chart, and it is XML.
chart_is_whole()
{
	local row

	for row in $rows; do
		grep -qF ">$row</text>" "$CASE_DIR/chart.svg" || return 1
	done
	python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' \
		"$CASE_DIR/chart.svg"
}

# The whole claim is asked for each time; a machine that does other things
# meanwhile may deny it now and then, one where it does not hold always does.
holds()
{
	local i

	for i in 1 2 3; do
		! table --check --rounds 5 --time 100 || return 0
		diag "attempt $i did not show it"
	done
	return 1
}

[ -w /dev/kvm ] || skip_case 'no KVM in L1'

only_kvm=''
for row in $rows; do
	[[ " $need_module " == *" $row "* ]] || only_kvm+=" $row"
done
check 'without the module: a table' table --rounds 2 --time 40
check 'rows that need only KVM are measured, others say why not' \
	rows_are "$only_kvm" "$need_module"
check 'the chart has them all' chart_is_whole
check_fails 'but nothing is shown' table --check --rounds 1 --time 20

module_load
check 'ioeventfd beats QEMU, inline the worker, that epoll' holds
check 'all rows are measured' rows_are "$rows" ''
check 'the chart has them all' chart_is_whole
check 'a row by itself' table --check --rows hypercall --rounds 1 --count 100
check 'has only itself' rows_are hypercall ''
case_end
