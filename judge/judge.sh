#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make judge: build secmmu-judge, boot what each subject needs, run the checks there, and
# make one matrix of the verdicts. A kernel that breaks is booted again for what is left.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: judge.sh [--quick] [--tap] [--out DIR]
--quick judges secmmu, procmem, kvm, hmm and the negative control on 6.12, in one VM, by the
checks that can be asked of them there.
--tap prints "ok" and "not ok" lines of each verdict, too. Results go to DIR,
build/judge/out by default: results.jsonl, matrix.txt, matrix.json, index.html.

In the environment: SUBJECT, names (default: all); CHECK, patterns (default: all), or none; KERNEL
(default: each subject's first); ARCH, x86_64 (default) or arm64; IOMMU, that of the subjects
that need one, intel (default) or amd; STORM, seconds of a storm against each subject behind the
checks (default: none), and its SEED; JOBS, how many VMs run at a time (default: 2); ADAPTER,
a C file that is one more subject, and MODULE, a module that it needs. ADAPTER's name is the
subject's; beside it, NAME.conf may say what else it needs. The exit status is 0 if each verdict
is as recorded in judge/expected.

judge/sensitivity/ also sets JUDGE_BOOT, the folder of a kernel to boot in KERNEL's place;
JUDGE_HMM, the module test_hmm to load; and JUDGE_APPEND, words for the kernel.
END
}

quick='' tap='' out=$BUILD/judge/out
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--quick) quick=yes ;;
	--tap) tap=--tap ;;
	--out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		out=$2
		shift
		;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

# A kernel that breaks so often is not worth another boot.
most_boots=12
# More than a boot and all checks of a VM take, however slow the machine.
timeout=1200
# A storm that has proved too little goes on, by secmmu-vmm's default, for so long.
longer=300
jobs=${JOBS:-2}
case $jobs in
[1-9]) ;;
*) echo "judge: JOBS is a number from 1 to 9, not \"$jobs\"" >&2; exit 2 ;;
esac

module=${MODULE:+$(realpath "$MODULE")}
adapter=${ADAPTER:+$(realpath "$ADAPTER")}
out=$(realpath -m "$out")
# What a storm that convicts names.
repeat="make judge${adapter:+ ADAPTER=$adapter${module:+ MODULE=$module}}"
# Names of files below are those in this folder.
cd "$top/judge"
export ADAPTER=$adapter
own=${adapter:+$(basename "$adapter" .c)}
subjects=${SUBJECT:-$own}
if [ "$quick" ] && [ ! "$subjects" ]; then
	subjects="procmem kvm hmm secmmu secmmu-broken"
	KERNEL=${KERNEL:-6.12}
fi
case $module:$own in
?*:) echo "judge: MODULE is for an ADAPTER; see --help" >&2; exit 2 ;;
esac

# Each of the patterns that $1 lists is one of some check.
need_checks()
{
	local pattern patterns check

	read -ra patterns <<< "${1-}"
	for pattern in "${patterns[@]}"; do
		for check in $checks; do
			# shellcheck disable=SC2053 # a pattern
			[[ $check != $pattern ]] || continue 2
		done
		refuse "CHECK: there is no \"$pattern\"; there are:" "$(tr '\n' ' ' <<< "$checks")"
	done
}

