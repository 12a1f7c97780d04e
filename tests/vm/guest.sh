# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh: run virtual machines in L1, under KVM, with the release's stock QEMU.
#
#   vmm_start ARG...	start QEMU with these additional options
#   guest_start ARG...	start QEMU with a Linux guest; wait until it can run
#			commands
#   guest_run [-t SECONDS] COMMAND
#			run a shell command in the guest; give its output and status
#   guest_programs NAME...
#			give test-NAME to guests that are started later, as
#			/bin/NAME
#   guest_answers	end the case, with diagnostics, if the guest does not answer
#   guest_stop		power the guest off and wait until QEMU has exited
#   vmm_qmp COMMAND [ARGUMENTS]
#			send a QMP command, with arguments in JSON; print the
#			answer, fail on an error
#   vmm_lines		print how many lines QEMU has logged
#   vmm_quiet LINES	has it logged no more than that? Prints them
#   vmm_kill [SIGNAL]	send QEMU a signal (KILL) and wait for its end
#
# All act on the machine named by $GUEST ('guest' by default), so
# that a case can have several. Its files are in $CASE_DIR/$GUEST: console,
# qemu.log. Its memory is a memfd of GUEST_MEM megabytes (256), or of the kind
# GUEST_MEM_KIND (memfd, file); GUEST_MEM_OPTS adds properties to it.
# GUEST_SMP is the number of CPUs (1), GUEST_MACHINE the machine type (q35),
# GUEST_MACHINE_OPTS its properties, GUEST_QEMU the command (qemu-system-x86_64). The
# kernel of a Linux guest is the file $guest_kernel, its initramfs $guest_base.
#
# If a machine does not start, they end the case with a reason, so a case need not
# check. A guest is started a second time, with a note in the output, if it hangs or
# dies before its first disk request, or if one of its CPUs stays at one instruction
# while none of its disk requests is in flight: the emulator fails at SMP boots now and
# then. guest_run returns 124 when the command, or the guest, does not answer.

declare -A vmm_pid
guest_base=/tmp/guest/guest.cpio
guest_kernel=/tmp/guest/vmlinux
guest_cmdline='console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check'
guest_cmdline+=' tsc=reliable random.trust_cpu=on cryptomgr.notests'

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
	# The lines before the registers tell why KVM stopped the CPU.
	head -n 5 "$dir/qemu.log"
	tail -n 20 "$dir/qemu.log" "$dir/console" "$dir/strace" 2>/dev/null || :
}

vmm_fail()
{
	echo "${GUEST:-guest}: $1"
	vmm_said
	exit 1
}

# Pipes, which bash can open: NAME.in to QEMU, NAME.out from QEMU.
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
	"${GUEST_QEMU:-qemu-system-x86_64}" -nodefaults -no-user-config -display none -no-reboot \
		-machine "${GUEST_MACHINE:-q35},accel=kvm,${GUEST_MACHINE_OPTS-smm=off,graphics=off,hpet=off,}memory-backend=ram" \
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
# matches; return 124 if none does in time. This shell keeps both ends of a pipe
# open and gets no end of file, so it checks whether QEMU still runs.
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
		# The timeout cut a line off: keep its first part
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
	# QMP events may arrive before the answer.
	answer=$(vmm_expect qmp 30 '^\{"(return|error)": ' | tail -n 1)
	printf '%s\n' "$answer"
	[[ $answer == '{"return"'* ]]
}

# Files of a later archive in an initramfs add to those of an earlier one.
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
	vmm_start -kernel "$guest_kernel" \
		-initrd "${guest_initrd:-$guest_base}" \
		-append "$guest_cmdline ${GUEST_APPEND:-}" \
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

# Has the emulator lost a CPU of the guest? With no disk request in flight, the CPU either
# runs but stays at one instruction, by an endless page fault; or it is halted while its
# interrupt controller waits for the end of an interrupt, whose handler never began. (Linux
# never halts in a handler.)
guest_cpu_stuck()
{
	local i

	[ "$(all_disks in_flight)" = 0 ] || return
	vmm_qmp query-status | grep -q '"running": true' || return
	for ((i = 0; i < 5; i++)); do
		vmm_hmp 'info registers -a'
		sleep 0.5
	done | awk '
		/^CPU/ { cpu = $1 }
		/^.IP=/ && /HLT=0/ && ++seen[cpu, $1] == 5 { stuck = 1 }
		END { exit !stuck }' && return
	# The two commands of guest_cpus run one after the other, so once is not enough.
	for ((i = 0; i < 5; i++)); do
		guest_cpus | grep -q 'HLT=1 ISR [0-9]' || return
	done
}

# guest_cpus: print each CPU's instruction pointer, whether the CPU is halted, and from its
# local APIC the interrupts in service (ISR) and those that are pending (IRR)
guest_cpus()
{
	local at n=0

	vmm_hmp 'info registers -a' | grep -o '^.IP=[0-9a-f]*\|HLT=[01]' | paste -d ' ' - - |
		while read -r at; do
			echo "CPU$n $at $(vmm_hmp "info lapic $n" |
				sed -n 's/^\(ISR\|IRR\)[[:space:]]*/\1 /p' | xargs)"
			n=$((n + 1))
		done
}

# all_disks COUNTER: print its sum over all devices of all daemons
all_disks()
{
	# Files may vanish meanwhile.
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
	# The guest ends the command itself after SECONDS; the 10 seconds more
	# are for a guest that hangs.
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

# Has KVM stopped the guest? At the first write to a device register KVM 7.3 stops a
# machine whose processor reports that it is delivering an interrupt. The emulated
# processor reports that wrongly now and then, with any back end.
vmm_given_up()
{
	grep -qx 'KVM internal error. Suberror: 3' "$(vmm_dir)/qemu.log"
}

# Reports once the output of a QEMU that exited by itself
vmm_gone_why()
{
	local pid=${vmm_pid[${GUEST:-guest}]} status=0

	[ ! -e "$(vmm_dir)/gone" ] || return 0
	: >"$(vmm_dir)/gone"
	# In a subshell wait fails with 127, as QEMU is not its child
	wait "$pid" 2>/dev/null || status=$?
	diag "${GUEST:-guest}: QEMU is gone, status $status" "$(vmm_said)" \
		"$(dmesg | tail -n 5)"
}

# vmm_hmp COMMAND: run a command of QEMU's human monitor
vmm_hmp()
{
	vmm_qmp human-monitor-command "{\"command-line\": \"$1\"}" |
		sed 's/\\r\\n/\n/g; s/\\t/\t/g' || :
}

# Print where the guest's CPUs are, what each thread of QEMU waits for, and the
# state of each queue of each disk
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
	# run-l1 looks for these words.
	! guest_cpu_stuck || diag 'the emulator has lost a CPU of the guest'
	not_ok "the guest answers: $(guest_cpus | paste -sd ';')"
	vmm_fail 'the guest does not answer'
}

vmm_lines()
{
	wc -l <"$(vmm_dir)/qemu.log"
}

vmm_quiet()
{
	diag "$(cat "$(vmm_dir)/qemu.log")"
	[ "$(vmm_lines)" -eq "$1" ]
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
