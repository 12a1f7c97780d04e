# SPDX-License-Identifier: GPL-2.0
# profile.awk: a table of instructions per request, from what sample printed, the
# kernel's symbols sorted by address, and the plugin's profiles before and after.
# Addresses are of 16 digits: as text they compare as they should.
#
# -v mode=, depth=: for the heading; top=: functions to name.

FNR == 1 { file++ }
file == 1 { sample[$1] = $2; next }
file == 2 && $2 ~ /^[tTwW]$/ {
	if (!($1 in symbol))
		order[++nsymbols] = $1
	symbol[$1] = $4 != "" ? $3 " " $4 : $3
	next
}
file == 3 { before[$1] = $2; next }
file == 4 && $2 - before[$1] > 0 { places[$1] = $2 - before[$1] }

function name_of(place,    lo, hi, mid)
{
	if (place < "8000000000000000")
		return "the client"
	lo = 1
	hi = nsymbols
	while (lo < hi) {
		mid = int((lo + hi + 1) / 2)
		if (order[mid] "" <= place "")
			lo = mid
		else
			hi = mid - 1
	}
	return symbol[order[lo]]
}

# What a function works for. The ring's system call is a VM exit in a guest.
function class_of(name)
{
	if (name == "the client")
		return "client"
	if (name ~ /\[vhost_doorbell\]/)
		return "module"
	if (name ~ /^(__)?(blk|bio|submit_bio|sbitmap|null_|wbt_|rq_qos|update_io_ticks|bvec_|part_|elv_|req_|blkg|should_fail_bio|_find_next_zero_bit|percpu_ref)/ ||
	    name ~ /\[null_blk\]/)
		return "device"
	if (name ~ /^(entry_|do_syscall|syscall_|x64_sys|__x64_sys|ksys_write|vfs_write|fdget|fput|rw_verify|security_file|apparmor_file|aa_file|eventfd_write|fsnotify|_copy_from_user|rep_movs_alternative|exit_to_user|switch_fpu|mem_cgroup_handle|__rseq|blkcg_maybe|arch_exit)/)
		return "ring"
	return "kernel"
}

function line(what, n)
{
	printf "%-46s %8.0f\n", what, n / sample["requests"]
}

END {
	for (p in places) {
		name = name_of(p)
		of[name] += places[p]
		class[class_of(name)] += places[p]
		total += places[p]
	}
	printf "\n%s, depth %d: instructions per request of 4 KiB\n", mode, depth
	line("the emulated driver, in user space", class["client"])
	line("its system calls to ring", class["ring"])
	line("block layer and null_blk", class["device"])
	line("this module", class["module"])
	line("the rest of the kernel: wake-ups, task work, locks", class["kernel"])
	line("all", total)
	line("added to the bare device: the module and the rest",
	     class["module"] + class["kernel"])
	for (i = 1; i <= top; i++) {
		best = ""
		for (name in of)
			if ((class_of(name) == "module" ||
			     class_of(name) == "kernel") &&
			    (best == "" || of[name] > of[best]))
				best = name
		if (best == "")
			break
		line("    " best, of[best])
		delete of[best]
	}
}
