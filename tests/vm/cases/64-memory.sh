# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The pages that a device pins, accounted to its owner; regions that end
# within a page; a lack of memory; a queue that was broken and repaired.
# timeout: 120
# kernels: trixie
. "$VM_DIR/case.sh"
. "$VM_DIR/emulate.sh"

# in_cgroup COMMAND...: run it in a memory cgroup of its own
in_cgroup()
{
	local dir=/sys/fs/cgroup/case-memory

	{ echo +memory >/sys/fs/cgroup/cgroup.subtree_control; } 2>/dev/null || :
	mkdir -p $dir
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' $dir "$@"
}

module_load
tap in_cgroup test-memory
case_end
