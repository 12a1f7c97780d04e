# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# doorbellctl on a device under load: names of devices, each subcommand and exit
# status, JSON that can be parsed, rates that are not zero, events, and valid
# OpenMetrics.
# timeout: 120
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# status WANTED COMMAND...: check its exit status
status()
{
	local want=$1 got=0

	shift
	"$@" >"$CASE_DIR/out" 2>"$CASE_DIR/err" || got=$?
	[ $got -eq "$want" ] || diag "status $got, not $want: $*" "$(cat "$CASE_DIR/err")"
	[ $got -eq "$want" ]
}

# json EXPRESSION: evaluate it on the output of the last status: d is the object, l
# the list of objects if there is one per line
json()
{
	python3 - "$CASE_DIR/out" "$1" <<-'END' || { diag "$1" "$(head -c 2000 "$CASE_DIR/out")"; return 1; }
		import json, sys
		text = open(sys.argv[1]).read()
		try:
		    d = json.loads(text)
		    l = [d]
		except ValueError:
		    l = [json.loads(line) for line in text.splitlines()]
		sys.exit(not eval(sys.argv[2]))
	END
}

# openmetrics FILE: check the grammar of OpenMetrics 1.0, and the sums of
# histograms
openmetrics()
{
	python3 - "$1" <<-'END'
		import re, sys
		lines = open(sys.argv[1]).read().split('\n')
		assert lines[-2:] == ['# EOF', ''], lines[-2:]
		name, label = r'[a-zA-Z_:][a-zA-Z0-9_:]*', r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
		sample = re.compile(r'(%s)(?:\{(%s(?:,%s)*)\})? (-?[0-9.e+-]+)$' % (name, label, label))
		# No others: the format of the node exporter's text files has these three, too.
		suffixes = {'counter': ['_total'], 'gauge': [''],
		            'histogram': ['_bucket', '_count', '_sum']}
		types, seen, family, last, samples = {}, set(), None, None, 0
		for line in lines[:-2]:
		    m = re.match(r'# (TYPE|UNIT|HELP) (%s) (.+)$' % name, line)
		    if m:
		        if m[1] == 'TYPE':
		            assert m[2] not in types and m[3] in suffixes, line
		            family, types[m[2]] = m[2], m[3]
		        assert m[2] == family, line
		        assert m[1] != 'UNIT' or family.endswith('_' + m[3]), line
		        continue
		    m = sample.match(line)
		    assert m, line
		    assert m[1] in [family + s for s in suffixes[types[family]]], line
		    assert (m[1], m[2]) not in seen, line
		    seen.add((m[1], m[2]))
		    samples += 1
		    if m[1] == family + '_bucket':
		        group, bound = re.match(r'(.*),le="(.*)"$', m[2]).groups()
		        value, bound = float(m[3]), float(bound)
		        assert last is None or group != last[0] or bound > last[1] and value >= last[2], line
		        last = group, bound, value
		    if m[1] == family + '_count':
		        assert last == (m[2], float('inf'), float(m[3])), line
		assert samples > 20, samples
	END
}

metric()
{
	grep -qE "^vhost_doorbell_$1" "$CASE_DIR/metrics"
}

module_load
echo Y >/sys/module/vhost_doorbell/parameters/histograms
nullb ctl irqmode=2 completion_nsec=200000
daemon_start --blk-file="$disk" --mode=auto
check "no device has this name: status 3" status 3 doorbellctl show nobody
check "a set needs a device or --all: status 2" status 2 doorbellctl set mode=auto
check "its error says so" grep -qF -- "--all" "$CASE_DIR/err"
check "no such subcommand: status 2" status 2 doorbellctl frobnicate
check "an option of another subcommand: status 2" status 2 doorbellctl list --count 1
check "no procfs: status 1" status 1 doorbellctl list --proc "$CASE_DIR/none"
for sub in list show top latency events metrics watch resize set bell doctor; do
	check "help $sub" status 0 doorbellctl help $sub
	check "it names it" grep -q "^usage: .* $sub" "$CASE_DIR/out"
done
check "metrics -j" status 0 doorbellctl metrics -j
check "-V" status 0 doorbellctl -V

# This driver keeps the device and makes requests until it is killed below.
doorbell-bench emulate --socket "$sock" --rw randrw --depth 4 --queues 2 \
	--seconds 600 >"$CASE_DIR/driver.log" 2>&1 &
driver=$!
check "a driver makes requests" wait_for $((20 * factor)) under_way

check "list -j" status 0 doorbellctl list -j
id=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["devices"][0]["id"])' <"$CASE_DIR/out")
check "it knows the daemon's socket" json "d['devices'][0]['socket'] == '$sock'"
mkdir "$CASE_DIR/dir"
ln -s "$disk" "$CASE_DIR/dir/link"
for name in "$id" "$disk" "$CASE_DIR/dir/link" "$sock"; do
	check "show $name" status 0 doorbellctl show "$name" -j
	check "it is that one" json "[x['id'] for x in d['devices']] == [$id]"
