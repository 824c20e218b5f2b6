#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What campaigns there are: their tasks, and what must be built before the first of them.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: kinds.sh names
       kinds.sh check WHAT
       kinds.sh prepare WHAT
       kinds.sh list WHAT FIRST LAST
Prints the names of campaigns, looks at the settings of one in the environment, builds what
its tasks need, or prints its tasks, one a line: the name of the task, which has all settings
in it, the seed, and the command, to which --out DIR is added.
END
}

kinds="soak fuzz mutants mutants-auto explore judge list"
kernel=${KERNEL:-6.1}
mutant=${MUTANT:-none}
seconds=${CAMPAIGN_SECONDS:-60}

# The words of a task's name; it is that of a folder, and reaches command lines of QEMU.
join_words()
{
	local IFS=-

	tr -c 'A-Za-z0-9._\n-' _ <<< "$*"
}

# --- make soak: a seed is that of the storms ------------------------------------------------

cycles=${CYCLES:-100}
reloads=${RELOADS:-5}

check_soak()
{
	need_kernel "$kernel"
	need_numbers SECONDS "$seconds" CYCLES "$cycles" RELOADS "$reloads"
}

prepare_soak()
{
	build_tools testvm vmm selftests
	prepare_kernel "$kernel" normal
}

list_soak()
{
	local name seed

	name=$(join_words soak "$kernel" "${seconds}s" "$cycles" "$reloads")
	for ((seed = $1; seed <= $2; seed++)); do
		echo "$name $seed env SOAK_SECONDS=$seconds CYCLES=$cycles RELOADS=$reloads" \
			"KERNEL=$kernel SEED=$seed check/soak.sh"
	done
}

# --- make fuzz: a seed is that of its choices -----------------------------------------------

check_fuzz()
{
	kernel=${KERNEL:-debug}
	need_kernel "$kernel"
	need_mutant "$mutant"
	need_numbers SECONDS "$seconds"
}

prepare_fuzz()
{
	build_tools testvm fuzz
	prepare_kernel "$kernel" test
}

list_fuzz()
{
	local name seed

	name=$(join_words fuzz "$kernel" "${seconds}s" "$mutant")
	for ((seed = $1; seed <= $2; seed++)); do
		echo "$name $seed env FUZZ_SECONDS=$seconds KERNEL=$kernel MUTANT=$mutant" \
			"SEED=$seed fuzz/fuzz.sh"
	done
}

# --- make mutants: the test of each seeded bug; a seed is one repetition ----------------------

check_mutants()
{
	local name

	need_kernel "$kernel"
	for name in ${MUTANT-}; do
		need_mutant "$name"
	done
}

prepare_mutants()
{
	build_tools testvm vmm selftests
	prepare_kernel "$kernel" test
}

list_mutants()
{
	local name seed

	for name in ${MUTANT:-$(grep -v '^#' "$top/mutants/series")}; do
		for ((seed = $1; seed <= $2; seed++)); do
			echo "$(join_words mutants "$kernel" "$name") $seed" \
				"env KERNEL=$kernel MUTANT=$name JOBS=1 mutants/mutants.pl --quick"
		done
	done
}

# --- make mutants-auto: seed N is the Nth line of the driver with something to change ---------

check_mutants-auto()
{
	kernel=${KERNEL:-newest}
	need_kernel "$kernel"
}

prepare_mutants-auto()
{
	build_tools testvm vmm selftests
	"$top/testvm/kernels/kernel.sh" "$kernel" > /dev/null
	KERNEL=$kernel "$top/mutants/mutants.pl" --auto --list --out "$BUILD/campaign" |
		sed -n 's/^\([^ :]*:[0-9]*\): .*/\1/p' | awk '!seen[$0]++' > "$BUILD/places"
}

