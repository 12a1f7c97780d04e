# SPDX-License-Identifier: GPL-2.0
# profile-disk.awk: the classes of functions in a disk read; see profile.awk.
#
# -v mode=, depth=: for the heading.

# The class of a function. The emulated driver's system call to ring would be a
# VM exit in a guest.
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

function headings()
{
	printf "\n%s, depth %d: instructions per request of 4 KiB\n", mode, depth
	line("the emulated driver, in user space", class["client"])
	line("its system calls to ring", class["ring"])
	line("block layer and null_blk", class["device"])
	line("this module", class["module"])
	line("the rest of the kernel: wake-ups, task work, locks", class["kernel"])
	line("all", total)
	line("added to the bare device: the module and the rest",
	     class["module"] + class["kernel"])
	functions("module|kernel")
}
