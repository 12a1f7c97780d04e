# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh: virtual machines in L1, under KVM, by the release's stock QEMU.
#
#   vmm_start ARG...	start QEMU; add -device options and the like
#   guest_start ARG...	the same with a Linux guest; waits until it can run
#			commands
#   guest_run [-t SECONDS] COMMAND
#			run a shell command there: its output and status
#   guest_programs NAME...
#			the guests started from here on have test-NAME as
#			/bin/NAME
#   guest_answers	ends the case, with all that is known, if it does not
#   guest_stop		power it off and wait until QEMU is gone
#   vmm_qmp COMMAND [ARGUMENTS]
#			a QMP command and its arguments in JSON; prints the
#			answer, fails on an error
#   vmm_kill [SIGNAL]	end QEMU (KILL) and wait
#
# All act on the machine that $GUEST names (one called 'guest' by default), so
# that a case can have several. Its files are in $CASE_DIR/$GUEST: console,
# qemu.log. Its memory is a memfd of GUEST_MEM megabytes (256), or what
# GUEST_MEM_KIND names (memfd, file); GUEST_MEM_OPTS adds properties to it.
# GUEST_SMP is the number of CPUs (1).
#
# Exits with a reason, so that a case needs no check, when a machine does not
# start. A guest that hangs or dies before it has sent its first request to a disk, or
# hangs with a CPU that stays at one instruction while no disk owes it anything, is
# started once more, which the output tells: the emulator's SMP boot is not always
# sound. guest_run gives 124 when the command, or the guest, does not answer.

declare -A vmm_pid
guest_base=/tmp/guest/guest.cpio

vmm_dir()
{
	echo "$CASE_DIR/${GUEST:-guest}"
}

vmm_alive()
{
	kill -0 "${vmm_pid[${GUEST:-guest}]}" 2>/dev/null
}

vmm_said()
{
	local dir

	dir=$(vmm_dir)
	# Why KVM gave up a CPU comes before its registers.
	head -n 5 "$dir/qemu.log"
	tail -n 20 "$dir/qemu.log" "$dir/console" "$dir/strace" 2>/dev/null || :
}

vmm_fail()
{
	echo "${GUEST:-guest}: $1"
	vmm_said
	exit 1
}

# Pipes, since bash can open them: NAME.in to QEMU, NAME.out from it.
vmm_pipes()
{
	local name

	for name; do
		mkfifo "$(vmm_dir)/$name.in" "$(vmm_dir)/$name.out"
	done
}

vmm_start()
{
	local dir name=${GUEST:-guest} mem=${GUEST_MEM:-256}

	[ -w /dev/kvm ] || skip_case "no KVM in L1"
	dir=$(vmm_dir)
	rm -rf "$dir"
	mkdir "$dir"
	vmm_pipes qmp command
	: >"$dir/console"
	qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35,accel=kvm,smm=off,graphics=off,hpet=off,memory-backend=ram \
		-cpu host -smp "${GUEST_SMP:-1}" -m "${mem}M" \
		-object "memory-backend-${GUEST_MEM_KIND:-memfd},id=ram,size=${mem}M,share=on${GUEST_MEM_OPTS:+,$GUEST_MEM_OPTS}" \
		-chardev "file,id=console,path=$dir/console" \
		-serial chardev:console \
		-chardev "pipe,id=command,path=$dir/command" \
		-serial chardev:command \
		-chardev "pipe,id=qmp,path=$dir/qmp" \
		-mon chardev=qmp,mode=control \
		"$@" </dev/null >"$dir/qemu.log" 2>&1 &
	vmm_pid[$name]=$!
	vmm_expect qmp 30 '"QMP"' >/dev/null || vmm_fail 'QEMU does not start'
	vmm_qmp qmp_capabilities >/dev/null || vmm_fail 'QEMU does not answer'
}

# vmm_expect PIPE SECONDS PATTERN: print lines from QEMU up to the one that
# matches; 124 if none does in time.
# Both ends of a pipe are kept open, so the end of QEMU must be looked for.
vmm_expect()
{
	local line rest='' out end=$((SECONDS + $2))

	exec {out}<>"$(vmm_dir)/$1.out"
	while :; do
		if IFS= read -r -t 1 -u "$out" line; then
			line=$rest${line%$'\r'}
			rest=
			printf '%s\n' "$line"
			[[ ! $line =~ $3 ]] || break
			continue
		fi
		# The part of a line that was there when time was up
		rest+=$line
		if [ $SECONDS -ge $end ] || ! vmm_alive || vmm_given_up; then
			break
		fi
	done
	exec {out}>&-
	[[ $line =~ $3 ]] || return 124
}

vmm_send()
{
	vmm_alive && printf '%s\n' "$2" 1<>"$(vmm_dir)/$1.in"
}

vmm_qmp()
{
	local answer

	vmm_send qmp "{\"execute\": \"$1\", \"arguments\": ${2:-{\}}}" ||
		return 1
	# Events may come before the answer.
	answer=$(vmm_expect qmp 30 '^\{"(return|error)": ' | tail -n 1)
	printf '%s\n' "$answer"
	[[ $answer == '{"return"'* ]]
}

