# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2164 # names of kernel.sh, which has set -e
#
# Debian's own kernels, sourced by kernel.sh; x86_64.sh and arm64.sh say which they are.

# Prints "package version" of the newest image that metapackage $1 stands for and whose
# name starts with $2 (the suites carry others under that name).
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

# The same for images that no metapackage stands for once there is a newer kernel: $1 is a
# regular expression of their names.
newest_named_image()
{
	local package

	package=$(apt-cache search --names-only "$1" | awk '{ print $1 }' | sort -V | tail -n 1)
	[ -z "$package" ] || printf '%s %s\n' "$package" "$(apt_newest "$package")"
}

# The packages that kernel image $1 of version $2 takes, one PACKAGE=VERSION per line. A
# newer one is but a name for its parts.
image_packages()
{
	local image=$1 version=$2 headers package fixed

	headers=${image/linux-image-/linux-headers-}
	printf '%s=%s\n' "$image" "$version" "$headers" "$version"
	apt_depends "$image" "$version" | while read -r package fixed; do
		[ -z "$fixed" ] || printf '%s=%s\n' "$package" "$fixed"
	done
	apt_depends "$headers" "$version" | while read -r package fixed; do
		case $package in
		linux-headers-*-common)
			printf '%s=%s\n' "$package" \
				"${fixed:-$(apt_newest "$package")}"
			;;
		# Its programs run on this machine.
		linux-kbuild-*)
			printf '%s:amd64=%s\n' "$package" \
				"${fixed:-$(apt_newest "$package")}"
			;;
		esac
	done
}

# Makes the unpacked headers in $1 usable where they are, and wherever the cache is
# moved to: Debian's makefile includes its other half from /usr/src, and newer ones say
# that they are there themselves.
relocate_headers()
{
	local headers=$1 here

	# shellcheck disable=SC2016
	here='$(dir $(realpath $(lastword $(MAKEFILE_LIST))))'
	sed -i -e "s|^include /usr/src/|include $here../|" \
		-e "s|^KBUILD_OUTPUT=/usr/src/[^/]*$|KBUILD_OUTPUT := \$(patsubst %/,%,$here)|" \
		"$headers/Makefile"
	if grep -q /usr/src/ "$headers/Makefile"; then
		fail "the makefile in ${headers##*/} is not understood"
	fi
	if [ ! -e "$headers/scripts" ] || [ ! -e "$headers/tools" ]; then
		fail "${headers##*/} lacks scripts or tools"
	fi
}

# Makes the headers in $1, of a kernel that is newer than this machine's compiler and
# tools, usable with those: gcc has another name and no -fmin-function-alignment, and pahole
# does not read the kernel's type information.
suit_tools()
{
	sed -i 's/\<gcc-[0-9]*$/gcc/' "$1/.kernelvariables"
	sed -i -E '/^CONFIG_(CC_HAS_MIN_FUNCTION_ALIGNMENT|DEBUG_INFO_BTF_MODULES)=/d' \
		"$1/include/config/auto.conf"
}

# In an unpacked source: builds modpost for the headers in $1. The kernel's own makefiles
# build it only for a whole kernel.
build_modpost()
{
	make -C "$1" M="$PWD/scripts/mod" CROSS_COMPILE="$cross" devicetable-offsets.s &&
	cd scripts/mod &&
	sed -n 's/.*\.ascii "->\([^ ]*\) [$#]*\([^ ]*\) .*/#define \1 \2/p' devicetable-offsets.s \
		>devicetable-offsets.h &&
	echo '#define KERNEL_ELFCLASS ELFCLASS64' >elfconfig.h &&
	gcc -O2 -I../include -o modpost modpost.c file2alias.c sumversion.c symsearch.c
}

# Fills $work with the Debian kernel that find_image() finds.
debian_kernel()
{
	local image version release package headers
	local -a packages

	need_space 700
	apt_setup "$cache/apt" "$deb_arch"
	apt_update
	read -r image version < <(find_image "$name") || :
	if [ -z "${image:-}" ]; then
		tail -n 5 "$apt_dir/log/update.log" >&2
		fail "no $name on the Debian mirrors of this machine (does the network work?)"
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
	headers=tree/usr/src/linux-headers-$release
	relocate_headers "$work/$headers"
	ln -s "$headers" "$work/build"
	printf '%s\n' "$release" >"$work/release"
	kernel_version=$version
}

# In $work: finds the kernel where packages of Debian 12 have it.
place_kernel()
{
	local release

	release=$(cat "$work/release")
	rm -f "$work/tree/lib/modules/$release"/{build,source}
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$work/tree" "$release"
	ln -s "tree/boot/vmlinuz-$release" "$work/vmlinuz"
	ln -s "tree/boot/config-$release" "$work/config"
	ln -s "tree/boot/System.map-$release" "$work/System.map"
	ln -s "tree/lib/modules/$release" "$work/modules"
}

# The same where those of Debian 13 have it: all among the modules, and below /usr. Their
# System.map is a stub, which says that the packages for debugging have it.
place_merged_kernel()
{
	local release modules

	release=$(cat "$work/release")
	modules=tree/usr/lib/modules/$release
	rm -f "$work/$modules"/{build,source}
	ln -s usr/lib "$work/tree/lib"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$work/tree" "$release"
	ln -s "$modules/vmlinuz" "$work/vmlinuz"
	ln -s "$modules/config" "$work/config"
	ln -s "$modules/System.map" "$work/System.map"
	ln -s "$modules" "$work/modules"
}

fill_kernel()
{
	debian_kernel
	add_programs
	case $name in
	6.*) place_kernel ;;
	*)
		place_merged_kernel
		suit_tools "$work/build"
		replace_programs "$work/build" "$kernel_version"
		;;
	esac
}
