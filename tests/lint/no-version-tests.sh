#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# no-version-tests: the module must not test kernel versions, and may test
# features only in compat; the rest of it is written for the newest kernel
. "$(dirname "$0")/common"

mapfile -t all < <(files '*.c' '*.h' '*Makefile*' '*Kbuild*' '*Kconfig*')
bad_lines < <(grep -nEH '\b(LINUX_VERSION_CODE|KERNEL_VERSION)\b' "${all[@]}" |
	sed 's/$/: a version says nothing, probe for the feature/')

# Only include guards, and the macro of trace headers that are read twice, may
# remain.
mapfile -t core < <(files 'drivers/vhost-doorbell/*.[ch]' | grep -v /compat)
conditional='^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif|elifdef)\b'
guard='#ifndef BELL_[A-Z0-9_]*_H$'
twice='TRACE_HEADER_MULTI_READ'
bad_lines < <(grep -nEH "$conditional" "${core[@]}" |
	grep -vE "$guard|$twice" | sed 's/$/: belongs into compat/')
bad_lines < <(grep -nEH '\bIS_(ENABLED|BUILTIN|MODULE|REACHABLE)\(' \
	"${core[@]}" | sed 's/$/: belongs into compat/')
finish
