#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # apt_setup sets apt_dir
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: vm.sh
Builds the Debian packages, and installs them in a test VM whose root file system is Debian's, with
Debian's own kernel 6.1: DKMS builds the driver there, modprobe loads it by name, the tools use it,
and what is removed leaves nothing behind. The VM needs root, and mmdebstrap, which is installed.
Prints TAP.
END
}

take_no_arguments "$@"

note()
{
	say "$*"
}

fail()
{
	echo "vm: $*" >&2
	exit 2
}

# shellcheck source=testvm/kernels/apt.sh
. "$top/testvm/kernels/apt.sh"
out=$BUILD/packaging-vm
own_folder "$out"
kernel=$("$top/testvm/kernels/kernel.sh" 6.1)
release=$(cat "$kernel/release")
needs=dkms,kmod,udev,linux-headers-$release

# Debian 12 with what the packages depend on, as they find it on a machine; folder $1.
make_debian()
{
	local sources=$out/apt/mirrors.sources

	PACKAGES=mmdebstrap "$top/check/setup.sh"
	# Whatever a run that was killed has left: nothing of this machine is mounted there.
	rm -rf --one-file-system "$1"
	mkdir -p "$out"
	APT_CONFIG='' apt_setup "$out/apt"
	unset APT_CONFIG
	# Backports to it are for kernels only.
	sed -i 's/^Suites: bookworm .*/Suites: bookworm/' "$sources"
	say "making a Debian root file system"
	unshare --mount mmdebstrap --quiet --variant=apt --include="$needs" \
		bookworm "$1" "$sources" || return
	rm -rf "$1"/usr/share/{doc,man,locale,info}/* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*
	echo "$needs" > "$1/made"
}

build_tools testvm
"$top/packaging/deb.sh" > "$out.log" 2>&1 || {
	tail -n 40 "$out.log"
	echo "not ok - packages, they are built, and lintian has no complaint"
	exit 1
}
echo "ok - packages, they are built, and lintian has no complaint"
if [ "$(id -u)" != 0 ]; then
	echo "ok - packages, in a VM # SKIP needs root"
	exit 0
fi

root=$out/root
[ "$(cat "$root/debian/made" 2> /dev/null)" = "$needs" ] || {
	mkdir -p "$root"
	make_debian "$root/debian" || fail 'no root file system'
}
rm -rf "$root/debian/packages"
mkdir "$root/debian/packages"
cp "$BUILD"/deb/secmmu-dkms_*.deb "$BUILD"/deb/secmmu-tools_*.deb "$top/packaging/debian/tests/use" "$root/debian/packages/"
cp "$top/packaging/guest.sh" "$top"/check/guest/{inside,try}.sh "$root/"
"$BUILD/testvm/testvm" --quiet --kernel 6.1 --memory 4096 --timeout 3600 --root "$root" -- \
	sh /guest.sh
