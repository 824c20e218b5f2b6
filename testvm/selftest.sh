#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: selftest.sh [WORD...]
# Tests of testvm itself: what it must report, and what it must leave behind
# (nothing). BUILD is the build folder, KERNEL the kernel to boot (6.1). With
# words as arguments, only tests with one of them in their name are run.

set -eu

case ${1-} in
[!-]* | '') ;;
--help) sed -n '4,7s/^# //p' "$0"; exit 0 ;;
*) sed -n '4s/^# //p' "$0" >&2; exit 2 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
testvm=$(cd "$build/testvm" && pwd)/testvm
kernel=${KERNEL:-6.1}
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
passed=0 failed=0 skipped=0

vm()
{
	"$testvm" --quiet --kernel "$kernel" --accel tcg --cpus 1 --timeout 60 \
		--log "$temp/log" "$@" 2>"$temp/err"
}

# expect STATUS COMMAND...: true if it ends with that status.
expect()
{
	local want=$1 got=0

	shift
	"$@" || got=$?
	[ "$got" -eq "$want" ] && return
	printf '# status %s, expected %s\n' "$got" "$want"
	[ ! -s "$temp/err" ] || sed 's/^/#   /' "$temp/err"
	return 1
}

# says TEXT: true if stderr of the last VM has it.
says()
{
	grep -qF -- "$1" "$temp/err" && return
	printf '# stderr lacks "%s":\n' "$1"
	sed 's/^/#   /' "$temp/err"
	return 1
}

# Is a VM of the run folder $1 left? Looks at programs, not at names in the
# command lines of anything else.
vm_left()
{
	local exe

	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
		*/qemu-system-*) ;;
		*) continue ;;
		esac
		if tr '\0' ' ' <"${exe%/exe}/cmdline" 2>/dev/null |
				grep -qF "$1/"; then
			return 0
		fi
	done
	return 1
}

# run_folder PID: waits for the VM of testvm PID and prints its run folder.
run_folder()
{
	local lock

	for _ in $(seq 200); do
		for lock in /tmp/smv??????/lock; do
			if [ -n "$(find "/proc/$1/fd" -lname "$lock" 2>/dev/null)" ] &&
			   vm_left "${lock%/lock}"; then
				printf '%s\n' "${lock%/lock}"
				return
			fi
		done
		sleep 0.1
	done
	return 1
}

# Starts a VM that would run for long; sets $pid and $folder.
start_long()
{
	# Not through vm(): the signal must reach testvm, not a shell.
	"$testvm" --quiet --kernel "$kernel" --accel tcg --cpus 1 --timeout 60 \
		--log "$temp/log" sleep 1000 >"$temp/out" 2>"$temp/err" &
	pid=$!
	folder=$(run_folder "$pid") && return
	printf '# no VM was started\n'
	kill -9 "$pid"
	return 1
}

gone()
{
	if vm_left "$folder" || [ -e "$folder" ]; then
		printf '# %s is still there\n' "$folder"
		return 1
	fi
}

test_status_zero()
{
	expect 0 vm sh -c 'echo out; echo err >&2; uname -r' >"$temp/out" &&
		[ "$(sed -n 1,2p "$temp/out")" = "$(printf 'out\nerr')" ] &&
		[ ! -s "$temp/err" ]
}

test_status_other()
{
	expect 3 vm sh -c 'exit 3'
}

test_status_signal()
{
	# shellcheck disable=SC2016
	expect 139 vm sh -c 'kill -SEGV $$'
}

test_command_not_found()
{
	expect 127 vm no-such-program >"$temp/out" &&
		grep -q no-such-program "$temp/out"
}

test_arguments_are_exact()
{
	# shellcheck disable=SC2016
	SECMMU_SELFTEST='a  b' expect 0 vm --append secmmu.selftest=1 -- sh -c \
		'printf "[%s]" "$SECMMU_SELFTEST" "$@"; printf "\r\n\001\377"' \
		x 'two  words' '' "quote's" '--log' >"$temp/out" &&
	printf '[a  b][two  words][][quote'\''s][--log]\r\n\001\377' |
		cmp - "$temp/out"
}

