# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2164 # names of kernel.sh, which has set -e
#
# What kernels for arm64 are, sourced by kernel.sh: Debian's are those for the cloud; all have
# pages of 4 KiB, and are for compiling modules on x86-64.

debian_names='6.1 6.12 7.3'
built_names='newest debug'
deb_arch=arm64
cross=aarch64-linux-gnu-
kernel_arch=arm64
built_image=arch/arm64/boot/Image
built_programs=

# What base.config has that is x86's: names of settings.
foreign='ACPI|ACPI_NUMA|X86_.*|MTRR|CPU_SUP_.*|CPU_MITIGATIONS|KERNEL_GZIP|EARLY_PRINTK|'
foreign+='HYPERVISOR_GUEST|KVM|KVM_AMD|KVM_INTEL|MEM_SOFT_DIRTY'

# Prints the configuration of kernel $1 that is built here.
built_config()
{
	cat "$here/base.config" "$here/$1.config" |
		grep -vE "^(# )?CONFIG_($foreign)(=| is not set)"
	cat "$here/arm64.config"
}

# Prints "package version" of Debian's image of kernel $1.
find_image()
{
	case $1 in
	6.1) newest_image linux-image-cloud-arm64 linux-image-6.1. ;;
	6.12) newest_image linux-image-6.12-cloud-arm64 linux-image-6.12. ;;
	7.3) newest_named_image '^linux-image-7\.3\.[0-9.]+\+deb13-cloud-arm64$' ;;
	esac
}

# Fills $work with what guests need besides the kernel.
add_programs()
{
	mkdir "$work/deb" "$work/programs"
	apt_fetch "$work/deb" "busybox-static=$(apt_newest busybox-static)"
	dpkg -x "$work"/deb/busybox-static_*.deb "$work/programs"
	mv "$work/programs/bin/busybox" "$work/busybox"
	rm -rf "$work/deb" "$work/programs"
}

# Replaces in the headers in $1 the program that wants a newer C library, by the one built
# from the kernel's source, of version $2.
replace_programs()
{
	local tree=$work/source log=$work/programs.log

	fetch_source "linux-source-$name" "$2"
	mkdir "$tree"
	unpack_parts "linux-source-$name" "$tree" '*/scripts/mod' '*/scripts/include' \
		'*/include/linux/*.h' '*/include/linux/device-id'
	note 'building modpost'
	if ! (cd "$tree" && build_modpost "$1") >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		fail 'modpost does not build'
	fi
	cp "$tree/scripts/mod/modpost" "$1/scripts/mod/modpost"
	rm -rf "$tree" "$log"
}
