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
# The kernels named by version are Debian's own, see debian.sh; the others are built from
# Debian's newest kernel source, see kbuild.sh; x86_64.sh and arm64.sh have what depends on the
# architecture. Nothing is installed on the machine.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=testvm/kernels/cache.sh
. "$here/cache.sh"
# shellcheck source=testvm/kernels/apt.sh
. "$here/apt.sh"
# shellcheck source=testvm/kernels/kbuild.sh
. "$here/kbuild.sh"
# shellcheck source=testvm/kernels/debian.sh
. "$here/debian.sh"

usage()
{
	cat <<-END
	usage: kernel.sh [--arch ARCH] NAME     makes a kernel ready in the cache
	       kernel.sh [--arch ARCH] --patch FILE NAME
	                                        ... one built here, with a patch to its source
	       kernel.sh [--arch ARCH] --names  prints the names of the kernels
	       kernel.sh --source NAME          makes parts of a kernel's source ready there
	ARCH is x86_64 (the default) or arm64.
	NAME is one of 6.1, 6.12, 7.3 (Debian's own kernels) or, but for --source, one of newest,
	debug and, for x86_64, kcsan (built from Debian's newest kernel source; takes several
	minutes and is done again when testvm/kernels/ or the source has changed).
	A patched kernel is for testvm --kernel alone: modules for NAME load into it, too. It is
	NAME+FILE in the cache; the tree that it is built in stays there and takes 3 GB.
	Prints the folder's path. The cache is SECMMU_CACHE, by default ~/.cache/secmmu.
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

# Sets source_file to the package of source $1 at version $2: the one that kernels are built
# from, if it is that, else fetched into $work/deb.
fetch_source()
{
	local newest=$cache/source/newest

	source_file=$newest/source.deb
	[ "$(cat "$newest/name" 2>/dev/null)" != "$1 $2" ] || return 0
	mkdir -p "$work/deb"
	apt_fetch "$work/deb" "$1=$2"
	source_file=$(echo "$work/deb/$1"_*.deb)
}

# Unpacks of $source_file, the package $1, into folder $2 what patterns match: a * is
# within one folder, and a folder stands for all in it.
unpack_parts()
{
	local tarball=./usr/src/$1.tar.xz into=$2

	shift 2
	note 'unpacking the source (takes a minute)'
	dpkg --fsys-tarfile "$source_file" | tar -xO -f - "$tarball" |
		tar -xJ -f - -C "$into" --strip-components 1 --wildcards \
			--no-wildcards-match-slash "$@"
	rm -rf "$work/deb"
}

drm_gpusvm=drivers/gpu/drm/drm_gpusvm.c
ioctl_numbers=Documentation/userspace-api/ioctl/ioctl-number.rst

# debian_source META: fills $work with the parts of a source tree that are used here:
# the kselftest headers, checkpatch, and what other modules are built from: the test of
# HMM, KVM, rdma_rxe, and drm_gpusvm where it is. mm/ is for patches that are read beside it.
# Of 7.3 there is what a patch series changes, and the kernel's checkers.
debian_source()
{
	local package=$1 version more=()

	need_space 500
	apt_setup "$cache/apt"
	apt_update
	version=$(source_version "$package")
	if [ -z "$version" ]; then
		tail -n 5 "$apt_dir/log/update.log" >&2
		fail "no $package on the Debian mirrors of this machine (does the network work?)"
	fi
	fetch_source "$package" "$version"
	[ "$name" != 7.3 ] || more=("*/$drm_gpusvm" '*/drivers/gpu/drm/drm_pagemap*' \
		'*/MAINTAINERS' '*/drivers/misc/Kconfig' '*/drivers/misc/Makefile' \
		'*/Documentation/misc-devices/index.rst' '*/scripts/coccinelle' \
		"*/$ioctl_numbers" '*/tools/testing/selftests/Makefile' \
		'*/tools/docs' '*/tools/lib/python' '*/tools/scripts' '*/tools/build' \
		'*/scripts/subarch.include')
	unpack_parts "$package" "$work" \
		'*/tools/testing/selftests/*.h' \
		'*/tools/testing/selftests/*.sh' \
		'*/tools/testing/selftests/kselftest/*' \
		'*/tools/testing/selftests/lib.mk' \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/COPYING' \
		'*/lib/test_hmm*' '*/arch/x86/kvm' '*/virt/kvm' '*/virt/lib' \
		'*/drivers/infiniband/sw/rxe' '*/mm' "${more[@]}"
	if [ ! -e "$work/tools/testing/selftests/kselftest_harness.h" ] ||
	   [ ! -e "$work/scripts/checkpatch.pl" ] ||
	   [ ! -e "$work/lib/test_hmm.c" ] ||
	   [ ! -e "$work/virt/kvm/kvm_main.c" ]; then
		fail "$package lacks the kselftest headers, checkpatch, test_hmm or KVM"
	fi
	printf '%s\n' "$version" >"$work/version"
}

fill_source()
{
	debian_source "linux-source-$name"
}

fill_built()
{
	add_programs
	if [ "$patch_file" ]; then
		build_patched
	else
		build_kernel
	fi
}

arch=x86_64
if [ "${1:-}" = --arch ]; then
	arch=${2:-}
	shift $(($# > 1 ? 2 : 1))
fi
case $arch in
x86_64) suffix= ;;
arm64) suffix=-arm64 ;;
*) wrong_usage ;;
esac
# shellcheck source=testvm/kernels/x86_64.sh
. "$here/$arch.sh"

kind=kernel patch_file=
case ${1:-} in
--help)
	usage
	exit 0
	;;
--names)
	echo "$debian_names${built_names:+ $built_names}"
	exit 0
	;;
--source)
	kind=source
	shift
	;;
--patch)
	[ $# -eq 3 ] || wrong_usage
	kind=patched
	[ -e "$2" ] || fail "there is no patch $2"
	patch_file=$(realpath "$2")
	shift 2
	;;
esac
[ $# -eq 1 ] || wrong_usage
name=$1
case $kind:" $debian_names ":" $built_names " in
patched:*:*" $name "* | kernel:*:*" $name "*) kind=built ;;
patched:*) wrong_usage ;;
*:*" $name "*:*) ;;
*) wrong_usage ;;
esac

case $kind in
kernel | built) final=$cache/kernels/$name$suffix${patch_file:++$(basename "$patch_file" .patch)} ;;
source) final=$cache/source/$name ;;
esac

# Older versions of this script left some parts of a source out.
source_whole()
{
	[ -e "$final/version" ] && [ -e "$final/virt/kvm/kvm_main.c" ] &&
		{ [ "$name" != 7.3 ] ||
			{ [ -e "$final/$drm_gpusvm" ] && [ -e "$final/$ioctl_numbers" ]; }; }
}

# Is there nothing to do?
ready()
{
	case $kind in
	kernel) [ -e "$final/release" ] ;;
	built) built_fresh ;;
	source) source_whole ;;
	esac
}

if ready; then
	printf '%s\n' "$final"
	exit 0
fi

tools=xz
[ "$kind" != built ] || tools="xz ${cross}gcc"
# shellcheck disable=SC2086 # names
cache_lock "$final" $tools
if ! ready && ! { [ "$kind" = built ] && built_current; }; then
	cache_fill "$final" "fill_$kind"
	note "${final##*/} is ready"
fi
printf '%s\n' "$final"