# secmmu-judge tells later which of them it has.
words=$(basename -a subjects/*.c subjects/*.conf | sed 's/\..*//' | sort -u | tr '\n' ' ')
for subject in $subjects; do
	need_word SUBJECT "$subject" "$words$own"
done
checks=$(sed -n 's/^CHECK(\([a-z0-9_]*\),.*/\1/p' checks/*.c ${adapter:+"$adapter"} | tr _ -)
# A storm may be all.
[ "${CHECK-}" = none ] || need_checks ${CHECK:+"$CHECK"}
arch=${ARCH:-x86_64}
need_word ARCH "$arch" "x86_64 arm64"
need_word IOMMU "${IOMMU:-intel}" "intel amd"
# How results name a kernel.
suffix=''
[ "$arch" = x86_64 ] || suffix=-$arch
[ ! "${KERNEL-}" ] || need_kernel "$KERNEL"
need_numbers STORM "${STORM:-0}" SEED "${SEED:-1}"
case $out in
/*) ;;
*) out=$OLDPWD/$out ;;
esac
own_folder "$out"

# --- Where is what? ------------------------------------------------------------------

# What subject $1 needs; sets kernels, modules, load, testvm and vm.
read_conf()
{
	local conf=subjects/$1.conf

	kernels=${KERNEL:-6.12} modules='' load='' testvm='' vm=''
	[ "$1" != "$own" ] || conf=${adapter%.c}.conf
	# shellcheck disable=SC1090 # one of several
	[ ! -e "$conf" ] || . "$conf"
	[ "$1" != "$own" ] || modules+=" $module"
	testvm=${testvm/--iommu intel/--iommu ${IOMMU:-intel}}
	[ ! "$quick" ] || vm=
}

# The modules of group $1, in order, each once. A test build of the driver is one, too.
modules_of()
{
	local list
	# shellcheck disable=SC2086 # a list of names
	list=$(printf '%s\n' ${group_modules[$1]} | awk '!seen[$0]++')
	if grep -qx test <<< "$list"; then
		list=$(grep -vx normal <<< "$list")
	fi
	echo "$list"
}

# Subjects that can share a VM are a group: the same kernel and the same machine.
declare -A group_subjects=() group_modules=() group_load=()
groups=()

make_groups()
{
	local subject kernel key

	for subject in $subjects; do
		read_conf "$subject"
		kernel=${KERNEL:-${kernels%% *}}
		if [[ " $kernels " != *" $kernel "* ]]; then
			echo "note: $subject is not judged on $kernel, only on: $kernels"
			continue
		fi
		key="$kernel|$testvm|$vm"
		[ "${group_subjects[$key]+is there}" ] || groups+=("$key")
		group_subjects[$key]+=" $subject"
		group_modules[$key]+=" $modules"
		group_load[$key]+=" $load"
	done
}

# --- One group -----------------------------------------------------------------------

# A line of results for what killed the kernel or the VM: $1 is SUBJECT/CHECK. Its time is that
# of the whole boot.
bury()
{
	printf '{"subject":"%s","check":"%s","verdict":"%s","reason":"%s","spoiled":1,"ms":%d,"kernel":"%s"}\n' \
		"${1%%/*}" "${1#*/}" "$2" "$3" $(((SECONDS - boot_began) * 1000)) "$4"
}

# What boot $1 of a VM has come to, with status $2 on kernel $3, into its results.
collect()
{
	local begun

	last_boot "$1" | grep '^{' > "$1.jsonl" || :
	begun=$(last_boot "$1" | sed -n 's/^# begins //p' | tail -n 1)
	if [ "$begun" ] && ! grep -qF "\"subject\":\"${begun%%/*}\",\"check\":\"${begun#*/}\"" "$1.jsonl"
	then
		case $2 in
		124) bury "$begun" hang "the VM did not end" "$3" ;;
		*) bury "$begun" splat "the kernel died of it" "$3" ;;
		esac >> "$1.jsonl"
	fi
	case $2 in
	0 | 1 | 5) ;;
	125)
		# The complaint must belong to a check.
		grep -q '"verdict":"\(splat\|hang\)"' "$1.jsonl" ||
			bury "kernel/log" splat "the kernel complained outside of all checks" "$3" \
				>> "$1.jsonl"
		;;
	*) [ -s "$1.jsonl" ] || bury "kernel/boot" broken "testvm ended with status $2" "$3" \
		>> "$1.jsonl" ;;
	esac
	cat "$1.jsonl" >> "$results"
}

# Strikes what boot $1 has a result of from the list of what is left.
strike()
{
	sed -n 's/^{"subject":"\([^"]*\)","check":"\([^"]*\)".*/\1\/\2/p' "$1.jsonl" |
		sort > "$1.done"
	grep -vxFf "$1.done" "$left" > "$left.new" || :
	mv "$left.new" "$left"
}

# A line for each subject that comes to its turn.
show_progress()
{
	awk '/^# begins/ {
		subject = $3
		sub("/.*", "", subject)
		if (subject != last)
			print "judging " subject
		last = subject
		fflush()
	}'
}

# The quick form leaves out what 6.12 lacks (idle page tracking, device memory), what the
# negative control prevents, which holds its pages, or shows by chance only, and a hang that
# takes all of its limit.
not_quick="*/aging|hmm/@(exclusive|device-memory*)|kvm/slot-prefault"
not_quick+="|secmmu-broken/@(collapse|large-small-*|file-collapsed|migrate|swap*|stays-*|*-busy)"

# SUBJECT/CHECK of all checks of subject $1 that CHECK, a list of patterns, names.
plan_subject()
{
	local patterns pattern pair

	read -ra patterns <<< "${CHECK:-*}"
	for pattern in "${patterns[@]}"; do
		"$BUILD/judge/secmmu-judge" --plan --subject "$1" --check "$pattern"
	done | awk '!seen[$0]++' | while read -r pair; do
		# shellcheck disable=SC2053 # a pattern
		[[ $quick && $pair == @($not_quick) ]] || echo "$pair"
	done
}

