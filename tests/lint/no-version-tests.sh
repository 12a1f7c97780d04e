#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# no-version-tests: kernel versions are never asked for, and features only in
# compat; the rest of the module is written for the newest kernel
. "$(dirname "$0")/common"

mapfile -t all < <(files '*.c' '*.h' '*Makefile*' '*Kbuild*' '*Kconfig*')
bad_lines < <(grep -nEH '\b(LINUX_VERSION_CODE|KERNEL_VERSION)\b' "${all[@]}" |
	sed 's/$/: a version says nothing, probe for the feature/')

# What is left: include guards, and how trace headers are read twice.
mapfile -t core < <(files 'drivers/vhost-doorbell/*.[ch]' | grep -v /compat)
conditional='^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif|elifdef)\b'
guard='#ifndef BELL_[A-Z0-9_]*_H$'
twice='TRACE_HEADER_MULTI_READ'
bad_lines < <(grep -nEH "$conditional" "${core[@]}" |
	grep -vE "$guard|$twice" | sed 's/$/: belongs into compat/')
bad_lines < <(grep -nEH '\bIS_(ENABLED|BUILTIN|MODULE|REACHABLE)\(' \
	"${core[@]}" | sed 's/$/: belongs into compat/')
finish
