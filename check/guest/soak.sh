#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: the long run. Arguments: seconds in all, seed, cycles of making,
# faulting and killing, and reloads of the driver; zero leaves either out. What time
# is left then, storms take, one at least, each with a seed of its own, which also
# decides what kind it is. The name of the kernel comes last. Leaves in $OUT/soak what
# was done.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "unloads the driver and loads it again, many times"
seconds=$1 seed=$2 cycles=$3 reloads=$4 kernel=$5
lib=/usr/lib/secmmu
# One storm, in seconds; on slow kernels longer, for each must prove something.
length=$((30 * ${SECMMU_TEST_SLOW:-1}))
status=0
storms=0
started=$(date +%s)

# "ok" and "not ok" lines come from what is called, but for its crash.
part()
{
	what=$1 repeat="make soak KERNEL=$kernel $2" got=0
	shift 2
	echo "== $what"
	"$@" || got=$?
	[ $got = 0 ] && return
	status=1
	echo "not ok - $what: status $got; repeat it with: $repeat"
}

passed()
{
	echo $(($(date +%s) - started))
}

# shellcheck disable=SC2317 # called by part
kill_cycles()
{
	SECMMU_CYCLES="$cycles" "$lib/selftests/leaks" -t G1_created_faulted_killed
}

# Even seeds have private memory, odd ones shared; of three, two have all views, of four,
# two bring back what was dropped, and of five, two flush often; the rest of it decides more.
storm_options()
{
	backing=anon features=
	[ $(($1 % 2)) = 0 ] || backing=memfd
	[ $(($1 % 3)) = 0 ] || features="--tags --domains --keys"
	[ $(($1 % 4)) -lt 2 ] || features="$features --refill"
	[ $(($1 % 5)) -lt 3 ] || features="$features --array"
	echo "--seed $1 --backing $backing --vcpus $(($1 / 2 % 3 + 1))" \
		"--engines $(($1 / 6 % 4 + 1)) $features"
}

[ "$cycles" = 0 ] || part "$cycles cycles of making, faulting, killing" \
	"CYCLES=$cycles RELOADS=0 SECONDS=1" kill_cycles
[ "$reloads" = 0 ] || part "$reloads reloads" \
	"CYCLES=0 RELOADS=$reloads SECONDS=1" \
	sh $lib/selftests/reload.sh $lib/secmmu.ko "$reloads"
while [ $storms = 0 ] || [ "$(passed)" -lt "$seconds" ]; do
	part "storm of seed $seed, after $(passed) s" \
		"CYCLES=0 RELOADS=0 SECONDS=1 SEED=$seed" \
		$lib/short.sh $length "$(storm_options "$seed")"
	seed=$((seed + 1))
	storms=$((storms + 1))
done
echo "$cycles cycles, $reloads reloads, $storms storms in $(passed) s" > "$OUT/soak"
exit $status
