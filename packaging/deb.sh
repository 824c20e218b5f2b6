#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: deb.sh
Builds Debian packages of the driver and the tools, secmmu-dkms and secmmu-tools, in
build/deb/, and fails if lintian complains. The version is the module's.
END
}

take_no_arguments "$@"

out=$BUILD/deb
own_folder "$out"
version=$("$top/lib/version.sh")
PACKAGES='dpkg-dev debhelper dh-dkms lintian' "$top/check/setup.sh"
rm -rf "$out"
mkdir -p "$out/secmmu-$version"
cd "$out/secmmu-$version"
# Neither what was built nor what git keeps.
tar -C "$top" -cf - --exclude=./build --exclude-vcs --exclude='*.o' --exclude='*.ko' \
	--exclude='*.mod' --exclude='*.mod.c' --exclude='.*.cmd' --exclude=modules.order \
	--exclude=Module.symvers . | tar -xf -
cp -R packaging/debian debian
rm debian/README.md
when=$(git -C "$top" log -1 --format=%cD 2> /dev/null || date -R)
cat > debian/changelog <<END
secmmu ($version) unstable; urgency=medium

  * The version of the module.

 -- The secmmu authors <secmmu@example.org>  $when
END
say "building the packages; the log is $out/log"
if ! dpkg-buildpackage -b -us -uc > "$out/log" 2>&1; then
	tail -n 40 "$out/log" >&2
	echo "deb: the packages do not build; see $out/log" >&2
	exit 1
fi
say "asking lintian"
lintian --fail-on error,warning "$out"/*.changes
ls "$out"/*.deb
