#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: clang.sh OPTION...
# clang as a CC for modules of a kernel that was configured for gcc: options that gcc alone
# has are left out. What it makes is to be looked at, not loaded.

set -eu

case ${1-} in
--help) sed -n '4,6s/^# //p' "$0"; exit 0 ;;
esac

options=()
for option; do
	case $option in
	-mrecord-mcount | -fconserve-stack | -mindirect-branch* | -fno-var-tracking* | \
	-fmin-function-alignment* | -mpreferred-stack-boundary* | -fzero-init-padding* | \
	-fdiagnostics-show-context* | -mskip-rax-setup | -fno-allow-store-data-races) ;;
	*) options+=("$option") ;;
	esac
done
exec clang-19 "${options[@]}"