test_root_and_files_back()
{
	local folder=$temp/back

	mkdir -p "$temp/tree/opt/deep"
	head -c 1000000 /dev/urandom >"$temp/tree/opt/deep/data"
	ln -s deep/data "$temp/tree/opt/link"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nmkdir -p $OUT/a/b && cp /opt/link $OUT/a/b/copy &&
		ln -s /etc/passwd $OUT/link && chmod 700 $OUT/a/b/copy\n' \
		>"$temp/tree/opt/run"
	chmod 755 "$temp/tree/opt/run"
	expect 0 vm --root "$temp/tree" --out "$folder" /opt/run &&
		cmp "$temp/tree/opt/deep/data" "$folder/a/b/copy" &&
		[ -x "$folder/a/b/copy" ] && [ ! -L "$folder/link" ]
}

test_kvm_opens()
{
	expect 0 vm sh -c 'exec 3<>/dev/kvm'
}

test_kernel_warning()
{
	expect 125 vm sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at test" >/dev/kmsg' &&
		says 'WARNING: CPU: 0 PID: 1 at test' && says "$temp/log"
}

# What the drivers of the three IOMMUs say when a device reaches for what it may not.
test_device_fault()
{
	local line

	while read -r line; do
		# shellcheck disable=SC2016
		expect 125 vm sh -c 'echo "<3>$1" >/dev/kmsg' x "$line" && says "$line" || return
	done <<-END
	DMAR: DRHD: handling fault status reg 2
	e1000 0000:00:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0001]
	virtio_iommu virtio0: page fault from EP 128 at 0x1000 [R]
	END
}

# Those of a kernel that has their drivers find them, and the card is alone in its group.
test_iommus()
{
	local model

	[ "$kernel" = 7.3 ] || return 2
	for model in intel amd virtio; do
		# shellcheck disable=SC2016
		expect 0 vm --timeout 300 --iommu $model --device e1000 --device e1000 sh -c '
			for card in 10 11; do
				card=/sys/bus/pci/devices/0000:00:$card.0
				test "$(cat $card/vendor)" = 0x8086 &&
					test "$(ls $card/iommu_group/devices | wc -l)" = 1 || exit
			done' || return
	done
}

test_nodes()
{
	# shellcheck disable=SC2016
	expect 0 vm --nodes 2 --cpus 3 sh -c '
		cd /sys/devices/system/node
		test "$(cat online) $(cat node0/cpulist) $(cat node1/cpulist)" = "0-1 0-1 2"' &&
		expect 0 vm --nodes 2 --cpus 1 test -e /sys/devices/system/node/node1
}

test_panic()
{
	expect 125 vm sh -c 'echo c >/proc/sysrq-trigger' &&
		says 'Kernel panic'
}

test_power_off_without_token()
{
	expect 125 vm sh -c 'poweroff -f; sleep 10' && says 'without saying'
}

# A kernel that dies as emulation sometimes makes it die.
test_stale_code_starts_over()
{
	expect 123 vm --append 'rdinit=/no "x=int3: 0000 [#1]"' true &&
		[ "$(grep -c 'starting over' "$temp/err")" -eq 2 ]
}

test_leftover_processes()
{
	expect 0 vm sh -c '(trap "" TERM HUP; sleep 1000) & setsid sleep 1000 & :'
}

test_timeout()
{
	expect 124 vm --cpus 4 --timeout 12 sleep 1000 && says 'within 12 s' &&
		[ "$(grep -c 'RIP=' "$temp/log")" -eq 4 ]
}

# A CPU that runs a breakpoint which is gone is the emulation's mistake, and the run is
# repeated; one that loops in another way is not.
repeats()
{
	"$here/emulator/qemu.sh" >/dev/null 2>&1
}

# digest NAME OPTION...: what a run of an everyday command was, into $temp/NAME.
digest()
{
	local name=$1

	shift
	# shellcheck disable=SC2016
	expect 0 vm --deterministic --digest "$temp/$name" "$@" -- sh -c \
		'for i in 1 2 3 4; do head -c 99999 /dev/urandom | md5sum & done; wait' \
		>"$temp/$name.out" && cp "$temp/log" "$temp/$name.log"
}

