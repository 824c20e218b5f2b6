#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Everything "make bench" does: boot one test VM with the driver and the module that
# it is compared with, run the benchmarks, make tables and plots of the results.
set -eu
. "$(dirname "$0")/../testvm/common.sh"

usage()
{
	cat <<END
usage: bench.sh [--quick|--tiny] [--icount] [--out DIR] [QUESTION...]
--quick takes three minutes at most, --tiny only shows that everything works;
--icount counts instructions on one processor instead of measuring time. KERNEL
may be set in the environment. Results go to DIR, build/bench by default.
END
}

grid=full timeout=1800 icount='' out=$BUILD/bench
# A busy vCPU without a host core of its own answers interrupts after milliseconds.
cpus=$(($(nproc) < 2 ? 1 : 2))
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--quick) grid=quick timeout=240 ;;
	--tiny) grid=tiny timeout=120 ;;
	--icount) icount=--icount cpus=1 ;;
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

kernel=${KERNEL:-6.1}

mkdir -p "$out"
out=$(cd "$out" && pwd)
build_tools testvm bench
say "kernel $kernel"
"$top/testvm/kernel.sh" "$kernel" > /dev/null
say "building the modules for $kernel"
module=$("$top/testvm/module.sh" "$kernel" normal)
test_build=$("$top/testvm/module.sh" "$kernel" test)
peer=$("$top/testvm/module.sh" "$kernel" bench)
rm -rf "$out/root" "$out/vm" "$out/results.jsonl"
make -s -C "$top/bench" install DESTDIR="$out/root/usr/lib/secmmu/bench"
cp "$test_build" "$out/root/usr/lib/secmmu/secmmu-test.ko"

# Of the clocks that are emulated only this one does not take a lock of the emulator's.
say "booting; then the $grid benchmarks"
"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus "$cpus" \
	$icount --append "tsc=reliable clocksource=tsc" --memory 2048 --timeout "$timeout" --root "$out/root" \
	--module "$module" --module "$peer" --out "$out/vm" \
	--log "$out/console.log" -- \
	env TEST_MODULE=/usr/lib/secmmu/secmmu-test.ko \
	sh -c 'exec /usr/lib/secmmu/bench/run.sh "$0" "$OUT/results.jsonl" "$@"' \
	"$grid" "$@"
mv "$out/vm/results.jsonl" "$out/results.jsonl"
perl "$top/bench/report.pl" "$out/results.jsonl" "$out"
