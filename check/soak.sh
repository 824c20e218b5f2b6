#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The long run, for leaks and rare races: one test VM in which the driver serves
# many processes that are killed, is loaded and unloaded many times, and weathers
# storms.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: soak.sh [--out DIR]
Mirrors and kills processes, reloads the driver, then runs storms, in one test VM; logs go to
DIR, build/soak by default. In the environment (make soak NAME=VALUE):
  SOAK_SECONDS  make soak SECONDS=: seconds of all, at least; 600 by default
  SEED          of the storms, random by default
  CYCLES        processes to mirror and kill, 10000 by default
  RELOADS       times to reload the driver, 200 by default
  KERNEL        6.1 by default; debug and kcsan have 100 CYCLES and 10 RELOADS by default
END
}

out=$BUILD/soak
case $#,${1-} in
2,--out) out=$2 ;;
*) take_no_arguments "$@" ;;
esac
kernel=${KERNEL:-6.1}
need_kernel "$kernel"
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

need_numbers SECONDS "$seconds" SEED "$seed" CYCLES "$cycles" RELOADS "$reloads"
own_folder "$out"
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
	kill "-$signal" $$
fi
if [ $status = 0 ]; then
	echo "soak: PASS, $facts, seed $seed, kernel $kernel"
else
	echo "the kernel's console is in $out/console.log; repeat with: $again"
	echo "soak: FAIL, status $status, $facts, seed $seed, kernel $kernel"
fi
exit $status
