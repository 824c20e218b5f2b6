#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: a storm of all operations; arguments are its options. Leaves storm.json. With
# "--backing memfd --file /tmp/disk/memory --memory 32M", its memory is on a disk.
set -eu
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "does all that a storm can do to memory, and to the machine"
mkdir /tmp/disk
mke2fs /dev/ram0 > /dev/null
mount -t ext4 /dev/ram0 /tmp/disk
exec secmmu-vmm storm --json "$OUT/storm.json" "$@"
