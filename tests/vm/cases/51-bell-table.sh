# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# doorbell-bench bell, the table of rings, with and without the module.
# kernels: trixie
# timeout: 240
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

rows='qemu-mmio qemu-pio ioeventfd-mmio ioeventfd-pio ioeventfd-mmio-any'
rows+=' hypercall ioeventfd-epoll ioeventfd-worker ioeventfd-inline'
need_module='qemu-mmio qemu-pio ioeventfd-worker ioeventfd-inline'

# table ARG...: do a short run; its rows are in $CASE_DIR/rows.json
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

# rows_are MEASURED UNMEASURED: does rows.json have these rows with all fields?
rows_are()
{
	python3 - "$CASE_DIR/rows.json" "$(uname -r)" "$1" "$2" <<-'END'
		import json, sys
		rows = json.load(open(sys.argv[1]))
		measured, unmeasured = sys.argv[3].split(), sys.argv[4].split()
		fields = {'kernel', 'name', 'iops', 'rtt_us', 'spread',
			  'switches', 'vmexit', 'reason'}
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

# The chart must have every row and be valid XML.
chart_is_whole()
{
	local row

	for row in $rows; do
		grep -qF ">$row</text>" "$CASE_DIR/chart.svg" || return 1
	done
	python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' \
		"$CASE_DIR/chart.svg"
}

# switches ROW CONDITION: check n, the context switches per ring of the handler's
# thread
switches()
{
	python3 - "$CASE_DIR/rows.json" "$1" "$2" <<-'END'
		import json, sys
		rows = {row['name']: row for row in json.load(open(sys.argv[1]))}
		n = rows[sys.argv[2]]['switches']
		print('#', sys.argv[2], n, 'context switches a ring')
		assert eval(sys.argv[3]), n
	END
}

[ -w /dev/kvm ] || skip_case 'no KVM in L1'

only_kvm=''
for row in $rows; do
	[[ " $need_module " == *" $row "* ]] || only_kvm+=" $row"
done
check 'without the module: a table' table --rounds 2 --time 40
check 'rows that need only KVM are measured, the others give the reason' \
	rows_are "$only_kvm" "$need_module"
check 'without the module: the chart has all rows' chart_is_whole
check_fails 'without the module: --check fails' table --check --rounds 1 --time 20

module_load
# Only 'make bench-bell' checks times: other virtual machines may run beside this
# test. A row with a wrong number of exits to user space fails in the table already.
check 'with the module: a table' table --rounds 2 --time 60
check 'inline: no thread wakes' switches ioeventfd-inline 'n < 0.05'
check 'the worker wakes for a ring' switches ioeventfd-worker 'n > 0.5'
check 'a thread in epoll wakes for a ring' switches ioeventfd-epoll 'n > 0.5'
check 'a row without handler has no context switches' \
	switches ioeventfd-mmio 'n is None'
check 'all rows are measured' rows_are "$rows" ''
check 'with the module: the chart has all rows' chart_is_whole
check 'one row alone is measured' table --check --rows hypercall --rounds 1 --count 100
check 'one row alone: the table has no other row' rows_are hypercall ''
case_end
