#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# exports: test check-exports, which tests/run uses on each module: it must
# refuse a symbol that only a distribution exports, and accept one of mainline
. "$(dirname "$0")/common"

command -v gcc >/dev/null || skip "gcc is not installed"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# object FUNCTION: make an object file that needs it and kfree
object()
{
	echo "int kfree(void), $1(void); int f(void) { return kfree() + $1(); }" |
		gcc -c -x c -o "$work/object.o" - || exit 1
}

for kernel in 6.1 6.12 7.3; do
	object submit_bio
	tests/vm/check-exports $kernel "$work/object.o" >/dev/null ||
		bad "check-exports: refuses submit_bio on $kernel"
	object task_work_add
	tests/vm/check-exports $kernel "$work/object.o" |
		grep -q '^task_work_add: ' ||
		bad "check-exports: lets task_work_add pass on $kernel"
done
finish
