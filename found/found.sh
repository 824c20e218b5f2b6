#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make found: run the reproducers of found/ and compare what comes out with found/recorded.
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: found.sh [--out DIR]
Boots a test VM for each line of found/recorded, runs the reproducer there and prints its
last line, in the order in which they end. Logs and results go to DIR, build/found/out by default.

In the environment:
  BUG      names, as in found/recorded; default: all
  KERNEL   only lines of this kernel
  JOBS     how many VMs run at a time; default: 2
The exit status is 0 if each result is as recorded, 1 if one is not, 2 if one could not be
tried.
END
}

out=$BUILD/found/out jobs=${JOBS:-2}
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		out=$2
		shift
		;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

# The lines that were asked for, as words: BUG KERNEL RESULT MODULES.
wanted()
{
	sed 's/ *#.*//; s/|/ /g; /^ *$/d' "$top/found/recorded" |
		while read -r bug kernel recorded modules; do
			[[ ! "${BUG-}" || " $BUG " = *" $bug "* ]] || continue
			[ "${KERNEL:-$kernel}" = "$kernel" ] || continue
			echo "$bug $kernel $recorded $modules"
		done
}

# What testvm needs for a word of the column of modules: sets boot, and adds to options.
want_module()
{
	local kernel=$1 word=$2 subject=${2%-fixed} name path folder load='' modules=''

	case $word in
	hmm-fixed) modules=$word ;;
	mmu_notifier-fixed)
		boot=$("$top/testvm/kernels/kernel.sh" --patch \
			"$top/found/patches/mmu_notifier-refused-start.patch" "$kernel")
		return
		;;
	*/*) modules=$top/$word ;;
	*)
		# shellcheck disable=SC1090 # one of several
		. "$top/judge/subjects/$subject.conf"
		;;
	esac
	for name in $load; do
		options+=(--load "$name")
	done
	for name in $modules; do
		path=$("$top/testvm/kernels/module.sh" "$kernel" "$name") || return 2
		options+=(--module "$path")
	done
	case $word in
	hmm-fixed) ;;
	*-fixed)
		folder=$("$top/judge/sensitivity/build.sh" "$kernel" "$subject" \
			"$top/found/patches/$subject"-*.patch) || return 2
		boot=$log.kernel
		"$top/judge/sensitivity/replace.sh" "$kernel" "$folder" "$boot" || return 2
		;;
	esac
}

# What the kernel may say of a bug that shows: a process that cannot end, and where it stands,
# or the oops that the bug is.
may_say()
{
	printf '%s' 'BUG: a process survives SIGKILL\|Call Trace:'
	case $1 in
	hmm-device-page) printf '%s' '\|BUG: unable to handle page fault\|Oops:\|Modules linked in:' ;;
	esac
}

# One line: boot, run, say what came out.
try_bug()
{
	local bug=$1 kernel=$2 recorded=$3 word boot=$2 options=(--load zram) log status=0
	shift 3
	log=$out/$bug-$kernel${*:+-$(echo "$*" | tr ' /' '-.')}
	for word in "$@"; do
		want_module "$kernel" "$word" || return 2
	done
	"$BUILD/testvm/testvm" --quiet --kernel "$boot" --cpus 2 --memory 1024 \
		--root "$out/root" "${options[@]}" --out "$log.results" --log "$log.console" -- \
		"$bug" --recorded "$recorded" > "$log.log" 2>&1 || status=$?
	echo "$kernel${*:+ ($*)}, $recorded is recorded:"
	last_boot "$log.log" | grep '^found: ' || { tail -n 5 "$log.log"; return 2; }
	if [ "$status" = 125 ] && grep -q '^found: .*: shown: ' "$log.log" &&
	   ! grep '^testvm: kernel: ' "$log.log" | grep -vq "$(may_say "$bug")"; then
		status=0
		[ "$recorded" = shown ] || status=1
	fi
	return "$status"
}

case $jobs in
[1-9]) ;;
*) echo "found: JOBS is a number from 1 to 9, not \"$jobs\"" >&2; exit 2 ;;
esac
[ ! "${KERNEL-}" ] || need_kernel "$KERNEL"
bugs=$(sed 's/ *#.*//; s/ *|.*//; /^ *$/d' "$top/found/recorded" | sort -u | tr '\n' ' ')
for bug in ${BUG-}; do
	need_word BUG "$bug" "$bugs"
done
lines=$(wanted)
if [ ! "$lines" ]; then
	echo "found: no such bug or kernel in found/recorded" >&2
	exit 2
fi
own_folder "$out"
build_tools testvm judge found
rm -rf "$out"
mkdir -p "$out/root/usr/bin"
find "$BUILD/found/bin" "$BUILD/judge/secmmu-judge" -type f -executable \
	-exec cp {} "$out/root/usr/bin/" \;
# One line, in a job of its own; what came out is printed as a whole.
run_line()
{
	local status=0 said

	said=$(try_bug "$@" < /dev/null 2>&1) || status=$?
	case $status in
	0 | 1) ;;
	*) said+=$'\n'"  status $status: see $out/$1-$2*" ;;
	esac
	echo "$said"
	echo "$status" >> "$out/statuses"
}

# How many lines ended with a status that matches $1.
count_lines()
{
	grep -c "$1" "$out/statuses" || :
}

: > "$out/statuses"
# Each in a process group of its own, which an interrupt takes along.
# shellcheck disable=SC2154 # the trap sets it
trap 'for job in $(jobs -p); do kill -TERM -- "-$job"; done; exit 130' INT TERM HUP
set -m
while read -r bug kernel recorded modules; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n || :
	done
	# shellcheck disable=SC2086 # a list of names
	run_line "$bug" "$kernel" "$recorded" $modules &
done <<< "$lines"
wait
set +m
broken=$(count_lines '^[^01]\|^..')
echo "found: $(count_lines '^0$') as recorded, $(count_lines '^1$') not, $broken could not be tried;" \
	"logs in $out"
[ "$broken" = 0 ] || exit 2
[ "$(count_lines '^0$')" = "$(wc -l <<< "$lines")" ]
