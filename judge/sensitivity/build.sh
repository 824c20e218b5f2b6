#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build a module of the kernel's own from its source, with a patch or without.
set -eu

usage()
{
	cat <<END
usage: build.sh KERNEL kvm|hmm|rxe|gpusvm [PATCH...]
Prints a folder with the modules. Objects stay, so other patches take seconds. They are applied
in the order that is given. KERNEL is one that kernel.sh has the source of.
END
}

top=$(cd "$(dirname "$0")/../.." && pwd)
case ${1-} in
--help) usage; exit 0 ;;
esac
if [ $# -lt 2 ]; then
	usage >&2
	exit 2
fi
kernel=$1 kind=$2 options=()
shift 2
case $kind in
kvm)
	parts="arch/x86/kvm virt/kvm virt/lib" folder=arch/x86/kvm
	modules="kvm kvm-amd"
	options=(CONFIG_KVM_INTEL=)
	;;
hmm) parts=lib folder=lib modules=test_hmm_peer ;;
rxe) parts=drivers/infiniband/sw/rxe folder=$parts modules=rdma_rxe ;;
gpusvm) parts=drivers/gpu/drm folder=$parts modules=drm_gpusvm_helper ;;
*) usage >&2; exit 2 ;;
esac
BUILD=${BUILD:-$top/build}
dir=$BUILD/sensitivity/$kernel-$kind
name=
for patch; do
	name+=${name:+,}$(basename "$patch" .patch)
done
name=${name:-control}
kdir=$("$top/testvm/kernels/kernel.sh" "$kernel")
source=$("$top/testvm/kernels/kernel.sh" --source "$kernel")

# What Kbuild finds in a whole kernel and must find here.
adapt_makefile()
{
	case $1 in
	kvm)
		# shellcheck disable=SC2016 # variables of make
		sed -i -e 's|$(srctree)/virt/kvm/Makefile.kvm|$(src)/../../../virt/kvm/Makefile.kvm|' \
			-e 's|-I $(srctree)/arch/x86/kvm|-I $(src) -I $(src)/../../../virt/kvm|' \
			"$2/Makefile"
		;;
	hmm)
		cp "$top"/bench/peer/Makefile "$top"/bench/peer/absent.[ch] "$2/"
		# Memory of a device is a feature of the kernel; see module.sh.
		grep -q '^CONFIG_DEVICE_PRIVATE=y' "$kdir/config" ||
			sed -i 's/return dmirror_allocate_chunk(mdevice, NULL);/return 0;/' \
				"$2/test_hmm.c"
		;;
	gpusvm)
		cat > "$2/Makefile" <<'END'
obj-m := drm_gpusvm_helper.o
drm_gpusvm_helper-y := drm_gpusvm.o drm_pagemap.o drm_pagemap_util.o
END
		;;
	esac
}

mkdir -p "$dir"
exec 9> "$dir/lock"
flock 9
rm -rf "$dir/new"
for part in $parts; do
	mkdir -p "$dir/new/$part"
	case $part in
	lib) cp "$source"/lib/test_hmm* "$dir/new/lib/" ;;
	*) cp -r "$source/$part/." "$dir/new/$part/" ;;
	esac
done
for patch; do
	if ! patch --quiet -p1 -d "$dir/new" < "$patch" > "$dir/patch.log" 2>&1; then
		cat "$dir/patch.log" >&2
		echo "build.sh: $patch does not apply to $kernel" >&2
		exit 1
	fi
done
adapt_makefile "$kind" "$dir/new/$folder"
# Built from the same files already?
key=$(cat "$kdir/release" && cd "$dir/new" && find . -type f -print0 | sort -z | xargs -0 sha256sum |
	sha256sum)
if [ "$(cat "$dir/$name/key" 2> /dev/null)" = "$key" ]; then
	rm -rf "$dir/new"
	echo "$dir/$name"
	exit 0
fi
rm -rf "${dir:?}/$name"
# What is the same keeps its time.
(cd "$dir/new" && find . -type f) | while read -r file; do
	cmp -s "$dir/new/$file" "$dir/tree/$file" && continue
	mkdir -p "$dir/tree/${file%/*}"
	cp "$dir/new/$file" "$dir/tree/$file"
done
rm -rf "$dir/new"
if ! make -j"$(nproc)" -C "$kdir/build" M="$(realpath "$dir/tree/$folder")" "${options[@]}" modules \
	> "$dir/build.log" 2>&1; then
	tail -n 40 "$dir/build.log" >&2
	echo "build.sh: $kind with $name does not build for $kernel; see $dir/build.log" >&2
	exit 1
fi
mkdir -p "$dir/$name"
for module in $modules; do
	strip --strip-debug -o "$dir/$name/$module.ko" "$dir/tree/$folder/$module.ko"
done
echo "$key" > "$dir/$name/key"
echo "$dir/$name"
