#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: alone.sh [--out DIR]
Has a storm do one operation alone, then the next, until all were alone, in a test VM that has what
they need; "ok" and "not ok" lines. Logs go to DIR, build/alone by default. In the environment
(make storm-alone NAME=VALUE):
  ALONE_SECONDS  make storm-alone SECONDS=: of each operation, at least; 60 by default
  OPERATION      names of operations, all by default: see secmmu-vmm storm --list
  SUBJECT        what is tested, secmmu by default; kvm or procmem
  SEED           of the storms, 1 by default
  KERNEL         6.1 by default
END
}

out=$BUILD/alone
case $#,${1-} in
2,--out) out=$2 ;;
*) take_no_arguments "$@" ;;
esac
kernel=${KERNEL:-6.1}
subject=${SUBJECT:-secmmu}
seconds=${ALONE_SECONDS:-60}
seed=${SEED:-1}
names=$(sed -n 's/^\t\t\.name = "\([a-z-]*\)".*/\1/p' "$top/vmm/storm/operations.c")
need_kernel "$kernel"
need_numbers SECONDS "$seconds" SEED "$seed"
need_word SUBJECT "$subject" "secmmu kvm procmem"
for word in ${OPERATION-}; do
	need_word OPERATION "$word" "$(echo "$names" | tr '\n' ' ')"
done
own_folder "$out"

build_tools testvm vmm
prepare_kernel "$kernel" normal
rm -rf "$out"
make_root "$out/root"
device=$("$top/testvm/kernels/module.sh" "$kernel" hmm) || exit 2
set -- --module "$module" --module "$device"
# The first of Debian's kernels has a compression as a module, the last a file system.
case $kernel in
6.1) set -- "$@" --load lzo-rle ;;
7.3) set -- "$@" --load ext4 ;;
esac
# CMA needs a gigabyte that is not in the zone Movable, which blocks that go offline need.
case " ${OPERATION-} " in
" contiguous ") memory=hugetlb_cma=1:1G ;;
*) memory=movablecore=2G ;;
esac
slow=$(slow_kernel "$kernel")
count=$(echo "${OPERATION:-$names}" | wc -w)
say "booting; $count operations take $((count * seconds / 60 + 1)) minutes or more"
# shellcheck disable=SC2086 # a list of names
exec "$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus 4 --memory 6144 --nodes 2 \
	--timeout $(((count * seconds * 7 + 600) * slow)) --root "$out/root" --load brd --load zram \
	--append "brd.rd_nr=1 brd.rd_size=65536 $memory" "$@" --log "$out/console.log" -- \
	env SUBJECT="$subject" SEED="$seed" SECMMU_TEST_SLOW="$slow" \
	/usr/lib/secmmu/alone.sh "$seconds" ${OPERATION-}
