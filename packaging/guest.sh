#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: installs the packages into the Debian below /debian, uses them, removes them.
# shellcheck disable=SC2317 # try calls them
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
# shellcheck source=check/guest/try.sh
. "${0%/*}/try.sh"
only_inside "installs packages and loads the driver"
status=0
results_of=packages

# A command of that Debian's; busybox prefers programs of its own, but for a path. Its udev is
# the one that runs, and is to be asked though this is a chroot.
inside()
{
	/bin/busybox chroot /debian /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		DEBIAN_FRONTEND=noninteractive LC_ALL=C SYSTEMD_IGNORE_CHROOT=1 "$@"
}

loaded()
{
	grep '^secmmu ' /proc/modules
}

not_loaded()
{
	! loaded
}

unknown()
{
	! inside modprobe -n secmmu
}

nothing_left()
{
	inside find / -xdev -name '*secmmu*' -not -path '/packages/*' > /tmp/left
	cat /tmp/left
	[ ! -s /tmp/left ] && ! inside dpkg -l 'secmmu*' | grep '^[a-z][^n]'
}

for name in proc sys dev; do
	mount --bind "/$name" "/debian/$name"
done
mount -t tmpfs tmpfs /debian/run
inside /lib/systemd/systemd-udevd --daemon
try "modprobe does not know the driver before" unknown
# shellcheck disable=SC2016 # for the shell there
try "they are installed, and DKMS builds the driver" inside sh -c 'dpkg -i /packages/*.deb'
tail -n 3 /tmp/log | sed 's/^/# /'
try "the driver, the tools and the device work" inside sh /packages/use
# A guest of KVM, mirrored by what was installed.
try "modprobe loads it" inside modprobe secmmu
try "it is loaded" loaded
try "secmmu-vmm mirrors a guest" inside secmmu-vmm run --seconds 10
tail -n 1 /tmp/log | sed 's/^/# /'
try "manual pages are there" inside sh -c 'ls /usr/share/man/man4/secmmu.4.gz /usr/share/man/man7/secmmu.7.gz /usr/share/man/man8/secmmu-vmm.8.gz'
try "it is unloaded" inside modprobe -r secmmu
try "it is not loaded any more" not_loaded
try "they are removed" inside dpkg --purge secmmu-dkms secmmu-tools
try "nothing is left" nothing_left
try "modprobe does not know the driver after that" unknown
exit $status