list_mutants-auto()
{
	local name place seed=0

	name=$(join_words mutants-auto "$kernel" "${QUICK:+quick}")
	while read -r place; do
		seed=$((seed + 1))
		((seed >= $1 && seed <= $2)) || continue
		echo "$name $seed env KERNEL=$kernel FILE=$place JOBS=1 SAMPLE=0" \
			"mutants/mutants.pl --auto ${QUICK:+--quick}"
	done < "$BUILD/places"
}

# --- make explore: seed N is the Nth group of schedules -----------------------------------------

policy=${POLICY:-pct:2}
schedules=${SCHEDULES:-100}

check_explore()
{
	local name words

	need_kernel "$kernel"
	need_mutant "$mutant"
	need_numbers SCHEDULES "$schedules"
	words=$(sed -n 's/^SCENARIO(\(.*\)) = {$/\1/p' "$top"/explore/*.c | tr '\n' ' ')
	for name in ${TEST-}; do
		need_word TEST "$name" "$words"
	done
	tests=${TEST:-$words}
}

prepare_explore()
{
	build_tools testvm explore
	"$top/testvm/emulator/qemu.sh" > /dev/null
	prepare_kernel "$kernel" test
}

list_explore()
{
	local name seed

	for name in $tests; do
		for ((seed = $1; seed <= $2; seed++)); do
			echo "$(join_words explore "$kernel" "$name" "$policy" "$schedules" "$mutant")" \
				"$seed env KERNEL=$kernel explore/explore.sh --policy $policy" \
				"--mutant $mutant" \
				"--seeds $(((seed - 1) * schedules + 1))-$((seed * schedules)) $name"
		done
	done
}

# --- make judge: a seed is that of the storm behind the checks -----------------------------------

storm=${STORM:-10}

check_judge()
{
	local name words

	words=$(cd "$top/judge/subjects" && basename -a ./*.c ./*.conf | sed 's/\..*//' | sort -u)
	subjects=${SUBJECT:-secmmu}
	for name in $subjects; do
		need_word SUBJECT "$name" "$(echo "$words" | tr '\n' ' ')"
	done
	[ ! "${KERNEL-}" ] || need_kernel "$KERNEL"
	need_numbers STORM "$storm"
}

prepare_judge()
{
	build_tools testvm vmm judge
	"$top/testvm/kernels/kernel.sh" "${KERNEL:-6.12}" > /dev/null
}

# The checks are not of chance: a campaign asks for few of them.
list_judge()
{
	local name seed

	for name in $subjects; do
		for ((seed = $1; seed <= $2; seed++)); do
			echo "$(join_words judge "${KERNEL:-default}" "$name" "${storm}s" "${CHECK:-discard}")" \
				"$seed env SUBJECT=$name ${KERNEL:+KERNEL=$KERNEL }STORM=$storm" \
				"CHECK=${CHECK:-discard} SEED=$seed JOBS=1 judge/judge.sh"
		done
	done
}

# --- The lines of a file, which are tasks already ------------------------------------------------

check_list()
{
	if [ ! -r "${LIST-}" ]; then
		refuse "LIST is a file of tasks, each a name, a seed and a command; not \"${LIST-}\""
	fi
	awk 'NF < 3 || $1 !~ /^[A-Za-z0-9._-]+$/ || $1 ~ /^[.-]/ || $2 !~ /^[0-9]+$/ {
			print "campaign: " FILENAME " line " FNR " is no task: " $0
			exit 2
		}' "$LIST" >&2
}

prepare_list()
{
	:
}

list_list()
{
	awk -v first="$1" -v last="$2" '$2 >= first && $2 <= last' "$LIST"
}

case ${1-},$# in
--help,1) usage; exit 0 ;;
names,1) echo "$kinds"; exit 0 ;;
check,2 | prepare,2 | list,4) ;;
*) usage >&2; exit 2 ;;
esac
need_word WHAT "$2" "$kinds"
"check_$2"
case $1 in
prepare) "prepare_$2" ;;
list) "list_$2" "$3" "$4" ;;
esac
