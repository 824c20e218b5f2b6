#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make judge-sensitivity: take fixes of the kernel back, and see what the judge sees.
set -eu
# common.sh takes its caller's folder for one below the top.
root=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$root/build}
# shellcheck source=check/common.sh
. "$root/check/common.sh"
top=$root

usage()
{
	cat <<END
usage: sensitivity.sh [--kernels] [--out DIR] [FIX...]
A FIX is the name of a file in judge/sensitivity/patches/ (default: all that are in a module). For
each, the module that it changes is built twice from the kernel's source: as it is, the control,
and with the fix taken back. The judge runs the checks that the file names against both, in test
VMs. For a fix in the kernel itself a kernel is built (the first takes ten minutes, the next a few);
--kernels names all of these, too. Results go to DIR, build/sensitivity/out by default:
matrix.txt, matrix.json, index.html; results of fixes that are not named stay.

In the environment: CHECK, patterns of checks to run instead of those that are named; STORM,
seconds of a storm behind the checks (default: none).

The exit status is 0 if each control is as judge/expected records it, and each fix is seen but those
whose patches say why they are not; 1 if one is not, 2 if nothing was run.
END
}

here=$top/judge/sensitivity out=$BUILD/sensitivity/out kernels=''
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--kernels) kernels=yes ;;
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
# Line $2 of the header of fix $1.
header()
{
	sed -n "/^--- /q; s/^$2: *//p" "$here/patches/$1.patch"
}

if [ $# -eq 0 ]; then
	for file in "$here"/patches/*.patch; do
		fix=$(basename "$file" .patch)
		if [ "$kernels" ] || [ "$(header "$fix" Source)" != kernel ]; then
			set -- "$@" "$fix"
		fi
	done
fi
for fix; do
	if [ ! -e "$here/patches/$fix.patch" ]; then
		echo "sensitivity: there is no $fix in judge/sensitivity/patches/" >&2
		exit 2
	fi
done

# Runs the judge for fix $1 on kernel $2, with the modules in folder $3, or the kernel there (or the
# kernel's own); results go to $4.jsonl. What the judge thinks of them is report.pl's to say.
run_judge()
{
	local pairs subject checks='' boot='' hmm=''

	pairs=$(header "$1" Checks)
	subject=${pairs%%/*}
	for pair in $pairs; do
		[ "${pair#*/}" = storm ] || checks+=" ${pair#*/}"
	done
	case $(header "$1" Source) in
	hmm) hmm=$3/test_hmm_peer.ko ;;
	own) ;;
	kernel) boot=$3 ;;
	*)
		boot=$4.kernel
		"$here/replace.sh" "$2" "$3" "$boot"
		;;
	esac
	SUBJECT=$subject CHECK=${CHECK:-$checks} KERNEL=$2 JUDGE_BOOT=$boot JUDGE_HMM=$hmm \
		JUDGE_APPEND=$(header "$1" Append) "$top/judge/judge.sh" --out "$4.run" \
		> "$4.log" 2>&1 || :
	if [ ! -s "$4.run/results.jsonl" ]; then
		tail -n 20 "$4.log" >&2
		echo "sensitivity: the judge has no result" >&2
		return 1
	fi
	cp "$4.run/results.jsonl" "$4.jsonl"
}

# Both runs of fix $1, beside each other.
try_fix()
{
	local kernel control source patched='' unpatched='' first=0 second=0

	kernel=$(header "$1" Kernel)
	control=$(header "$1" Control)
	source=$(header "$1" Source)
	case $source in
	own) ;;
	kernel)
		say "$1: building $kernel with the fix taken back"
		patched=$("$top/testvm/kernels/kernel.sh" --patch "$here/patches/$1.patch" "$kernel") ||
			return 1
		;;
	*)
		say "$1: building $source for $kernel, and with the fix taken back"
		unpatched=$("$here/build.sh" "$kernel" "$source") || return 1
		patched=$("$here/build.sh" "$kernel" "$source" "$here/patches/$1.patch") || return 1
		;;
	esac
	rm -rf "$out/$1".*
	say "$1: control on ${control:-$kernel}, fix taken back on $kernel"
	run_judge "$1" "${control:-$kernel}" "$unpatched" "$out/$1.control" < /dev/null &
	first=$!
	run_judge "$1" "$kernel" "$patched" "$out/$1.reverted" < /dev/null &
	second=$!
	wait "$first" || first=failed
	wait "$second" || second=failed
	[ "$first" != failed ] && [ "$second" != failed ]
}

own_folder "$out"
mkdir -p "$out"
failed=''
# Each run in a process group of its own, which an interrupt takes along.
# shellcheck disable=SC2154 # the trap sets it
trap 'for job in $(jobs -p); do kill -TERM -- "-$job"; done; exit 130' INT TERM HUP
set -m
for fix; do
	try_fix "$fix" || failed=yes
done
set +m
status=0
perl "$here/report.pl" "$here/patches" "$top/judge/expected" "$out" || status=$?
[ ! "$failed" ] || [ "$status" -ne 0 ] || status=1
exit "$status"
