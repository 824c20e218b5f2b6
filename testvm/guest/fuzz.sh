#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: give programs what takes pages away (swap, KSM, huge pages), seed a
# bug of the driver if $1 is not "none", and run secmmu-fuzz with the other arguments.
set -eu
mutant=$1
shift
mkswap /dev/ram0 > /dev/null
swapon /dev/ram0
echo 8 > /proc/sys/vm/nr_hugepages
echo 1 > /sys/kernel/mm/ksm/run
[ "$mutant" = none ] || echo "$mutant" > /sys/module/secmmu/parameters/mutant
exec secmmu-fuzz "$@"
