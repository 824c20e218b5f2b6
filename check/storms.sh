#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: storms.sh [--alone] [--out DIR]
Has a storm perform all operations that are possible with its memory, in a test VM that has what they
need. In DIR, build/storm by default, storm.json has its numbers, and storm.html shows them. With
--alone, it performs one operation alone, then the next, until all were alone: "ok" and "not ok"
lines; the log is in DIR, build/alone by default. In the environment (make storm NAME=VALUE, make
storm-alone NAME=VALUE):
  STORM_SECONDS  make storm SECONDS=: of the storm, at least; 600 by default. With --alone, of each
                 operation; 60 by default
  SUBJECT        what is tested, secmmu by default; kvm or procmem
  SEED           of the storms, 1 by default
  KERNEL         6.1 by default
  CPUS           processors of the VM, 4 by default; fewer are quicker where VMs share processors
  ARGS           more options of the storm, between blanks: see secmmu-vmm storm --help. Not with
                 --alone
  OPERATION      with --alone, names of operations, all by default: see secmmu-vmm storm --list
END
}

alone='' out=
while [ $# -gt 0 ]; do
	case $#,$1 in
	*,--alone) alone=1; shift ;;
	1,--out) usage >&2; exit 2 ;;
	*,--out) out=$2; shift 2 ;;
	*) take_no_arguments "$@"; shift ;;
	esac
done
[ "$out" ] || out=$BUILD/$([ "$alone" ] && echo alone || echo storm)
kernel=${KERNEL:-6.1}
subject=${SUBJECT:-secmmu}
seconds=${STORM_SECONDS:-$([ "$alone" ] && echo 60 || echo 600)}
seed=${SEED:-1}
cpus=${CPUS:-4}
names=$(sed -n 's/^\t\t\.name = "\([a-z-]*\)".*/\1/p' "$top/vmm/storm/operations.c")
need_kernel "$kernel"
need_numbers SECONDS "$seconds" SEED "$seed" CPUS "$cpus"
need_word SUBJECT "$subject" "secmmu kvm procmem"
for word in ${OPERATION-}; do
	need_word OPERATION "$word" "$(echo "$names" | tr '\n' ' ')"
done
slow=$(slow_kernel "$kernel")
# What a storm may take; a slow machine may take longer to prove enough.
longer=$((300 * slow))
# What testvm waits at most.
week=604800
[ "$seconds" -le $((86400 - longer)) ] ||
	refuse "SECONDS is $((86400 - longer)) at most, not $seconds: a storm takes a day"
[ "$cpus" -ge 2 ] || refuse "CPUS is 2 at least, not $cpus: the VM has two NUMA nodes"
[ ! "$alone" ] || [ ! "${ARGS-}" ] || refuse "ARGS are for a storm of all operations"
[ "$alone" ] || [ ! "${OPERATION-}" ] || refuse "OPERATION is for one after the other, alone"
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

# A VM for $1 seconds, in which the rest is run.
storm()
{
	limit=$1
	shift
	"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus "$cpus" --memory 6144 --nodes 2 \
		--timeout "$limit" --root "$out/root" --load brd --load zram \
		--append "brd.rd_nr=1 brd.rd_size=65536 $memory" --out "$out" \
		--log "$out/console.log" "$@"
}

if [ "$alone" ]; then
	count=$(echo "${OPERATION:-$names}" | wc -w)
	say "booting; $count operations take $((count * seconds / 60 + 1)) minutes or more"
	longest=$(((count * seconds * 7 + 600) * slow))
	# shellcheck disable=SC2086 # a list of names
	storm $((longest < week ? longest : week)) "$@" -- \
		env SUBJECT="$subject" SEED="$seed" SECMMU_TEST_SLOW="$slow" \
		/usr/lib/secmmu/alone.sh "$seconds" ${OPERATION-}
	exit
fi
say "booting; then a storm of $seconds seconds"
status=0
# shellcheck disable=SC2086 # a list of options
storm $((seconds + longer + 1800 * slow)) "$@" -- env SECMMU_TEST_SLOW="$slow" \
	/usr/lib/secmmu/all.sh --subject "$subject" --seed "$seed" --seconds "$seconds" \
	--limit $((seconds + longer)) ${ARGS-} || status=$?
if [ ! -e "$out/storm.json" ]; then
	say "there are no numbers: the storm has not come to its end, or the kernel has complained"
elif "$top/vmm/storm/page.pl" "$out/storm.json" > "$out/storm.html"; then
	say "curves: $out/storm.html"
else
	rm "$out/storm.html"
	[ $status != 0 ] || status=2
fi
exit $status
