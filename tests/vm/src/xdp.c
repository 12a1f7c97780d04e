// SPDX-License-Identifier: GPL-2.0
/*
 * xdp IFNAME pass|drop|tx|aborted [generic]: attach an XDP program that returns
 * this for each frame, until a signal
 *
 * The program has two instructions, so no BPF compiler is needed. It accepts
 * frames in fragments: with a large MTU drivers refuse other programs.
 */
#include <err.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char * const actions[] = {
	[XDP_ABORTED] = "aborted",
	[XDP_DROP] = "drop",
	[XDP_PASS] = "pass",
	[XDP_TX] = "tx",
};

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int load(int action)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = action },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (unsigned long)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (unsigned long)"GPL",
		.prog_flags = BPF_F_XDP_HAS_FRAGS,
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

int main(int argc, char **argv)
{
	union bpf_attr attr = { 0 };
	int fd;
	__u32 action;

	if (argc < 3)
		errx(2, "usage: xdp IFNAME pass|drop|tx|aborted [generic]");
	for (action = 0; action < 4; action++) {
		if (!strcmp(argv[2], actions[action]))
			break;
	}
	if (action == 4)
		errx(2, "%s: no such action", argv[2]);
	attr.link_create.target_ifindex = if_nametoindex(argv[1]);
	if (!attr.link_create.target_ifindex)
		err(1, "%s", argv[1]);
	fd = load(action);
	if (fd < 0)
		err(1, "BPF_PROG_LOAD");
	attr.link_create.prog_fd = fd;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = argc > 3 ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	/*
	 * The program is detached when this descriptor closes, at the latest
	 * when we exit.
	 */
	if (bpf(BPF_LINK_CREATE, &attr) < 0)
		err(1, "BPF_LINK_CREATE");
	printf("attached\n");
	fflush(stdout);
	pause();
	return 0;
}
