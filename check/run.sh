#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job: boot a test VM, load the driver, mirror a KVM guest in a storm.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: run.sh
Boots a test VM, compares flush policies and mirrors a KVM guest in a storm; results go to
build/run/. In the environment (make run NAME=VALUE):
  RUN_SECONDS   make run SECONDS=: seconds of the storm, 10 by default, 30 with FREE
  LONGER        seconds more for a storm that has proved too little, 300 by default
  SEED          the machine repeats itself by it; random by default
  FREE          not empty: processors run in parallel, and the machine does not repeat itself
  KERNEL        6.1 by default
END
}

take_no_arguments "$@"
kernel=${KERNEL:-6.1}
seconds=${RUN_SECONDS:-$([ "${FREE-}" ] && echo 30 || echo 10)}
longer=${LONGER:-300}
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
out=$BUILD/run

need_numbers SECONDS "$seconds" LONGER "$longer" SEED "$seed"
need_kernel "$kernel"
own_folder "$out"
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
