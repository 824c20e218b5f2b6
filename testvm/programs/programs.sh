#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes programs of Debian ready in the cache, for guests of testvm, which runs this for
# --debian; see usage(). A folder in the cache holds
#   packages  names and versions of all that are in it
#   root/     their files, for the root of a guest
# Nothing is installed on the machine, and no script of a package is run.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=testvm/kernels/cache.sh
. "$here/../kernels/cache.sh"
# shellcheck source=testvm/kernels/apt.sh
. "$here/../kernels/apt.sh"

usage()
{
	cat <<-END
	usage: programs.sh [--arch ARCH] PACKAGE...
	Unpacks packages of Debian 12, and all that they depend on, into a folder of the cache,
	and prints its path. ARCH is x86_64 (the default) or arm64. No script of a package is
	run: users, alternatives and what else these would make is missing. Nor is there
	documentation. The cache is SECMMU_CACHE, by default ~/.cache/secmmu; to get newer
	packages, remove the folder.
	END
}

wrong_usage()
{
	usage >&2
	exit 2
}

# Each package is one that Debian has.
need_packages()
{
	local package

	for package; do
		[ -z "$(apt_newest "$package")" ] || continue
		[ -n "$(apt_newest libc6)" ] ||
			fail "cannot read the package lists of this machine's Debian mirrors (does the network work?)"
		fail "Debian 12 has no package '$package' for $arch"
	done
}

# Fills $work.
fill()
{
	local deb log=$apt_dir/log/programs.log

	mkdir -p "$work/deb/partial" "$work/root"
	note "downloading $* and what they depend on"
	apt-get -q -y --no-install-recommends --download-only \
		-o "Dir::Cache::archives=$work/deb" install "$@" \
		</dev/null >"$log" 2>&1 || {
		tail -n 10 "$log" >&2
		fail "cannot download $*"
	}
	for deb in "$work"/deb/*.deb; do
		dpkg-deb -W "$deb" >>"$work/packages"
		dpkg -x "$deb" "$work/root"
	done
	rm -rf "$work/deb"
	# Guests have their files in memory.
	for deb in bug doc doc-base i18n info lintian locale man; do
		rm -rf "$work/root/usr/share/$deb"
	done
}

arch=x86_64
case ${1:-} in
--help)
	usage
	exit 0
	;;
--arch)
	arch=${2:-}
	shift $(($# > 1 ? 2 : 1))
	;;
esac
case $arch in
x86_64) suffix='' architecture=amd64 ;;
arm64) suffix=-arm64 architecture=arm64 ;;
*) wrong_usage ;;
esac
[ $# -gt 0 ] || wrong_usage
[[ $1 != -* ]] || wrong_usage
for name; do
	[[ "$name" =~ ^[a-z0-9][a-z0-9+.-]+$ ]] || fail "'$name' is no name of a package"
done
mapfile -t packages < <(printf '%s\n' "$@" | sort -u)
name=$(IFS=,; echo "${packages[*]}")
[ ${#name} -le 200 ] || name=$(sha256sum <<<"$name" | cut -c 1-64)
final=$cache/programs$suffix/$name
# Its own apt: not behind a kernel that is being built.
lock=$cache/programs.lock

if [ ! -e "$final/packages" ]; then
	cache_lock "$final"
fi
if [ ! -e "$final/packages" ]; then
	apt_setup "$cache/programs.apt" "$architecture"
	apt_update
	need_packages "${packages[@]}"
	cache_fill "$final" fill "${packages[@]}"
	note "$(wc -l <"$final/packages") packages are ready, $(du -sm "$final/root" | cut -f 1) MB"
fi
printf '%s\n' "$final/root"
