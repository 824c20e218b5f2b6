#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make explore: play short races under many schedules in a deterministic test VM, until one
# shows something wrong; then print the command that repeats it.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: explore.sh [OPTION VALUE]... SCENARIO
       explore.sh [OPTION VALUE]... --table
Plays SCENARIO (secmmu-explore --list) under the schedules FIRST to LAST, until one shows
something wrong. --table plays each line of explore/mutants instead, a seeded bug and its
scenario, and tells after how many schedules it was seen; a line that begins with "none"
must not be. A run that was interrupted goes on where it was when it is begun again.
  --seeds FIRST-LAST   1-1000 by default
  --policy POLICY      how processors give way inside the driver:
                         none      they do not
                         random:N  at one of N blocks of its code
                         pct:D     by priorities that change D - 1 times (default pct:2)
                       with --table several, as in pct:2,random:20
  --mutant NAME        with this seeded bug
  --lines FILE         for --table, instead of explore/mutants
  --out DIR            for result.json, run (for make replay) and consoles;
                       build/explore/SCENARIO or build/explore/table by default
KERNEL, 6.1 by default, may be set in the environment. Exit status 0: nothing wrong (--table:
all as expected); 1: found something; 2 or more: no result.
END
}

wrong_usage()
{
	[ ! "${1-}" ] || echo "explore: $1" >&2
	usage >&2
	exit 2
}

seeds=1-1000 policy=pct:2 mutant=none out='' scenario='' table='' lines=''
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--table) table=1; shift; continue ;;
	--seeds | --policy | --mutant | --out | --lines) [ $# -gt 1 ] || wrong_usage ;;
	-*) wrong_usage ;;
	*) [ ! "$scenario" ] || wrong_usage; scenario=$1; shift; continue ;;
	esac
	case $1 in
	--seeds) seeds=$2 ;;
	--policy) policy=$2 ;;
	--mutant) mutant=$2 ;;
	--out) out=$2 ;;
	--lines) lines=$(realpath "$2") ;;
	esac
	shift 2
done
[ "$table$scenario" ] || wrong_usage "which scenario? TEST=NAME"
[[ $seeds =~ ^([1-9][0-9]*)-([1-9][0-9]*)$ ]] || wrong_usage "--seeds is FIRST-LAST, not '$seeds'"
first=${BASH_REMATCH[1]} last=${BASH_REMATCH[2]}

# choose_policy NAME: what the plugin is told.
choose_policy()
{
	case $1 in
	none) how=policy=none ;;
	random:[1-9]*) how=policy=random,period=${1#*:} ;;
	pct:[1-9]*) how=policy=pct,depth=${1#*:} ;;
	*) wrong_usage "--policy is none, random:N or pct:D, not '$1'" ;;
	esac
}

policies=("$policy")
[ ! "$table" ] || IFS=, read -ra policies <<< "$policy"
for policy in "${policies[@]}"; do
	choose_policy "$policy"
done
kernel=${KERNEL:-6.1}
lines=${lines:-$top/explore/mutants}
need_kernel "$kernel"
need_mutant "$mutant"
words=$(sed -n 's/^SCENARIO(\(.*\)) = {$/\1/p' "$top"/explore/*.c | tr '\n' ' ')
[ ! "$scenario" ] || need_word TEST "$scenario" "$words"
out=${out:-$BUILD/explore/${scenario:-table}}

own_folder "$out"
build_tools testvm explore
"$top/testvm/emulator/qemu.sh" > /dev/null
program=$BUILD/explore/bin/secmmu-explore
prepare_kernel "$kernel" test
# Results of other files, or of other schedules, are of no use for going on.
# shellcheck disable=SC2154 # prepare_kernel sets module
key=$(echo "$kernel $mutant $seeds ${policies[*]}" | cat - "$module" "$program" \
	"$BUILD/testvm/init" "$BUILD/testvm/testvm" "$BUILD/testvm/schedule.so" \
	"$top/explore/guest.sh" "$lines" | sha256sum | cut -c 1-16)
[ "$(cat "$out/key" 2> /dev/null)" = "$key" ] || rm -rf "$out"
rm -rf "$out/root" "$out/run" "$out/files"
mkdir -p "$out/root/usr/bin" "$out/root/usr/lib/secmmu" "$out/plan"
echo "$key" > "$out/key"
cp "$program" "$out/root/usr/bin/"
cp "$module" "$out/root/usr/lib/secmmu/secmmu.ko"
cp "$top/explore/guest.sh" "$out/root/usr/lib/secmmu/explore.sh"

# Play the plan; results come as lines of guest.sh.
play()
{
	"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --deterministic \
		--memory 1024 --timeout 86400 --root "$out/root" --root "$out/plan" \
		--record "$out/run" --trace --out "$out/files" \
		--schedule "$how,seed=$first,marks=1" -- \
		sh /usr/lib/secmmu/explore.sh "$first" "$last"
}

if [ "$table" ]; then
	# shellcheck source=explore/table.sh
	. "$top/explore/table.sh"
	exit
fi

# How far an interrupted run has got; nothing was wrong so far.
begin=$first
behind=$(sed -n 's/^# \([0-9]*\) schedules$/\1/p' "$out/said" 2> /dev/null | tail -n 1)
if [ ! -e "$out/result.json" ] && [ "${behind:-$((last + 1))}" -le "$last" ]; then
	# The last one is played again if only the result is missing.
	[ "$behind" -lt "$last" ] || behind=$((last - 1))
	first=$((behind + 1))
	say "going on behind schedule $behind"
else
	rm -f "$out/result.json" "$out/said"
fi
say "$scenario, schedules $first to $last, $policy"
echo "$mutant $scenario" > "$out/plan/explore-plan"
play 2>&1 | tee -a "$out/said" | sed -u '/^@/d'
status=${PIPESTATUS[0]}
if [ "$status" = 123 ]; then
	echo "explore: emulation has frozen each time, which says nothing" >&2
	exit 123
fi
[ "$status" != 125 ] ||
	echo "@ $mutant $scenario died the kernel did not survive" >> "$out/said"
grep -v '^@ begin' "$out/said" | grep '^@' > "$out/results.$policy" ||
	{ echo "explore: no result, status $status" >&2; exit 3; }
"$top/explore/report.pl" --quiet "$out" "$kernel" "$begin" "$last" "$policy" || :
[ "$status" != 0 ] || exit 0
digest=$(sed -n 's/^over [0-9]* //p' "$out/run/digest")
echo "digest $digest"
exit 1
