#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: give programs what takes pages away (swap, KSM, huge pages), seed a
# bug of the driver if $1 is not "none", and run secmmu-fuzz with the other arguments.
# Status 2 says that it could not.
set -u
# In the VM it lies beside this.
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "overwrites /dev/ram0, swaps to it, reserves huge pages and merges pages"
mutant=$1
shift

prepare()
{
	mkswap /dev/ram0 > /dev/null &&
		swapon /dev/ram0 &&
		echo 8 > /proc/sys/vm/nr_hugepages &&
		echo 1 > /sys/kernel/mm/ksm/run
}

prepare || exit 2
if ! echo "$mutant" > /sys/module/secmmu/parameters/mutant; then
	echo "no such seeded bug: $mutant (see mutants/series)" >&2
	exit 2
fi
exec secmmu-fuzz "$@"
