// SPDX-License-Identifier: GPL-2.0
/* check_memory - may guest memory be pinned, and is it in huge pages? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#include "bytes.h"
#include "check.h"

/* No guest with an operating system fits into a lower limit. */
#define SMALL_GUEST	(128ULL << 20)

static bool may_lock_all(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[0].effective >> CAP_IPC_LOCK & 1;
}

void check_memory_lock(const struct ctl_options *o, struct check *c)
{
	static const char advice[] =
		"LimitMEMLOCK=infinity (systemd), ulimit -l, or CAP_IPC_LOCK for the daemon";
	struct rlimit limit;
	char bytes[32];

	(void)o;
	if (may_lock_all()) {
		check_ok(c, "no limit, CAP_IPC_LOCK is there");
		return;
	}
	if (getrlimit(RLIMIT_MEMLOCK, &limit)) {
		check_note(c, "", "RLIMIT_MEMLOCK: %s", strerror(errno));
		return;
	}
	if (limit.rlim_cur == RLIM_INFINITY) {
		check_ok(c, "no limit");
		return;
	}
	bytes_text(limit.rlim_cur, bytes, sizeof(bytes));
	if (limit.rlim_cur < SMALL_GUEST)
		check_no(c, advice, "RLIMIT_MEMLOCK is %s, less than a guest",
			 bytes);
	else
		check_note(c, advice, "guests up to %s together, by RLIMIT_MEMLOCK",
			   bytes);
}

void check_memory_huge(const struct ctl_options *o, struct check *c)
{
	uint64_t total = 0, available = 0, kib = 0;
	char path[4096], line[256], bytes[32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/meminfo", o->proc);
	file = fopen(path, "re");
	if (!file) {
		check_note(c, "", "%.100s: %s", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "HugePages_Total: %" SCNu64, &total);
		sscanf(line, "HugePages_Free: %" SCNu64, &available);
		sscanf(line, "Hugepagesize: %" SCNu64, &kib);
	}
	fclose(file);
	bytes_text(kib << 10, bytes, sizeof(bytes));
	if (total)
		check_ok(c, "%" PRIu64 " of %" PRIu64 " free, of %s each",
			 available, total, bytes);
	else
		check_note(c, "not needed, but pinned in larger pieces: sysctl vm.nr_hugepages=N",
			   "none reserved");
}
