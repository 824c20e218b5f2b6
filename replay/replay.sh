#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make replay: run a deterministic test VM again that testvm --record has kept, and look at
# it without changing it.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"
# shellcheck source=replay/symbols.sh
. "$top/replay/symbols.sh"

usage()
{
	cat <<END
usage: replay.sh [OPTION]... DIR
Repeats the run that DIR has (testvm --record), and tells whether its digests are the same
and, if not, where the runs part.
  --times N         do so N times
  --break PLACE     tell when that is passed: a function of the driver or the kernel, or
                    FILE:LINE of the driver; repeatable
  --at BLOCK        from this block of code on (default: with --break, where the schedule
                    began that showed something wrong). The numbers are those of digests
  --gdb             stop the machine, and start gdb with the symbols of kernel, driver and
                    program: at PLACE, else at BLOCK, else where the program saw that
                    something is wrong, else where the kernel complained. Needs gdb
  --commands FILE   with --gdb: have gdb run these commands, and nothing else
  --trace FILE      write the driver's tracepoints of the last moments before the failure
Exit status 0: the same digests, or gdb was there; 1: others; 2 or more: no result.
END
}

wrong_usage()
{
	[ ! "${1-}" ] || echo "replay: $1" >&2
	usage >&2
	exit 2
}

fail()
{
	echo "replay: $*" >&2
	exit 3
}

run='' times=1 at='' gdb='' commands='' trace='' places=()
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--gdb) gdb=1; shift; continue ;;
	--times | --break | --at | --commands | --trace)
		[ $# -gt 1 ] || wrong_usage "$1 takes an argument"
		;;
	-*) wrong_usage "what is $1?" ;;
	*) [ ! "$run" ] || wrong_usage; run=$1; shift; continue ;;
	esac
	case $1 in
	--times) times=$2 ;;
	--break) places+=("$2") ;;
	--at) at=$2 ;;
	--commands) commands=$(realpath "$2") ;;
	--trace) trace=$(realpath -m "$2") ;;
	esac
	shift 2
done
[ "$run" ] || wrong_usage "which run? RUN=DIR"
[[ $times =~ ^[1-9][0-9]*$ ]] || wrong_usage "--times takes a number, not '$times'"
[[ $at =~ ^([1-9][0-9]*)?$ ]] || wrong_usage "--at takes a number, not '$at'"
[ ! "$commands" ] || [ "$gdb" ] || wrong_usage "--commands needs --gdb"
for file in options initramfs digest console; do
	[ -r "$run/$file" ] || fail "$run has no recorded run: $file is missing"
done
run=$(realpath "$run")
mapfile -t options < "$run/options"
kernel=${options[1]}
cache=${SECMMU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/secmmu}
[ "$gdb" ] && more=gdb || more=
mkdir -p "$BUILD"
(PACKAGES="${PACKAGES-} $more" build_tools testvm) > "$BUILD/replay.log" || {
	cat "$BUILD/replay.log" >&2
	exit 3
}
can_repeat || fail "without QEMU 10 no run repeats itself, run: testvm/emulator/qemu.sh"
work=$(mktemp -d)
vm=
# The folder of a VM is removed by its own guard.
trap '[ ! "$vm" ] || { kill "$vm"; wait "$vm" || :; } 2> /dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
initramfs=$run/initramfs