# Group $1, whose files have number $2 in their names.
run_group()
{
	local kernel=${1%%|*} rest=${1#*|} testvm name path options=() boot log status before subject slow
	local left=$out/left-$2 results=$out/results-$2 boot_began limit=$timeout
	testvm=${rest%|*}

	: > "$results"
	say "kernel $kernel:${group_subjects[$1]}"
	"$top/testvm/kernels/kernel.sh" --arch "$arch" "$kernel" > /dev/null
	options=(--load zram ${JUDGE_APPEND:+--append "$JUDGE_APPEND"})
	for name in ${group_load[$1]}; do
		options+=(--load "$name")
	done
	for name in $(modules_of "$1"); do
		path=$name
		[ "$name:${JUDGE_HMM:+there}" != hmm:there ] || path=$JUDGE_HMM
		[[ $path = */* ]] || path=$("$top/testvm/kernels/module.sh" --arch "$arch" "$kernel" "$name")
		options+=(--module "$path")
	done
	slow=$(slow_kernel "$kernel")
	for subject in ${group_subjects[$1]}; do
		plan_subject "$subject"
		[ ! "${STORM-}" ] || echo "$subject/storm"
	done > "$left"
	if [ "${STORM-}" ]; then
		limit=$((timeout + (STORM + longer) * $(wc -w <<< "${group_subjects[$1]}")))
	fi
	for ((boot = 1; boot <= most_boots; boot++)); do
		before=$(wc -l < "$left")
		[ "$before" -gt 0 ] || break
		log=$out/vm-$2-$boot boot_began=$SECONDS
		# shellcheck disable=SC2046,SC2086 # lists of words
		SECMMU_KERNEL=$kernel$suffix SECMMU_SEED=${SEED-} SECMMU_TEST_SLOW=$slow SECMMU_REPEAT=$repeat \
			"$BUILD/testvm/testvm" --quiet --arch "$arch" --nodes 2 \
			--kernel "${JUDGE_BOOT:-$kernel}" --cpus 2 --memory 2048 --timeout $((limit * slow)) --root "$out/root" "${options[@]}" \
			$testvm --log "$log.console" -- \
			judge-guest.sh "${STORM:-0}" $(cat "$left") 2> "$log.err" |
			tee "$log" | show_progress
		status=${PIPESTATUS[0]}
		collect "$log" "$status" "$kernel$suffix"
		strike "$log"
		echo "kernel $kernel,${group_subjects[$1]}, boot $boot: $((before - $(wc -l < "$left"))) of $before verdicts"
		[ "$status" != 123 ] || : > "$out/frozen-$2"
		if [ "$(wc -l < "$left")" = "$before" ]; then
			tail -n 20 "$log.err" >&2
			break
		fi
	done
	if [ -s "$left" ]; then
		echo "not ok - no verdict on: $(tr '\n' ' ' < "$left")"
		return
	fi
	: > "$out/whole-$2"
}

# --- The whole ------------------------------------------------------------------------

build_tools testvm judge ${STORM:+vmm}
# This machine's own says what there is.
if [ "$arch" != x86_64 ] &&
   ! flock "$BUILD/build.lock" make -s -C "$top/judge" ARCH=x86_64 >> "$BUILD/judge.log" 2>&1; then
	tail -n 40 "$BUILD/judge.log" >&2
	echo "judge: it does not build; see $BUILD/judge.log" >&2
	exit 2
fi
if [ ! "$subjects" ]; then
	subjects=$("$BUILD/judge/secmmu-judge" --plan --check discard | sed 's|/.*||')
fi
for subject in $subjects; do
	if [ ! "$("$BUILD/judge/secmmu-judge" --plan --subject "$subject")" ]; then
		echo "judge: there is no subject $subject; see secmmu-judge --list" >&2
		exit 2
	fi
done
rm -rf "$out"
mkdir -p "$out/root/usr/bin"
: > "$out/results.jsonl"
cp "$programs/judge/secmmu-judge" "$out/root/usr/bin/"
cp guest.sh "$out/root/usr/bin/judge-guest.sh"
[ ! "${STORM-}" ] || cp "$programs/vmm/secmmu-vmm" "$out/root/usr/bin/"
incomplete=''
make_groups
# Each group in a process group of its own, which an interrupt takes along.
# shellcheck disable=SC2154 # the trap sets it
trap 'for job in $(jobs -p); do kill -TERM -- "-$job"; done; exit 130' INT TERM HUP
set -m
for number in "${!groups[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n || :
	done
	run_group "${groups[$number]}" "$number" < /dev/null &
done
wait
set +m
for number in "${!groups[@]}"; do
	[ -e "$out/whole-$number" ] || incomplete=yes
	cat "$out/results-$number" >> "$out/results.jsonl"
done
status=0
perl report.pl $tap "$out/results.jsonl" expected "$out" || status=$?
[ ! "$incomplete" ] || status=1
# Emulation's mistake is no verdict.
[ "$status" = 0 ] || [ -z "$(find "$out" -maxdepth 1 -name 'frozen-*')" ] || status=123
exit "$status"
