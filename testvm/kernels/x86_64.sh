# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2164 # names of kernel.sh, which has set -e
#
# What kernels for x86-64 are, sourced by kernel.sh. 6.1 and 6.12 are those for the cloud:
# small, and of Debian 12. 7.3 is the one for PCs, from the backports to Debian 13: it has the
# drivers of other secondary MMUs (rdma_rxe with on-demand paging, drm_gpusvm, the IOMMUs),
# which those for the cloud lack.

debian_names='6.1 6.12 7.3'
built_names='newest debug kcsan'
deb_arch=amd64
# What names of compilers begin with.
cross=
# The kernel's makefiles call it so.
kernel_arch=x86
built_image=arch/x86/boot/bzImage
# What compiling a module runs, besides programs in scripts/.
built_programs=tools/objtool/objtool

# Prints the configuration of kernel $1 that is built here.
built_config()
{
	cat "$here/base.config" "$here/$1.config"
}

# Prints "package version" of Debian's image of kernel $1.
find_image()
{
	case $1 in
	6.1) newest_image linux-image-cloud-amd64 linux-image-6.1. ;;
	6.12) newest_image linux-image-6.12-cloud-amd64 linux-image-6.12. ;;
	7.3) newest_named_image '^linux-image-7\.3\.[0-9.]+\+deb13-amd64$' ;;
	esac
}

# Guests have the programs of this machine.
add_programs()
{
	:
}

# Replaces in the headers in $1 the programs that want a newer C library, by those built
# from the kernel's source, of version $2.
replace_programs()
{
	local tree=$work/source log=$work/programs.log

	fetch_source "linux-source-$name" "$2"
	mkdir "$tree"
	unpack_parts "linux-source-$name" "$tree" '*/tools/objtool' '*/tools/lib' \
		'*/tools/build' '*/tools/include' '*/tools/arch/x86' '*/tools/scripts' \
		'*/scripts/mod' '*/scripts/include' '*/include/linux/*.h' \
		'*/include/linux/device-id'
	note 'building objtool and modpost (takes a minute)'
	if ! (cd "$tree" && make -C tools/objtool -j"$(nproc)" && build_modpost "$1") \
		>"$log" 2>&1; then
		tail -n 20 "$log" >&2
		fail 'objtool or modpost does not build'
	fi
	cp "$tree/tools/objtool/objtool" "$1/tools/objtool/objtool"
	cp "$tree/scripts/mod/modpost" "$1/scripts/mod/modpost"
	rm -rf "$tree" "$log"
}