# with_schedule WORDS: sets words to the recorded options, and these arguments of the plugin.
with_schedule()
{
	local i found=

	words=("${options[@]}")
	for ((i = 0; i + 1 < ${#words[@]}; i++)); do
		if [ "${words[i]}" = --schedule ]; then
			words[i + 1]+=,$1
			found=1
		fi
	done
	[ "$found" ] || words+=(--schedule "$1")
}

# boot NAME OPTION...: in the background, with options of testvm.
boot()
{
	"$BUILD/testvm/testvm" --quiet "${words[@]}" --initramfs "$initramfs" \
		--digest "$work/$1.digest" --log "$work/$1.console" "${@:2}" \
		> "$work/$1.said" 2>&1 &
	vm=$!
}

# The number of the last block of digest $1; its last line may be half a line.
last_block()
{
	awk '{ n = $1 ~ /^[0-9]/ ? $1 : $1 == "schedule" ? $3 : $2 } n > last { last = n }
		END { print last + 0 }' "$1" 2> /dev/null || echo 0
}

# Wait until the VM has ended, or the file $2 has a line that it stopped; tell how far it is.
wait_for()
{
	local name=$1 notes=${2-} total told=$SECONDS

	total=$(last_block "$run/digest")
	while kill -0 "$vm" 2> /dev/null; do
		if [ "$notes" ] && grep -q '^stopped' "$notes" 2> /dev/null; then
			return
		fi
		sleep 0.2
		if [ $((SECONDS - told)) -ge 10 ]; then
			told=$SECONDS
			say "block $(last_block "$work/$name.digest") of $total"
		fi
	done
	status=0
	wait "$vm" || status=$?
	vm=
	[ "$status" != 126 ] || { cat "$work/$name.said" >&2; fail "nothing was run"; }
}

# What the plugin has noted, with the driver's lines of code where they are known.
tell_notes()
{
	local block cpu address text

	text=$(driver_sections | sed -n 's/.*\.text \(0x[0-9a-f]*\).*/\1/p')
	grep -c '^at' "$1" | sed 's/^/passed so many times: /'
	grep '^at' "$1" | tail -n 40 | while read -r _ block cpu address; do
		printf 'block %s, CPU %s, %s' "$block" "$cpu" "${name_of[$address]}"
		[ ! "$driver" ] || addr2line -j .text -e "$driver" \
			"$(printf '%x' $((0x$address - text)))" 2> /dev/null |
			sed -n '/?/!s/.*\/\(driver\/[^ ]*\).*/ (\1)/p' | tr -d '\n'
		echo
	done
}

# Sets plugin to what it is to notice.
choose_places()
{
	local name address how=at

	plugin=
	unpack_programs
	declare -gA name_of=()
	if [ ${#places[@]} -gt 0 ]; then
		# Where the schedule began that went wrong, if there are schedules.
		at=${at:-$(awk '$1 == "schedule" { begin = last; last = $3 }
			$1 == "wrong" { print begin; exit }' "$run/digest")}
	elif [ "$at" ]; then
		how=block
	elif grep -q '^wrong' "$run/digest"; then
		how=wrong
	else
		say 'nothing says where it went wrong; looking where the kernel complains'
		places=(__warn panic oops_enter kasan_report print_address_description)
	fi
	for name in "${places[@]}"; do
		for address in $(addresses_of "$name"); do
			name_of[$address]=$name
			plugin+=,at=$address
		done
	done
	[ ${#places[@]} = 0 ] || [ "$plugin" ] ||
		fail "neither driver nor kernel has ${places[*]}; of a function that is inlined, name a line"
	plugin=notes=$work/notes${at:+,from=$at}$plugin
	[ "$gdb" ] || return 0
	plugin+=,stop=$how
	# Before the VM is there.
	find_map > "$work/map"
}

debug()
{
	local block cpu

	: > "$work/notes"
	with_schedule "$plugin"
	boot gdb --gdb "$work/socket"
	wait_for gdb "$work/notes"
	if [ ! "$vm" ]; then
		"$top/replay/digests.pl" "$run/digest" "$work/gdb.digest" || :
		fail "the run ended, with status $status, and did not come to that place"
	fi
	read -r _ block cpu < <(grep '^stopped' "$work/notes")
	say "stopped behind block $block, on CPU $cpu"
	{
		printf 'set confirm off\nset pagination off\nset architecture i386:x86-64\n'
		printf 'set filename-display basename\n'
		symbol_commands
		printf 'target remote %s\nthread %d\n' "$work/socket" $((cpu + 1))
		[ ! "$commands" ] || cat "$commands"
	} > "$work/gdb.commands"
	# Their sources are named as they were built, below the top.
	(cd "$top" && gdb -q -nx ${commands:+-batch} -x "$work/gdb.commands")
}

# The guest writes tracepoints down if it was asked to when the run was recorded.
choose_trace()
{
	if cpio -t --quiet < "$initramfs" | grep -qx testvm/trace; then
		return
	fi
	say 'the run was recorded without tracepoints: with them it is another one'
	mkdir -p "$work/more/testvm"
	touch "$work/more/testvm/trace" "$work/more/testvm/want-out"
	{
		cat "$run/initramfs"
		(cd "$work/more" && find . -type f | cpio -o -H newc --quiet)
	} > "$work/initramfs"
	initramfs=$work/initramfs
}

replay()
{
	local same=0

	words=("${options[@]}")
	[ ! "${plugin-}" ] || { : > "$work/notes"; with_schedule "$plugin"; }
	rm -rf "$work/files"
	boot again ${trace:+--out "$work/files"}
	wait_for again
	echo "status $status"
	"$top/replay/digests.pl" "$run/digest" "$work/again.digest" || same=1
	[ ! "${plugin-}" ] || tell_notes "$work/notes"
	return $same
}

[ ! "$gdb$at${places[*]-}" ] || choose_places
if [ "$gdb" ]; then
	debug
	exit
fi
[ ! "$trace" ] || choose_trace
differ=0
for ((n = 0; n < times; n++)); do
	replay || differ=1
done
if [ "$trace" ]; then
	[ -s "$work/files/trace" ] || fail "the run left no trace; status $status"
	cp "$work/files/trace" "$trace"
	say "the tracepoints are in $trace"
fi
exit $differ
