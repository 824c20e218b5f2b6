#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build a module for a kernel of the test VM, apart from the sources, so that
# several kernels and flavours stay built side by side. Warnings are errors.
set -eu

usage()
{
	cat <<END
usage: module.sh [--arch ARCH] [--sparse | --from DIR] KERNEL FLAVOUR
FLAVOUR is one of normal, test, kunit, bench, hmm, hmm-fixed, gpusvm, iommu, or a folder.
KERNEL is a name that kernel.sh knows; normal, test and kunit (test with the KUnit
suites, for kernels that have KUnit) are flavours of the driver. The others are modules
beside it: bench, which benchmarks compare it with; hmm, the kernel's own test of HMM, from
the kernel's source; hmm-fixed, that with found/patches/; gpusvm and iommu, shims of the
judge, for 7.3. A folder has a slash in
its name; it has the sources and the Kbuild file of one module, in this project or elsewhere.
Test builds have the seeded bugs of mutants/ in them. Prints the path of the module.
--arch builds for the kernel of that name for x86_64 (the default) or arm64.
--sparse also runs sparse over every file; its warnings are errors too.
--from takes the sources from another folder, DIR/driver and so on. They are generated:
warnings are no errors, and the log, build.log beside the module's folder, has the errors
of all files.
END
}

top=$(cd "$(dirname "$0")/../.." && pwd)
from=$top
options='' flags=-Werror
arch=x86_64 suffix='' target=''
if [ "${1-}" = --arch ] && [ $# -gt 1 ]; then
	arch=$2
	shift 2
fi
case $arch in
x86_64) ;;
arm64) suffix=-arm64 target='ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-' ;;
*) usage >&2; exit 2 ;;
esac
case "${1-}" in
--help) usage; exit 0 ;;
--sparse) options="C=2 CF=-Wsparse-error"; shift ;;
--from)
	from=$2
	options=-k flags=-fdiagnostics-column-unit=byte
	shift 2
	;;
esac
if [ $# -ne 2 ]; then
	usage >&2
	exit 2
fi
kernel=$1
parts="driver uapi" module=driver/secmmu.ko
flavour=$2
case $2 in
normal) config=CONFIG_SECMMU=m ;;
test) config="CONFIG_SECMMU=m CONFIG_SECMMU_TEST=y" ;;
kunit) config="CONFIG_SECMMU=m CONFIG_SECMMU_TEST=y CONFIG_SECMMU_KUNIT_TEST=y" ;;
bench) parts="driver/compat bench/module" module=bench/module/secmmu_bench.ko config= ;;
hmm | hmm-fixed) parts=bench/peer module=bench/peer/test_hmm_peer.ko config= ;;
gpusvm) parts=judge/shims module=judge/shims/judge_gpusvm.ko config="CONFIG_JUDGE_GPUSVM=m" ;;
iommu) parts=judge/shims module=judge/shims/judge_iommu.ko config="CONFIG_JUDGE_IOMMU=m" ;;
*/*)
	if [ ! -e "$2/Makefile" ] && [ ! -e "$2/Kbuild" ]; then
		echo "module.sh: $2 has neither Makefile nor Kbuild" >&2
		exit 2
	fi
	folder=$(cd "$2" && pwd)
	from=${folder%/*} parts=${folder##*/} config=
	object=$(sed -n 's/^obj-m *[:+]= *\([^ ]*\)\.o *$/\1/p' \
		"$folder/Kbuild" "$folder/Makefile" 2> /dev/null | head -n 1)
	if [ ! "$object" ]; then
		echo "module.sh: no line \"obj-m += NAME.o\" in $2" >&2
		exit 2
	fi
	module=$parts/$object.ko
	# Others may have the same name.
	flavour=$object-$(echo "$folder" | cksum | cut -d ' ' -f 1)
	;;
*) usage >&2; exit 2 ;;
esac
# Test builds have all seeded bugs in them; sources from elsewhere are taken as they are.
case $2 in
test | kunit)
	if [ "$from" = "$top" ]; then
		from=${BUILD:-$top/build}/patched
		"$top/mutants/patches.pl" apply "$from"
	fi
	;;
esac

# test_hmm.c for a kernel without memory of devices (CONFIG_DEVICE_PRIVATE), of which
# it would set some aside when it is loaded and when pages are to be migrated.
without_device_memory()
{
	sed -e 's/return dmirror_allocate_chunk(mdevice, NULL);/return 0;/' \
		-e 's/if (\(dmirror_allocate_chunk(mdevice, &dpage)\))/if (1 || \1)/' "$1" > "$2"
	if cmp -s "$1" "$2"; then
		echo "module.sh: $1 is not understood" >&2
		return 1
	fi
}

dir=${BUILD:-$top/build}/modules/$kernel$suffix-$flavour
folder=$("$top/testvm/kernels/kernel.sh" --arch "$arch" "$kernel")
kdir=$folder/build

# test_hmm.c with the fixes that found.rst describes.
fix_hmm()
{
	for patch in "$top"/found/patches/test_hmm-*.patch; do
		patch --quiet --forward "$1" "$patch"
	done
}

if [ "$2" = hmm ]; then
	# Kernels that are built here have it.
	own=$folder/modules/kernel/lib/test_hmm.ko
	if [ -e "$own" ]; then
		echo "$own"
		exit 0
	fi
fi
case $2 in
hmm | hmm-fixed) source=$("$top/testvm/kernels/kernel.sh" --source "$kernel")/lib ;;
esac

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
# A header that went away must not linger: copy into an emptied list of sources.
for part in $parts; do
	list=$dir/$(echo "$part" | tr / -)
	mkdir -p "$dir/$part"
	(cd "$from/$part" && find . -name '*.mod.c' -prune -o \
		\( -name '*.[ch]' -o -name '*.def' -o -name Makefile -o -name Kbuild \) -print) |
		sort > "$list.now"
	cmp -s "$list.now" "$list.list" || rm -rf "${dir:?}/$part"
	mkdir -p "$dir/$part"
	(cd "$from/$part" && xargs cp -pu --parents -t "$dir/$part") \
		< "$list.now"
	mv "$list.now" "$list.list"
done

if [ "$parts" = bench/peer ]; then
	peer=$dir/bench/peer
	if grep -q '^CONFIG_DEVICE_PRIVATE=y' "$folder/config"; then
		cp "$source/test_hmm.c" "$dir/test_hmm.c"
	else
		without_device_memory "$source/test_hmm.c" "$dir/test_hmm.c"
	fi
	[ "$2" = hmm ] || fix_hmm "$dir/test_hmm.c"
	cmp -s "$dir/test_hmm.c" "$peer/test_hmm.c" ||
		cp "$dir/test_hmm.c" "$peer/test_hmm.c"
	cp -u "$source/test_hmm_uapi.h" "$peer/"
fi

# The name of the folder is not in the module: a VM that repeats itself has it in its memory.
flags="$flags -ffile-prefix-map=$dir=."
# shellcheck disable=SC2086 # options, split on purpose
if ! make -j"$(nproc)" -C "$kdir" M="$dir/${module%/*}" $config \
	KCFLAGS="$flags" $target $options modules > "$dir/build.log" 2>&1; then
	cat "$dir/build.log" >&2
	echo "module.sh: ${module##*/} does not build for $kernel ($2)" >&2
	exit 1
fi
echo "$dir/$module"
