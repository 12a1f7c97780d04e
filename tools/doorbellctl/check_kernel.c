// SPDX-License-Identifier: GPL-2.0
/*
 * check_kernel - the kernel's configuration, and whether our module is loaded
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"
#include "kconfig.h"
#include "run.h"

#define MODULE	"vhost_doorbell"

/*
 * Returns the number of options that the file @path sets; 0: it cannot be read.
 */
static unsigned int read_plain(const char *path, struct kconfig_option *options)
{
	FILE *file = fopen(path, "re");
	unsigned int n;

	if (!file)
		return 0;
	n = kconfig_parse(file, options);
	fclose(file);
	return n;
}

static unsigned int read_gzip(const char *path, struct kconfig_option *options)
{
	const char *const argv[] = { "gzip", "-dc", path, NULL };
	struct run run;
	unsigned int n;

	if (access(path, R_OK) || run_start(&run, argv))
		return 0;
	n = kconfig_parse(run.out, options);
	run_end(&run);
	return n;
}

static unsigned int read_config(const char *proc, const char *release,
				struct kconfig_option *options, char *path,
				size_t size)
{
	static const char * const places[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	unsigned int n;

	snprintf(path, size, "%s/config.gz", proc);
	n = read_gzip(path, options);
	for (size_t i = 0; !n && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, places[i], release);
		n = read_plain(path, options);
	}
	return n;
}

void check_kernel_config(const struct ctl_options *o, struct check *c)
{
	struct kconfig_option options[] = {
		{ "MMU_NOTIFIER", false }, { "EVENTFD", false },
		{ "BLOCK", false }, { "KVM", false }, { NULL, false },
	};
	char path[4096], missing[100] = "";
	struct utsname name;

	if (uname(&name))
		strcpy(name.release, "?");
	if (!read_config(o->proc, name.release, options, path, sizeof(path))) {
		check_note(c, "install the kernel's config file to have it checked",
			   "%s, configuration not found", name.release);
		return;
	}
	for (struct kconfig_option *k = options; k->name; k++)
		if (!k->on)
			snprintf(missing + strlen(missing),
				 sizeof(missing) - strlen(missing), " %s",
				 k->name);
	if (*missing)
		check_no(c, "use a kernel built with these options; Debian's are",
			 "%s lacks%s", name.release, missing);
	else
		check_ok(c, "%s has what is needed", name.release);
}

/* Stores the first line that modinfo prints for @field, or an empty string. */
static void modinfo(const char *field, char *line, int size)
{
	const char *const argv[] = { "modinfo", "-F", field, MODULE, NULL };
	struct run run;

	*line = '\0';
	if (run_start(&run, argv))
		return;
	if (!fgets(line, size, run.out))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (run_end(&run))
		*line = '\0';
}

static bool read_version(char *line, int size)
{
	FILE *file = fopen("/sys/module/" MODULE "/version", "re");
	bool ok;

	if (!file)
		return false;
	ok = fgets(line, size, file);
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return ok;
}

void check_kernel_module(const struct ctl_options *o, struct check *c)
{
	char text[128] = "";

	(void)o;
	/* The directory exists also if the module is built in. */
	if (!access("/sys/module/" MODULE, F_OK)) {
		if (!read_version(text, sizeof(text)))
			strcpy(text, "of unknown version");
		check_ok(c, MODULE " %s is loaded", text);
		return;
	}
	modinfo("filename", text, sizeof(text));
	if (*text)
		check_no(c, "modprobe " MODULE, "not loaded, but installed: %s",
			 text);
	else
		check_no(c, "install vhost-doorbell-dkms and the kernel's headers, or make install",
			 "neither loaded nor installed for this kernel");
}
