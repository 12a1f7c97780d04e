// SPDX-License-Identifier: GPL-2.0
/*
 * doctor - check that this machine has all that is needed, and advise if it has
 * not
 */
#include <stdarg.h>
#include <stdio.h>

#include "check.h"
#include "json.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*name;
	void		(*fn)(const struct ctl_options *o, struct check *c);
} checks[] = {
	{ "kernel config",	check_kernel_config },
	{ "module",		check_kernel_module },
	{ "device",		check_device_node },
	{ "device ABI",		check_device_abi },
	{ "KVM",		check_kvm_open },
	{ "KVM ioeventfd",	check_kvm_ioeventfd },
	{ "KVM irqfd",		check_kvm_irqfd },
	{ "KVM any length",	check_kvm_any_length },
	{ "locked memory",	check_memory_lock },
	{ "huge pages",		check_memory_huge },
	{ "QEMU",		check_vmm_qemu },
	{ "network ports",	check_net_ports },
};

static const char * const verdicts[] = {
	[CHECK_OK]	= "ok",
	[CHECK_NOTE]	= "note",
	[CHECK_NO]	= "no",
};

#define FILL(c, v, text)						\
do {									\
	va_list ap;							\
									\
	va_start(ap, text);						\
	(c)->verdict = (v);						\
	vsnprintf((c)->detail, sizeof((c)->detail), text, ap);		\
	va_end(ap);							\
} while (0)

void check_ok(struct check *c, const char *detail, ...)
{
	FILL(c, CHECK_OK, detail);
}

void check_note(struct check *c, const char *advice, const char *detail, ...)
{
	FILL(c, CHECK_NOTE, detail);
	snprintf(c->advice, sizeof(c->advice), "%s", advice);
}

void check_no(struct check *c, const char *advice, const char *detail, ...)
{
	FILL(c, CHECK_NO, detail);
	snprintf(c->advice, sizeof(c->advice), "%s", advice);
}

static int doctor_json(const struct check *c, unsigned int failed)
{
	struct json j;
	int ret;

	json_begin(&j, stdout);
	json_object(&j, NULL);
	json_bool(&j, "fit", !failed);
	json_array(&j, "checks");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		json_object(&j, NULL);
		json_str(&j, "name", checks[i].name);
		json_str(&j, "verdict", verdicts[c[i].verdict]);
		json_str(&j, "detail", c[i].detail);
		json_str(&j, "advice", *c[i].advice ? c[i].advice : NULL);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	ret = json_end(&j);
	return ret ? ctl_fail("standard output", ret) : CTL_OK;
}

static int doctor_text(const struct check *c, unsigned int failed)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		printf("%-4s  %-14s  %s\n", verdicts[c[i].verdict],
		       checks[i].name, c[i].detail);
		if (*c[i].advice)
			printf("%22s-> %s\n", "", c[i].advice);
	}
	if (failed)
		printf("this machine is not fit: %u of %zu checks say no\n",
		       failed, ARRAY_SIZE(checks));
	else
		printf("this machine is fit\n");
	return ctl_finish();
}

int cmd_doctor(const struct ctl_options *o)
{
	struct check c[ARRAY_SIZE(checks)] = { 0 };
	unsigned int failed = 0;
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		checks[i].fn(o, &c[i]);
		failed += c[i].verdict == CHECK_NO;
	}
	ret = o->json ? doctor_json(c, failed) : doctor_text(c, failed);
	return ret == CTL_OK && failed ? CTL_FAILED : ret;
}
