# SPDX-License-Identifier: GPL-2.0
# To be sourced by scripts that change the machine, before they do; programs have the
# same in lib/inside.h.
# shellcheck shell=sh

# $1: what the script does to the machine.
only_inside()
{
	[ ! -e /testvm/inside ] && [ "${SECMMU_ON_THIS_MACHINE-}" != yes ] || return 0
	echo "${0##*/}: refused outside of the test VM, for it $1;" \
		"SECMMU_ON_THIS_MACHINE=yes lets it" >&2
	exit 2
}
