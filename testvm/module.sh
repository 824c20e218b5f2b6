#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build the driver for a kernel of the test VM, apart from the sources, so that
# several kernels and flavours stay built side by side. Warnings are errors.
set -eu

usage()
{
	cat <<END
usage: module.sh [--sparse] KERNEL normal|test
KERNEL is a name that kernel.sh knows: 6.1, 6.12, newest. Prints the path of secmmu.ko.
--sparse also runs sparse over every file; its warnings are errors too.
END
}

sparse=
case "${1-}" in
--help) usage; exit 0 ;;
--sparse) sparse="C=2 CF=-Wsparse-error"; shift ;;
esac
if [ $# -ne 2 ]; then
	usage >&2
	exit 2
fi
kernel=$1
case $2 in
normal) test= ;;
test) test=CONFIG_SECMMU_TEST=y ;;
*) usage >&2; exit 2 ;;
esac

top=$(cd "$(dirname "$0")/.." && pwd)
dir=${BUILD:-$top/build}/modules/$kernel-$2
kdir=$("$top/testvm/kernel.sh" "$kernel")/build

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
# A header that went away must not linger: copy into an emptied list of sources.
for part in driver uapi; do
	mkdir -p "$dir/$part"
	(cd "$top/$part" && find . -name '*.mod.c' -prune -o \
		\( -name '*.[ch]' -o -name Makefile \) -print) |
		sort > "$dir/$part.now"
	cmp -s "$dir/$part.now" "$dir/$part.list" || rm -rf "${dir:?}/$part"
	mkdir -p "$dir/$part"
	(cd "$top/$part" && xargs cp -pu --parents -t "$dir/$part") \
		< "$dir/$part.now"
	mv "$dir/$part.now" "$dir/$part.list"
done

# shellcheck disable=SC2086 # options, split on purpose
if ! make -j"$(nproc)" -C "$kdir" M="$dir/driver" CONFIG_SECMMU=m $test \
	KCFLAGS=-Werror $sparse modules > "$dir/build.log" 2>&1; then
	cat "$dir/build.log" >&2
	echo "module.sh: the driver does not build for $kernel ($2)" >&2
	exit 1
fi
echo "$dir/driver/secmmu.ko"
