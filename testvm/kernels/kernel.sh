#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes kernels, and parts of their sources, ready in the cache; see usage(). The
# folder's path goes to stdout, progress to stderr. A folder in the cache
# holds
#   release   what uname -r prints under it
#   vmlinuz, config, System.map
#   modules/  the tree depmod has been run on (/lib/modules/RELEASE)
#   build/    for make -C build M=...
# The kernels named by version are Debian's own; the others are built from Debian's
# newest kernel source, see kbuild.sh. Nothing is installed on the machine.

set -eu

note()
{
	printf 'kernel: %s\n' "$*" >&2
}

fail()
{
	note "$*"
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=testvm/kernels/cache.sh
. "$here/cache.sh"
# shellcheck source=testvm/kernels/apt.sh
. "$here/apt.sh"
# shellcheck source=testvm/kernels/kbuild.sh
. "$here/kbuild.sh"

debian_names='6.1 6.12'

usage()
{
	cat <<-END
	usage: kernel.sh NAME           makes a kernel ready in the cache
	       kernel.sh --source NAME  makes parts of its source ready in the cache
	       kernel.sh --names        prints the names of the kernels
	NAME is one of $debian_names (Debian's own kernels)
	or of $built_names (built from Debian's newest kernel source; takes several
	minutes and is done again when testvm/kernels/ or the source has changed).
	--source knows the former only. Prints the folder's path. The cache is
	SECMMU_CACHE, by default ~/.cache/secmmu.
	END
}

wrong_usage()
{
	usage >&2
	exit 2
}

# need_space MIB: checks before downloading rather than failing half-way.
need_space()
{
	local free

	free=$(df -Pk "$cache" | awk 'NR == 2 { print int($4 / 1024) }')
	[ "$free" -ge "$1" ] ||
		fail "not enough space in $cache: need $1 MiB, $free MiB are free"
}

# Resolves the metapackage to "package version" of the newest image whose
# name starts with linux-image-$1 (the suites carry others under that name).
newest_image()
{
	local meta=$1 prefix=$2 version

	apt-cache madison "$meta" 2>/dev/null |
		awk -F '|' '{ gsub(/ /, "", $2); print $2 }' | sort -uV |
	while read -r version; do
		apt_depends "$meta" "$version"
	done | awk -v prefix="$prefix" 'index($1, prefix) == 1 && $2 != ""' |
		sort -k 2,2V | tail -n 1
}

# The packages a Debian cloud kernel takes, one PACKAGE=VERSION per line.
image_packages()
{
	local image=$1 version=$2 headers package fixed

	headers=${image/linux-image-/linux-headers-}
	printf '%s=%s\n' "$image" "$version" "$headers" "$version"
	apt_depends "$headers" "$version" | while read -r package fixed; do
		case $package in
		linux-headers-*-common | linux-kbuild-*)
			printf '%s=%s\n' "$package" \
				"${fixed:-$(apt_newest "$package")}"
			;;
		esac
	done
}

# Makes the unpacked headers usable where they are, and wherever the cache is
# moved to: Debian's makefile includes its other half from /usr/src.
relocate_headers()
{
	local tree=$1 release=$2 headers beside

	headers=$tree/usr/src/linux-headers-$release
	# shellcheck disable=SC2016
	beside='$(dir $(realpath $(lastword $(MAKEFILE_LIST))))../'
	sed -i "s|^include /usr/src/|include $beside|" "$headers/Makefile"
	if grep -q /usr/src/ "$headers/Makefile"; then
		fail "the makefile in the headers of $release is not understood"
	fi
	rm -f "$tree/lib/modules/$release/build" \
		"$tree/lib/modules/$release/source"
	if [ ! -e "$headers/scripts" ] || [ ! -e "$headers/tools" ]; then
		fail "the headers of $release lack scripts or tools"
	fi
}

# debian_kernel META PREFIX: fills $work with a Debian cloud kernel.
debian_kernel()
{
	local image version release package
	local -a packages

	need_space 700
	apt_setup "$cache/apt"
	apt_update
	read -r image version < <(newest_image "$1" "$2") || :
	if [ -z "${image:-}" ]; then
		tail -n 5 "$apt_dir/log/update.log" >&2
		fail "no $1 for $name on the Debian mirrors of this machine (does the network work?)"
	fi
	mapfile -t packages < <(image_packages "$image" "$version")
	[ ${#packages[@]} -ge 4 ] || fail "no headers found for $image"

	mkdir "$work/deb" "$work/tree"
	apt_fetch "$work/deb" "${packages[@]}"
	for package in "$work"/deb/*.deb; do
		note "unpacking $(basename "${package%%_*}")"
		dpkg -x "$package" "$work/tree"
	done
	rm -rf "$work/deb" "$work/tree/usr/share"

	release=${image#linux-image-}
	relocate_headers "$work/tree" "$release"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$work/tree" "$release"
	ln -s "tree/boot/vmlinuz-$release" "$work/vmlinuz"
	ln -s "tree/boot/config-$release" "$work/config"
	ln -s "tree/boot/System.map-$release" "$work/System.map"
	ln -s "tree/lib/modules/$release" "$work/modules"
	ln -s "tree/usr/src/linux-headers-$release" "$work/build"
	printf '%s\n' "$release" >"$work/release"
}

# The version of package $1 that is the cached kernel's, if it is to be had; else the
# newest one.
source_version()
{
	local header=$cache/kernels/$name/build/include/generated/package.h version=

	[ ! -e "$header" ] ||
		version=$(sed -n 's/.* Debian \(.*\)"$/\1/p' "$header")
	apt-cache madison "$1" 2>/dev/null |
		awk -F '|' -v version="$version" '
			{ gsub(/ /, "", $2) }
			$2 == version { print $2; exit }' | grep . || apt_newest "$1"
}

# debian_source META: fills $work with the parts of a source tree that are used here:
# the kselftest headers, checkpatch and the test of HMM.
debian_source()
{
	local package=$1 version tarball

	need_space 500
	apt_setup "$cache/apt"
	apt_update
	version=$(source_version "$package")
	if [ -z "$version" ]; then
		tail -n 5 "$apt_dir/log/update.log" >&2
		fail "no $package on the Debian mirrors of this machine (does the network work?)"
	fi
	mkdir "$work/deb"
	apt_fetch "$work/deb" "$package=$version"
	note 'unpacking (takes a minute)'
	tarball=./usr/src/$package.tar.xz
	dpkg --fsys-tarfile "$work"/deb/*.deb | tar -xO -f - "$tarball" |
		tar -xJ -f - -C "$work" --strip-components 1 --wildcards \
			--no-wildcards-match-slash \
			'*/tools/testing/selftests/*.h' \
			'*/tools/testing/selftests/*.sh' \
			'*/tools/testing/selftests/kselftest/*' \
			'*/tools/testing/selftests/lib.mk' \
			'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' '*/COPYING' \
			'*/lib/test_hmm*'
	rm -rf "$work/deb"
	if [ ! -e "$work/tools/testing/selftests/kselftest_harness.h" ] ||
	   [ ! -e "$work/scripts/checkpatch.pl" ] ||
	   [ ! -e "$work/lib/test_hmm.c" ]; then
		fail "$package lacks the kselftest headers, checkpatch or test_hmm"
	fi
	printf '%s\n' "$version" >"$work/version"
}

fill_kernel()
{
	case $name in
	6.1) debian_kernel linux-image-cloud-amd64 linux-image-6.1. ;;
	6.12) debian_kernel linux-image-6.12-cloud-amd64 linux-image-6.12. ;;
	esac
}

fill_source()
{
	debian_source "linux-source-$name"
}

fill_built()
{
	build_kernel
}

kind=kernel
case ${1:-} in
--help)
	usage
	exit 0
	;;
--names)
	printf '%s\n' "$debian_names $built_names"
	exit 0
	;;
--source)
	kind=source
	shift
	;;
esac
[ $# -eq 1 ] || wrong_usage
name=$1
case $kind:" $debian_names ":" $built_names " in
*:*" $name "*:*) ;;
kernel:*" $name "*) kind=built ;;
*) wrong_usage ;;
esac

case $kind in
kernel | built) final=$cache/kernels/$name ;;
source) final=$cache/source/$name ;;
esac

# Is there nothing to do?
ready()
{
	case $kind in
	kernel) [ -e "$final/release" ] ;;
	built) built_fresh ;;
	# Older versions of this script left the latter out.
	source) [ -e "$final/version" ] && [ -e "$final/lib/test_hmm.c" ] ;;
	esac
}

if ready; then
	printf '%s\n' "$final"
	exit 0
fi

cache_lock "$final" xz
if ! ready && ! { [ "$kind" = built ] && built_current; }; then
	cache_fill "$final" "fill_$kind"
	note "$name is ready"
fi
printf '%s\n' "$final"
