#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes libibverbs for static linking ready in the cache: packages of Debian that are
# unpacked there, not installed. Prints the folder, which has include/ and lib/; progress
# goes to stderr.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=testvm/kernels/cache.sh
. "$here/../../testvm/kernels/cache.sh"
# shellcheck source=testvm/kernels/apt.sh
. "$here/../../testvm/kernels/apt.sh"

packages='libibverbs-dev libnl-3-dev libnl-route-3-dev'

usage()
{
	cat <<-END
	usage: rxe.sh
	Makes libibverbs ready in the cache, with the provider for rxe, and prints the
	folder. The cache is SECMMU_CACHE, by default ~/.cache/secmmu.
	END
}

# The version of package $1 for Debian 12: the suites of 13 are for kernels.
version_of()
{
	apt-cache madison "$1" 2>/dev/null |
		awk -F '|' '$3 ~ /bookworm/ { gsub(/ /, "", $2); print $2 }' | sort -V | tail -n 1
}

# Fills $work.
fill()
{
	local package version

	apt_setup "$cache/apt"
	apt_update
	mkdir "$work/deb" "$work/tree"
	for package in $packages; do
		version=$(version_of "$package")
		[ -n "$version" ] || fail "no $package on the Debian mirrors of this machine"
		apt_fetch "$work/deb" "$package=$version"
		printf '%s %s\n' "$package" "$version" >>"$work/versions"
	done
	for package in "$work"/deb/*.deb; do
		dpkg -x "$package" "$work/tree"
	done
	mkdir "$work/lib"
	find "$work/tree" -name '*.a' -exec cp {} "$work/lib/" \;
	mv "$work/tree/usr/include" "$work/include"
	rm -rf "$work/deb" "$work/tree"
	[ -e "$work/lib/librxe-rdmav34.a" ] || fail 'libibverbs-dev has no rxe to link statically'
}

case ${1-} in
--help) usage; exit 0 ;;
esac
[ $# -eq 0 ] || { usage >&2; exit 2; }

final=$cache/ibverbs
if [ ! -e "$final/versions" ]; then
	cache_lock "$final"
fi
if [ ! -e "$final/versions" ]; then
	cache_fill "$final" fill
fi
printf '%s\n' "$final"
