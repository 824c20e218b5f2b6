#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job: boot a test VM, load the driver, mirror a KVM guest in a storm.
# SECONDS_OF_STORM and SEED may be set in the environment. A storm that has proved too
# little by then goes on for up to LONGER seconds more.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

kernel=${KERNEL:-6.1}
seconds=${SECONDS_OF_STORM:-30}
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

say "booting; then a storm of $seconds seconds, seed $seed"
exec "$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus 4 \
	--timeout $((seconds + longer + 240)) \
	--root "$out/root" --module "$module" --out "$out" \
	--log "$out/console.log" -- \
	/usr/lib/secmmu/storm.sh --seconds "$seconds" \
	--limit $((seconds + longer)) --seed "$seed"
