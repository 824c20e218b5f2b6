#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# make bench: boot one test VM with the driver and the modules that it is compared with,
# run the benchmarks there, and make tables and plots of the results.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: bench.sh [--quick|--tiny] [--icount [--cpus N]] [--out DIR] [QUESTION...]
--quick takes four minutes, --tiny only shows that everything works;
--icount counts instructions instead of measuring time, on one processor, or those of N
together, which take turns. KERNEL, 6.1 by default, may be set in the environment. A
QUESTION is a word of secmmu-bench --help; by default all but iotlb, which is measured by
itself, on 7.3 and with an IOMMU. Results go to DIR, build/bench by default. The exit status is 1 if something fails, or, with --icount, if a target is missed.
END
}

grid=full memory=4096 timeout=3600 icount='' turns='' out=$BUILD/bench
# A vCPU that has to wait for a host core answers interrupts after milliseconds.
cpus=$(($(nproc) < 2 ? 1 : 2))
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--quick) grid=quick memory=2048 timeout=900 ;;
	# Times do not matter here, and nested guests run better with four processors.
	--tiny) grid=tiny memory=2048 timeout=300 cpus=4 ;;
	--icount) icount=--icount ;;
	--cpus)
		case ${2-} in
		[1-9] | [1-9][0-9]) turns=$2 ;;
		*) usage >&2; exit 2 ;;
		esac
		shift
		;;
	--out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		out=$2
		shift
		;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
[ -z "$turns" ] || [ -n "$icount" ] || { usage >&2; exit 2; }
if [ -n "$icount" ]; then
	cpus=${turns:-1}
	# The next processor has its turn after 64 blocks of code on average: a few us.
	[ "$cpus" = 1 ] || icount='--deterministic --schedule policy=random,period=64,range=0-ffffffffffffffff'
fi

iotlb=''
case " $* " in
' iotlb ') iotlb=1 ;;
*' iotlb '*) echo >&2 'bench: iotlb is measured by itself'; exit 2 ;;
esac
kernel=${KERNEL:-${iotlb:+7.3}}
kernel=${kernel:-6.1}
need_kernel "$kernel"
words=$(sed -n 's/^\t\.word = "\(.*\)",$/\1/p' "$top"/bench/q*.c | tr '\n' ' ')
for question; do
	need_word QUESTIONS "$question" "$words"
done
own_folder "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
"$top/check/setup.sh"
say "kernel $kernel"
"$top/testvm/kernels/kernel.sh" "$kernel" > /dev/null
build_tools testvm bench
say "building the modules for $kernel"
rm -rf "$out/root" "$out/vm" "$out/results.jsonl"
make -s -C "$top/bench" install DESTDIR="$out/root/usr/lib/secmmu/bench"
if [ -n "$iotlb" ]; then
	test_build=''
	module=$("$top/testvm/kernels/module.sh" "$kernel" iommu)
	machine="--iommu intel --device e1000 --module $module"
else
	module=$("$top/testvm/kernels/module.sh" "$kernel" normal)
	test_build=$("$top/testvm/kernels/module.sh" "$kernel" test)
	peer=$("$top/testvm/kernels/module.sh" "$kernel" bench)
	# Its source may be out of reach; then the results are without it.
	hmm=$("$top/testvm/kernels/module.sh" "$kernel" hmm) || hmm=
	machine="--module $module --module $peer ${hmm:+--module $hmm}"
	machine="$machine --load brd --append brd.rd_nr=1 --append brd.rd_size=65536"
	cp "$test_build" "$out/root/usr/lib/secmmu/secmmu-test.ko"
	test_build=/usr/lib/secmmu/secmmu-test.ko
fi

# This is the only emulated clock that does not take a lock of the emulator. A kernel that
# people use has its mitigations on.
say "booting; then the $grid benchmarks"
# shellcheck disable=SC2016,SC2086 # for the shell there; words of options
"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus "$cpus" \
	$icount --memory "$memory" --timeout "$timeout" --root "$out/root" $machine \
	--append 'tsc=reliable clocksource=tsc mitigations=auto' \
	--out "$out/vm" \
	--log "$out/console.log" -- \
	env TEST_MODULE="$test_build" \
	sh -c 'exec /usr/lib/secmmu/bench/run.sh "$0" "$OUT/results.jsonl" "$@"' \
	"$grid" "$@"
mv "$out/vm/results.jsonl" "$out/results.jsonl"
# Counts of instructions decide whether targets are met; times do not.
perl "$top/bench/report.pl" ${icount:+--judge} "$out/results.jsonl" "$out"
