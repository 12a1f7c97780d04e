// SPDX-License-Identifier: GPL-2.0
/*
 * check_vmm - check for a QEMU that can use the daemons; without one other VMMs
 * may do
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "check.h"
#include "run.h"

#define DEVICE	"vhost-user-blk-pci"

/* Returns 127 if there is no such program, else whether it has the device. */
static int qemu_has(const char *program)
{
	const char *const argv[] = { program, "-device", "help", NULL };
	char line[512];
	struct run run;
	int has = 0, ret;

	if (run_start(&run, argv))
		return 127;
	while (fgets(line, sizeof(line), run.out))
		has |= !!strstr(line, "\"" DEVICE "\"");
	ret = run_end(&run);
	return ret == 127 ? ret : has;
}

static const char *system_of(const char *machine)
{
	if (machine[0] == 'i' && !strcmp(machine + 2, "86"))
		return "i386";
	if (!strncmp(machine, "arm", 3))
		return "arm";
	if (!strcmp(machine, "ppc64le"))
		return "ppc64";
	return machine;
}

void check_vmm_qemu(const struct ctl_options *o, struct check *c)
{
	char name[96] = "";
	const char *const programs[] = {
		name, "qemu-kvm", "/usr/libexec/qemu-kvm",
	};
	struct utsname uts;

	(void)o;
	if (!uname(&uts))
		snprintf(name, sizeof(name), "qemu-system-%s",
			 system_of(uts.machine));
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		int has = qemu_has(programs[i]);

		if (has == 127)
			continue;
		if (has)
			check_ok(c, "%s has " DEVICE, programs[i]);
		else
			check_note(c, "install the full QEMU of the distribution",
				   "%s lacks " DEVICE, programs[i]);
		return;
	}
	check_note(c, "install QEMU, or use another VMM that speaks vhost-user-blk",
		   "%s not found", name);
}