# Once on a host that is busy, and once on one that may not be.
test_deterministic_repeats()
{
	local busy1 busy2 status=0

	repeats || return 2
	digest first || return
	while :; do :; done &
	busy1=$!
	while :; do :; done &
	busy2=$!
	digest second || status=$?
	kill $busy1 $busy2
	wait $busy1 $busy2 || :
	[ $status = 0 ] && grep -q '^over ' "$temp/first" || return 1
	cmp "$temp/first" "$temp/second" && cmp "$temp/first.log" "$temp/second.log" &&
		cmp "$temp/first.out" "$temp/second.out"
}

# The policies by themselves, on the host.
test_schedule_policies()
{
	"$build/testvm/policy_test"
}

# Another seed is another run.
test_deterministic_differs()
{
	repeats || return 2
	digest first && digest second --deterministic=2 &&
		! cmp -s "$temp/first" "$temp/second" &&
		! cmp -s "$temp/first.out" "$temp/second.out"
}

# So is another schedule.
test_deterministic_schedule()
{
	repeats || return 2
	digest first && digest second \
		--schedule policy=random,period=1000,range=ffffffff81000000-ffffffff82000000 &&
		! cmp -s "$temp/first" "$temp/second"
}

# What is recorded makes the same run again; another seed does not.
test_deterministic_recorded()
{
	local record=$temp/record replay=$here/../replay/replay.sh

	repeats || return 2
	expect 3 "$testvm" --quiet --kernel "$kernel" --deterministic=5 --timeout 60 \
		--record "$record" -- sh -c 'echo one; exit 3' 2>"$temp/err" >"$temp/out" &&
		says "make replay RUN=$record" || return
	expect 0 "$replay" "$record" >"$temp/out" 2>"$temp/err" &&
		grep -q '^status 3' "$temp/out" && grep -q '^digest equal' "$temp/out" || return
	sed -i 's/^--deterministic=5/--deterministic=6/' "$record/options"
	expect 1 "$replay" "$record" >"$temp/out" 2>"$temp/err" &&
		grep -q '^digest differs: the runs part between blocks ' "$temp/out"
}

# A guest that waits takes no time; its limit is by its own clock.
test_deterministic_timeout()
{
	repeats || return 2
	expect 124 vm --deterministic --timeout 300 sleep 1000 &&
		says 'did not end within 300 s' &&
		grep -q 'sysrq: Show Blocked State' "$temp/log"
}

