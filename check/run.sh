#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job: boot a test VM, load the driver, mirror a KVM guest in a storm.
# SECONDS_OF_STORM and SEED may be set in the environment. A storm that has proved too
# little by then goes on for up to LONGER seconds more. The machine repeats itself, by SEED;
# with FREE=1 its processors run in parallel, and it does not.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

kernel=${KERNEL:-6.1}
seconds=${SECONDS_OF_STORM:-$([ "${FREE-}" ] && echo 30 || echo 10)}
longer=${LONGER:-300}
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
out=$BUILD/run

for number in "$seconds" "$longer" "$seed"; do
	case $number in
	'' | *[!0-9]* | ????????????*)
		echo "run: SECONDS_OF_STORM, LONGER and SEED are numbers, not" \
			"\"$number\"" >&2
		exit 2
		;;
	esac
done

build_tools testvm vmm bench
prepare_kernel "$kernel" normal
rm -rf "$out"
make_root "$out/root"
cp "$BUILD/bench/bin/secmmu-bench" "$out/root/usr/bin/"

repeatable=
if [ ! "${FREE-}" ] && can_repeat; then
	repeatable=1
elif [ ! "${FREE-}" ]; then
	say "without QEMU 10 this run cannot be repeated"
fi
say "booting; then a storm of $seconds seconds, seed $seed"
status=0
"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus 4 \
	${repeatable:+--deterministic --record "$out/record"} \
	--timeout $((seconds + longer + 240)) \
	--root "$out/root" --module "$module" --out "$out" \
	--log "$out/console.log" -- \
	/usr/lib/secmmu/storm.sh --seconds "$seconds" \
	--limit $((seconds + longer)) --seed "$seed" || status=$?
[ ! "$repeatable" ] ||
	echo "seed $seed, digest $(sed -n 's/^over [0-9]* //p' "$out/record/digest")"
exit $status
