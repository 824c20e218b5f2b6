#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: clang.sh OPTION...
# clang as a CC for modules of a kernel that was configured for gcc: options that gcc alone
# has are left out. Of long options it takes those that the kernel's makefiles use. What it makes
# is to be looked at, not loaded.

set -eu

case ${1-} in
--help) sed -n '4,7s/^# //p' "$0"; exit 0 ;;
esac

options=()
for option; do
	case $option in
	-mrecord-mcount | -fconserve-stack | -mindirect-branch* | -fno-var-tracking* | \
	-fmin-function-alignment* | -mpreferred-stack-boundary* | -fzero-init-padding* | \
	-fdiagnostics-show-context* | -mskip-rax-setup | -fno-allow-store-data-races) ;;
	--version | --target=* | --param=* | --prefix=*) options+=("$option") ;;
	--*) echo "clang.sh: not an option that the kernel uses: $option; see --help" >&2; exit 2 ;;
	*) options+=("$option") ;;
	esac
done
exec clang-19 "${options[@]}"