# Only the machine's own QEMU errs in this way: use a cache without another one.
test_frozen()
{
	local root=${testvm%/*}/root how kernels

	kernels=$(dirname "$("$here/kernels/kernel.sh" "$kernel")") || return
	local -x SECMMU_CACHE=$temp/cache

	command -v qemu-system-x86_64 >/dev/null || return 2
	mkdir -p "$SECMMU_CACHE"
	ln -sfn "$kernels" "$temp/cache/kernels"
	expect 123 vm --retries 1 --timeout 25 --cpus 1 --root "$root" /standstill &&
		[ "$(grep -c 'starting over' "$temp/err")" -eq 1 ] || return
	for how in waits elsewhere; do
		expect 124 vm --timeout 25 --cpus 1 --root "$root" /standstill $how &&
			! grep 'starting over' "$temp/err" && grep -q 'RIP=00000000040000' "$temp/log" || return
	done
}

test_interrupt()
{
	start_long || return
	kill -INT "$pid"
	expect 130 wait "$pid" && gone
}

test_terminate()
{
	start_long || return
	sleep 3
	kill -TERM "$pid"
	expect 143 wait "$pid" && gone
}

# As if the time were up, also for who asks why it stands still.
test_given_up()
{
	start_long || return
	kill -USR1 "$pid"
	expect 124 wait "$pid" && says 'was given up' && gone
}

test_killed()
{
	start_long || return
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	sleep 1
	gone
}

# Guard and owner both killed: only the next run can clean up, and it must
# leave the run of a living one alone.
test_killed_then_swept()
{
	local guard orphan living

	start_long || return
	orphan=$folder
	guard=$(cat "/proc/$pid/task/$pid/children")
	# shellcheck disable=SC2086
	kill -KILL $guard "$pid"
	wait "$pid" 2>/dev/null || :
	vm_left "$orphan" || { printf '# no orphan to sweep\n'; return 1; }
	start_long || return
	living=$folder
	folder=$orphan
	gone || return
	# A third run sweeps, too.
	expect 0 vm true || return
	vm_left "$living" || { printf '# a living VM was swept\n'; return 1; }
	folder=$living
	kill -TERM "$pid"
	expect 143 wait "$pid" && gone
}

test_wrong_options()
{
	local words

	while read -r words; do
		# shellcheck disable=SC2086
		expect 126 vm $words || return
		if [ "$(grep -c . "$temp/err")" -gt 2 ] || [ ! -s "$temp/err" ]; then
			printf '# %s: not one sentence\n' "$words"
			return 1
		fi
	done <<-LIST
	--cpus 0 true
	--cpus 2x true
	--memory -5 true
	--memory 20 true
	--timeout 0 true
	--retries 10 true
	--accel magic true
	--iommu magic true
	--nodes 0 true
	--device magic true
	--no-such-option true
	--kernel 9.9 true
	--kernel /etc/passwd true
	--root /no/such/folder true
	--root /etc/passwd true
	--module /no/such/file true
	--module /etc/passwd true
	--load no-such-module true
	--log /no/such/folder/log true
	--record /tmp/x true
	--gdb /tmp/x true
	--deterministic --record /tmp/x --digest /tmp/y true
	--trace true
	--initramfs /etc/passwd true
	--initramfs /no/such/file
	--append $(head -c 3000 /dev/zero | tr '\0' x) true

	LIST
}

test_module_of_another_kernel()
{
	local other file

	other=6.12
	[ "$kernel" = 6.12 ] && other=6.1
	other=$("$here/kernels/kernel.sh" "$other" 2>/dev/null) || return 2
	file=$(find -L "$other/modules/" -name 'zram.ko*' | head -n 1)
	case $file in
	*.xz) xz -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$temp/zram.ko"
	expect 126 vm --module "$temp/zram.ko" true && says 'built for kernel'
}

test_modules_load()
{
	local folder file

	folder=$("$here/kernels/kernel.sh" "$kernel" 2>/dev/null)
	file=$(find -L "$folder/modules/" -name 'dummy.ko*' | head -n 1)
	case $file in
	*.xz) xz -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$temp/dummy.ko"
	expect 0 vm --load zram --module "$temp/dummy.ko" \
		--append 'dummy.numdummies=3 zram.num_devices=2' \
		sh -c 'test -b /dev/zram1 && test -d /sys/class/net/dummy2'
}

test_two_at_a_time()
{
	local first second

	"$testvm" -q --kernel "$kernel" --accel tcg --cpus 1 sh -c 'exit 5' \
		2>/dev/null &
	first=$!
	"$testvm" -q --kernel "$kernel" --accel tcg --cpus 1 sh -c 'exit 6' \
		2>/dev/null &
	second=$!
	expect 5 wait "$first" && expect 6 wait "$second"
}

test_auto_accelerator()
{
	expect 0 vm --accel auto sh -c 'exec 3<>/dev/kvm'
}

# Boots the debug kernel with those of its modules in /provoke that make bugs, and
# runs a script; it must end badly.
provoke()
{
	local folder

	[ "$kernel" = debug ] || return 2
	folder=$("$here/kernels/kernel.sh" debug 2>/dev/null) || return
	mkdir -p "$temp/bugs/provoke"
	find -L "$folder/modules/" \( -name lkdtm.ko -o -name kmemleak-test.ko \) \
		-exec cp {} "$temp/bugs/provoke" \;
	expect 125 vm --timeout 240 --root "$temp/bugs" sh -c "cd /provoke; $1"
}

# An object leaks; a lock is still held on the way back to user space, after which
# lockdep is off, and the process sleeps with it; a freed object is written to (last, for
# KASAN turns lockdep off, too). All in one boot, which takes long.
test_debug_bugs()
{
	provoke 'insmod ./kmemleak-test.ko; rmmod kmemleak-test; insmod ./lkdtm.ko
		(echo SPINLOCKUP >/sys/kernel/debug/provoke-crash/DIRECT)
		echo WRITE_AFTER_FREE >/sys/kernel/debug/provoke-crash/DIRECT' || return
	says 'scheduling while atomic' || says 'sleeping function called' || return
	says 'lock held when returning to user space' &&
		says 'KASAN: slab-use-after-free' &&
		says 'BUG: lockdep does not watch' &&
		says 'BUG: leak: unreferenced object'
}

# Boots a kernel and has it say what KCSAN says of a race, all but the last $3 lines
# of it; the module of the caller of one function is $1, that of the other function $2,
# and the driver was interrupted by that one; $4 is the module of the first function.
report_race()
{
	local rule

	rule=$(printf '%066d' 0 | tr 0 =)
	printf '%s\n' "$rule" "BUG: KCSAN: data-race in one / two$2" \
		"write to 0x1 of 8 bytes by task 1 on cpu 0:" " one+0x1/0x2${4-}" \
		" above+0x1/0x2$1" "read to 0x1 of 8 bytes by task 2 on cpu 1:" \
		" two+0x1/0x2$2" " asm_interrupt+0x1/0x2" " three+0x1/0x2 [secmmu]" \
		"" "value changed: 0x1 -> 0x2" "$rule" |
		head -n "-$3" >"$temp/tree/report"
	# shellcheck disable=SC2016
	vm --root "$temp/tree" sh -c \
		'while read -r line; do echo "<3>$line" >/dev/kmsg; done </report'
}

test_race_reports()
{
	mkdir -p "$temp/tree"
	expect 0 report_race "" " [other]" 0 &&
		says 'of its own, which do not count: 1' &&
		says '1 data-race in one / two [other]' || return
	expect 125 report_race " [secmmu]" "" 0 &&
		says 'BUG: KCSAN: data-race in one / two' || return
	expect 125 report_race "" " [secmmu]" 0 || return
	# Called by the kernel, on which the driver called.
	expect 0 report_race " [secmmu]" "" 0 " [other]" &&
		says 'of its own, which do not count: 1' || return
	expect 125 report_race " [other]" "" 0 " [secmmu]" || return
	# Nobody knows what else it would have said.
	expect 125 report_race "" " [other]" 1
}

# Two threads race in a test build of the driver until that is noticed.
test_kcsan_planted()
{
	local module

	[ "$kernel" = kcsan ] || return 2
	module=$("$here/kernels/module.sh" kcsan test) || return
	# shellcheck disable=SC2016
	expect 125 vm --timeout 300 --module "$module" sh -c '
		race()
		{
			while :; do
				echo 10000 >/sys/module/secmmu/parameters/planted_race
			done
		}
		race & race &
		for i in $(seq 120); do
			! dmesg | grep "KCSAN: .* planted_set" || exit 0
			sleep 1
		done' && says 'KCSAN: data-race in planted_set [secmmu]'
}

# The kernel has races of its own, if only as long as nobody mends them: one between who
# sleeps and the timer that ends that.
test_kcsan_others()
{
	[ "$kernel" = kcsan ] || return 2
	# shellcheck disable=SC2016
	expect 0 vm --timeout 300 --append kcsan.skip_watch=200 sh -c '
		for i in 1 2 3 4 5 6; do
			while :; do
				usleep 1000
			done &
		done
		for i in $(seq 120); do
			! dmesg | grep "BUG: KCSAN: " || exit 0
			sleep 1
		done
		echo none' >"$temp/out" || return
	! grep -q '^none' "$temp/out" || return 2
	says 'of its own, which do not count' && ! grep 'BUG:' "$temp/err"
}

# run NAME: status 2 of a test means that it could not be tried.
run()
{
	local status=0 begin=$SECONDS

	"test_$1" >"$temp/messages" || status=$?
	case $status in
	0)
		passed=$((passed + 1))
		printf 'ok - %s (%d s)\n' "$1" $((SECONDS - begin))
		;;
	2)
		skipped=$((skipped + 1))
		printf 'ok - %s # SKIP\n' "$1"
		;;
	*)
		failed=$((failed + 1))
		printf 'not ok - %s\n' "$1"
		cat "$temp/messages"
		;;
	esac
}

for name in $(declare -F | sed -n 's/^declare -f test_//p'); do
	if [ $# -gt 0 ]; then
		wanted=no
		for word; do
			case $name in
			*"$word"*) wanted=yes ;;
			esac
		done
		[ $wanted = yes ] || continue
	fi
	run "$name"
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