done
check "show" status 0 doorbellctl show "$sock"
check "shows its socket" grep -qF "$sock" "$CASE_DIR/out"

check "top" status 0 doorbellctl top -n 2 -i 0.5
check "draws twice" test "$(grep -c '^ID ' "$CASE_DIR/out")" = 2
check "top -j" status 0 doorbellctl top -j -n 2 -i 0.5 -s id
check "one line each time" json "len(l) == 2"
check "with rates of both queues" json \
	"all(len(x['queues']) == 2 and all(q['requests'] > 0 for q in x['queues']) for x in l)"
check "and the context that serves" json \
	"all(q['served'] in ('inline', 'worker') for x in l for q in x['queues'])"
check "top --sort: not by colour" status 2 doorbellctl top -s colour
check "watch -j" status 0 doorbellctl watch "$disk" -j -n 2 -i 0.3
check "has rates" json "len(l) == 2 and all(x['requests'] > 0 for x in l)"

check "latency" status 0 doorbellctl latency "$id"
check "latency -j" status 0 doorbellctl latency "$id" -j
check "every histogram adds up" json \
	"all(sum(b['count'] for b in h['buckets']) == h['count'] > 0 for h in d['devices'][0]['histograms'])"
check "of reads and writes" json \
	"{h['kind'] for h in d['devices'][0]['histograms']} >= {'read', 'write'}"
check "with percentiles in order" json \
	"all(0 < h['p50'] <= h['p90'] <= h['p99'] <= h['p999'] <= h['max'] for h in d['devices'][0]['histograms'])"
check "top -j has latencies" eval 'status 0 doorbellctl top -j -n 1 -i 0.5 &&
	json "all(q[\"mean_us\"] > 0 and q[\"p99_us\"] > 0 for q in d[\"queues\"])"'

check "metrics" status 0 doorbellctl metrics
cp "$CASE_DIR/out" "$CASE_DIR/metrics"
check "OpenMetrics' grammar" openmetrics "$CASE_DIR/metrics"
check "with requests" metric "requests_total\{device=\"$id\",queue=\"0\"\} [1-9]"
check "and the disk's name" metric "device_info\{.*disk=\"$disk\""
doorbellctl metrics --socket "$CASE_DIR/metrics.sock" 2>"$CASE_DIR/serve.log" &
server=$!
check "metrics --socket" wait_for $((10 * factor)) test -S "$CASE_DIR/metrics.sock"
for ask in '' $'GET /metrics HTTP/1.0\r\n\r\n'; do
	python3 - "$CASE_DIR/metrics.sock" "$ask" >"$CASE_DIR/answer" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(sys.argv[2].encode())
		sys.stdout.write(b''.join(iter(lambda: s.recv(65536), b'')).decode())
	END
	[ -z "$ask" ] || check "it speaks HTTP" grep -q '^HTTP/1.0 200 ' "$CASE_DIR/answer"
	sed '1,/^\r$/ { /^HTTP/,/^\r$/d }' "$CASE_DIR/answer" >"$CASE_DIR/metrics"
	check "it serves ${ask:+HTTP clients }OpenMetrics" openmetrics "$CASE_DIR/metrics"
done
kill $server
check "ends by SIGTERM: status 0" wait $server
check_fails "and removes its socket" test -e "$CASE_DIR/metrics.sock"

check "set by disk" status 0 doorbellctl set "$disk" mode=worker -j
check "in JSON" json "d['devices'] == [{'id': $id, 'done': True, 'error': None}]"
check "top sees the worker" eval 'status 0 doorbellctl top -j -n 1 -i 0.5 &&
	json "all(q[\"served\"] == \"worker\" for q in d[\"queues\"])"'
check "set --all" status 0 doorbellctl set --all mode=auto
check "set: no such device" status 3 doorbellctl set 999999 mode=auto
check "resize -j" status 0 doorbellctl resize "$sock" -j
check "bell -j" eval 'status 0 doorbellctl bell -j && json "d[\"bells\"] == []"'
doorbellctl doctor -j >"$CASE_DIR/out" || :
check "doctor -j" json "type(d['fit']) is bool"

# --- events
doorbellctl events -j -i 0.2 >"$CASE_DIR/out" 2>"$CASE_DIR/err" &
events=$!
sleep $((2 * factor))
kill $driver
wait $driver 2>/dev/null || :
event()
{
	json "any(x['event'] == '$1' for x in l)" >/dev/null
}
# The daemon closes the device when its driver goes away.
check "event: the device goes" wait_for $((10 * factor)) event gone
emulate --rw randread --depth 1 --seconds $((2 * factor)) || :
check "event: the next driver's device comes" wait_for $((10 * factor)) event come
kill $events
wait $events 2>/dev/null || :
check "events have time, device and name" json \
	"len(l) >= 2 and all(set(x) == {'time', 'event', 'id', 'queue', 'detail'} for x in l)"
check "the daemon ends well" daemon_stop
case_end
