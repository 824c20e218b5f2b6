#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A kernel of the test VM with some of its modules replaced.
set -eu

usage()
{
	cat <<END
usage: replace.sh KERNEL FROM TO
Makes TO a folder like that of the cached KERNEL, for testvm --kernel, with the modules in folder
FROM in place of the kernel's own of these names.
END
}

case ${1-} in
--help) usage; exit 0 ;;
esac
if [ $# -ne 3 ]; then
	usage >&2
	exit 2
fi
from=$2 to=$3
kernel=$("$(dirname "$0")/../../testvm/kernels/kernel.sh" "$1")
rm -rf "$to"
mkdir -p "$to/modules"
for name in release vmlinuz config System.map build; do
	ln -s "$(realpath "$kernel/$name")" "$to/$name"
done
modules=$(realpath "$kernel/modules")
cp -rs "$modules/." "$to/modules/"
for file in "$from"/*.ko; do
	name=$(find "$to/modules/kernel" -name "$(basename "$file")*")
	if [ ! "$name" ]; then
		echo "replace.sh: kernel $1 has no module $(basename "$file")" >&2
		exit 1
	fi
	rm "$name"
	case $name in
	*.xz) xz -0 --check=crc32 --stdout "$file" > "$name" ;;
	*) cp "$file" "$name" ;;
	esac
done