# A later archive of an initramfs adds to what an earlier one has.
guest_programs()
{
	local name dir=$CASE_DIR/initrd

	mkdir -p "$dir/bin"
	for name; do
		cp "/tmp/bin/test-$name" "$dir/bin/$name"
	done
	cp "$guest_base" "$CASE_DIR/guest.cpio"
	(cd "$dir" && find . | cpio -o -H newc --quiet) >>"$CASE_DIR/guest.cpio"
	guest_initrd=$CASE_DIR/guest.cpio
}

guest_boot()
{
	vmm_start -kernel /tmp/guest/vmlinux \
		-initrd "${guest_initrd:-$guest_base}" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable random.trust_cpu=on cryptomgr.notests ${GUEST_APPEND:-}" \
		"$@"
	vmm_expect command "${GUEST_BOOT:-$((120 * ${TIME_FACTOR:-1}))}" @@READY >/dev/null
}

guest_start()
{
	guest_boot "$@" && return
	guest_state
	served=$(all_disks requests)
	if [ "$served" != 0 ] && ! guest_cpu_stuck; then
		vmm_fail "the guest does not start, after $served requests"
	fi
	diag "$(vmm_said)" 'the guest did not start, second attempt'
	vmm_kill KILL
	guest_boot "$@" || vmm_fail 'the guest does not start'
}

# One of its CPUs runs and stays at one instruction, as the emulator sometimes has
# it in a page fault without end; and no disk owes it anything.
guest_cpu_stuck()
{
	local i

	[ "$(all_disks in_flight)" = 0 ] || return
	for ((i = 0; i < 5; i++)); do
		vmm_hmp 'info registers -a'
		sleep 0.5
	done | awk '
		/^CPU/ { cpu = $1 }
		/^.IP=/ && /HLT=0/ && ++seen[cpu, $1] == 5 { stuck = 1 }
		END { exit !stuck }'
}

# all_disks COUNTER: the sum over all that there are
all_disks()
{
	# What is gone meanwhile is no error.
	{ grep -hso " $1=[0-9]*" /proc/[0-9]*/fdinfo/* || :; } |
		awk -F = '{ n += $2 } END { print n + 0 }'
}

guest_run()
{
	local seconds=20 token=$RANDOM$RANDOM packed line status=124

	if [ "$1" = -t ]; then
		seconds=$2
		shift 2
	fi
	packed=$(printf '%s' "$1" | base64 -w 0)
	if ! vmm_send command "$token $seconds $packed"; then
		vmm_gone_why >&2
		return 124
	fi
	# The guest ends the command itself; what hangs it beyond that is ours.
	while IFS= read -r line; do
		if [[ $line == *"@@END $token "* ]]; then
			status=${line##* }
			line=${line%@@END*}
			[ -z "$line" ] || printf '%s\n' "$line"
		else
			printf '%s\n' "$line"
		fi
	done < <(vmm_expect command $((seconds + 10)) "@@END $token ")
	return "$status"
}

# KVM 7.3 stops a machine whose processor reports, at the first write to a register of
# a device, that it has an interrupt to deliver. The emulator's does so now and then,
# with any back end: QEMU's own tap, too.
vmm_given_up()
{
	grep -qx 'KVM internal error. Suberror: 3' "$(vmm_dir)/qemu.log"
}

# What a machine said that is gone without having been told to go
vmm_gone_why()
{
	local pid=${vmm_pid[${GUEST:-guest}]} status=0

	[ ! -e "$(vmm_dir)/gone" ] || return 0
	: >"$(vmm_dir)/gone"
	# 127 in a subshell, whose child it is not
	wait "$pid" 2>/dev/null || status=$?
	diag "${GUEST:-guest}: QEMU is gone, status $status" "$(vmm_said)" \
		"$(dmesg | tail -n 5)"
}

# vmm_hmp COMMAND: of the human monitor
vmm_hmp()
{
	vmm_qmp human-monitor-command "{\"command-line\": \"$1\"}" |
		sed 's/\\r\\n/\n/g' || :
}

# Where the guest is, what each thread of QEMU waits for, and each queue of each
# disk
guest_state()
{
	local task

	diag "$(vmm_hmp 'info registers -a' | grep -E '^CPU|^.IP=')"
	vmm_alive || return 0
	for task in "/proc/${vmm_pid[${GUEST:-guest}]}/task"/*; do
		echo "$(cat "$task/comm") $(cut -d ' ' -f 3,14,15 "$task/stat")" \
			"$(head -n 4 "$task/stack" | xargs)"
	done
	vmm_qmp query-status || :
	cat /proc/[0-9]*/fdinfo/* 2>/dev/null |
		grep -E '^(vhost-doorbell|queue[0-9]*|memory):' || :
	dmesg | tail -n 5
}

guest_answers()
{
	guest_run true && return
	guest_state
	vmm_fail 'the guest does not answer'
}

vmm_gone()
{
	! vmm_alive
}

guest_stop()
{
	vmm_send command "0 5 $(printf 'poweroff -f' | base64 -w 0)" || :
	wait_for 20 vmm_gone || vmm_fail 'the guest does not power off'
	wait "${vmm_pid[${GUEST:-guest}]}" || :
}

vmm_kill()
{
	kill "-${1:-KILL}" "${vmm_pid[${GUEST:-guest}]}" 2>/dev/null || :
	wait "${vmm_pid[${GUEST:-guest}]}" 2>/dev/null || :
}
