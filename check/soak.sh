#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The long run, for leaks and rare races: one test VM in which the driver serves
# many processes that are killed, is loaded and unloaded many times, and weathers
# storms. In the environment: SOAK_SECONDS, SEED, KERNEL, CYCLES, RELOADS.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

kernel=${KERNEL:-6.1}
SECMMU_TEST_SLOW=$(slow_kernel "$kernel")
export SECMMU_TEST_SLOW
if [ "$SECMMU_TEST_SLOW" = 1 ]; then
	many=10000 some=200
else
	many=100 some=10
fi
seconds=${SOAK_SECONDS:-600}
cycles=${CYCLES:-$many}
reloads=${RELOADS:-$some}
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
out=$BUILD/soak

for number in "$seconds" "$cycles" "$reloads" "$seed"; do
	case $number in
	'' | *[!0-9]* | ??????????????????*)
		echo "soak: SECONDS, SEED, CYCLES and RELOADS are numbers," \
			"not \"$number\"" >&2
		exit 2
		;;
	esac
done
again="make soak SECONDS=$seconds SEED=$seed KERNEL=$kernel CYCLES=$cycles RELOADS=$reloads"

build_tools testvm vmm selftests
prepare_kernel "$kernel" normal
rm -rf "$out"
make_root "$out/root" "$module"

say "booting; repeat all of this with: $again"
status=0
signal=
# Slow machines get an hour more for what is counted, not timed.
"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus 4 --memory 3072 \
	--timeout $((seconds + 3600)) --root "$out/root" --module "$module" \
	--out "$out" --log "$out/console.log" -- \
	/usr/lib/secmmu/soak.sh "$seconds" "$seed" "$cycles" "$reloads" "$kernel" &
vm=$!
trap 'signal=INT; kill -TERM $vm' INT
trap 'signal=TERM; kill -TERM $vm' TERM
wait $vm || status=$?
# A signal ends the waiting, not the VM.
[ ! "$signal" ] || wait $vm || status=$?
trap - INT TERM
facts=$(cat "$out/soak" 2> /dev/null || echo "nothing finished")
if [ "$signal" ]; then
	echo "soak: INTERRUPTED, $facts, seed $seed, kernel $kernel; once more with: $again"
	kill -$signal $$
fi
if [ $status = 0 ]; then
	echo "soak: PASS, $facts, seed $seed, kernel $kernel"
else
	echo "the kernel's console is in $out/console.log; repeat with: $again"
	echo "soak: FAIL, status $status, $facts, seed $seed, kernel $kernel"
fi
exit $status
