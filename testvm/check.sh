#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything "make check" does. Each step prints its results as "ok - ..." and
# "not ok - ..." lines or, for the selftests, in TAP; all are counted, and the last
# line is "N passed, N failed, N skipped". Logs stay in build/check/.
set -euo pipefail
. "$(dirname "$0")/common.sh"

out=$BUILD/check
passed=0 failed=0 skipped=0

# One result.
result()
{
	if [ "$1" = 0 ]; then
		echo "ok - $2"
		passed=$((passed + 1))
	else
		echo "not ok - $2"
		failed=$((failed + 1))
	fi
}

# Run a step, its output in a log; on failure also here.
step()
{
	local name=$1 status=0
	shift
	"$@" > "$out/$name.log" 2>&1 || status=$?
	[ $status = 0 ] || tail -n 60 "$out/$name.log"
	result $status "$name"
}

# Add the results of a step that printed ok and not ok lines. If it failed without
# saying what, that is a failure of its own.
tally()
{
	local name=$1 status=$2 log=$out/$1.log p f s
	p=$(grep -c '^ok ' "$log") || :
	f=$(grep -c '^not ok ' "$log") || :
	s=$(grep -c '^ok .*# SKIP' "$log") || :
	grep '# SKIP' "$log" || :
	if [ "$status" != 0 ] && [ "$f" = 0 ]; then
		tail -n 60 "$log"
		echo "not ok - $name: exit status $status"
		f=1
	fi
	if [ "$p" = 0 ] && [ "$f" = 0 ]; then
		echo "not ok - $name: nothing ran"
		f=1
	fi
	passed=$((passed + p - s)) failed=$((failed + f))
	skipped=$((skipped + s))
	echo "$name: $((p - s)) passed, $f failed, $s skipped"
}

# Run a command with a log, and show results as they come.
show()
{
	local name=$1
	shift
	"$@" 2>&1 | tee "$out/$name.log" |
		{ grep --line-buffered -E '^(ok - |not ok |note: )|^# [a-z]+$' || :; }
}

# Boot a VM: name of the step, kernel, flavour of the driver (or none), command.
# An empty RAM disk is there for tests that need swap space. LIMIT is the time for all.
vm()
{
	local name=$1 kernel=$2 flavour=$3 status=0
	shift 3
	local module=()
	[ "$flavour" = none ] ||
		module=(--module "$BUILD/modules/$kernel-$flavour/driver/secmmu.ko")
	say "$name"
	show "$name" "$BUILD/testvm/testvm" --quiet --kernel "$kernel" \
		--cpus 4 --memory 3072 --timeout "${LIMIT:-420}" --root "$out/root" \
		--load brd --append "brd.rd_nr=1 brd.rd_size=65536" \
		"${module[@]}" --out "$out/$name" \
		--log "$out/$name.console" -- "$@" || status=$?
	tally "$name" $status
}

# The sparse of Debian 12 is too old for the newest sources, which then do without.
module()
{
	case $1 in
	6.*) "$top/testvm/module.sh" --sparse "$1" "$2" ;;
	*) "$top/testvm/module.sh" "$1" "$2" ;;
	esac
}

# A normal build has no test instrument in it. (No grep -q: nm would die of it.)
no_instruments()
{
	local words='mutant|held|hold(s|ing|er)|gate|oracle|inject|test_call'

	! nm "$BUILD/modules/6.1-normal/driver/secmmu.ko" | grep -iE "$words" &&
		nm "$BUILD/modules/6.1-test/driver/secmmu.ko" | grep -iE "$words"
}

# What can fail in the driver's calls can be told to fail: no allocation and no copy
# stands there without its secmmu_may_...() on the same line.
all_can_fail()
{
	local calls='[kv]+[mzc]+alloc(_array)?|alloc_percpu_gfp|zalloc_cpumask_var'
	calls+='|(__get_free|get_zeroed)_page|alloc_page|mem(dup_user|_cache_alloc)'
	calls+='|xa_(store|alloc|insert)|anon_inode_get(fd|file)|get_unused_fd_flags'
	calls+='|get_user|copy_(struct_)?(from|to)_(user|iter)|mmu_notifier_get_locked'

	test "$(grep -cE "secmmu_may_(fail|fault)\\(.*\\<($calls)\\(" \
		"$top"/driver/*.c | awk -F : '{ n += $2 } END { print n }')" -gt 15 &&
		! grep -nE "\\<($calls)\\(" "$top"/driver/*.c |
			grep -vE "secmmu_may_(fail|fault)\\("
}

# The kernel's style. Not applied: comments of locks (ours are kernel-doc of the
# structure), alignment inside tracepoint macros (the kernel's own differ too), BIT()
# in the interface header (user space has none), the argument of a macro that is
# nothing in a normal build, and version checks and their typedefs in driver/compat,
# which is there for them.
checkpatch()
{
	local tree
	tree=$("$top/testvm/kernel.sh" --source 6.12)
	cd "$top"
	perl "$tree/scripts/checkpatch.pl" --no-tree --terse --strict \
		--show-types --no-summary --ignore \
		UNCOMMENTED_DEFINITION,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE,BIT_MACRO,MACRO_ARG_UNUSED \
		-f driver/*.[ch] driver/test/*.[ch] uapi/linux/*.h \
		bench/module/*.[ch] &&
		perl "$tree/scripts/checkpatch.pl" --no-tree --terse --strict \
			--show-types --no-summary --ignore \
			LINUX_VERSION_CODE,CONSTANT_COMPARISON,NEW_TYPEDEFS \
			-f driver/compat/*.h
}

# Every benchmark, as little of it as there can be: it must work, and its results must
# read as JSON. What the times are does not matter.
bench()
{
	local dir=$out/bench-$1 broken=$out/broken.jsonl

	KERNEL=$1 "$top/bench/bench.sh" --tiny --out "$dir" || return
	test -s "$dir/index.html" || return
	find "$dir" -name '*.svg' -size +1k | grep . || return
	sed '$s/"value":[^,]*,//' "$dir/results.jsonl" > "$broken"
	if perl "$top/bench/report.pl" "$broken" "$out"; then
		echo "the report does not miss a value"
		return 1
	fi
}

# The tests of a list file that are not among the words.
left_out()
{
	local name
	while read -r name; do
		case " $1 " in
		*" $name "* | *" $name,"*) ;;
		*) echo "$name" ;;
		esac
	done < "$2"
}

started=$SECONDS
build_tools testvm vmm selftests
rm -rf "$out"
mkdir -p "$out"
make_root "$out/root"
make -s -C "$top/selftests" install DESTDIR="$out/root/usr/lib/secmmu/selftests"

say "kernels"
for kernel in 6.1 6.12 newest debug; do
	status=0
	"$top/testvm/kernel.sh" $kernel > /dev/null || status=$?
	result $status "kernel-$kernel"
done

say "building the modules"
for kernel in 6.1 6.12 newest; do
	step "module-$kernel-normal" module $kernel normal
	step "module-$kernel-bench" module $kernel bench
done
step module-6.1-test module 6.1 test
step module-6.12-test module 6.12 test
step module-newest-test module newest test
step module-debug-test module debug test
step no-instruments no_instruments
step all-can-fail all_can_fail
step checkpatch checkpatch

say "testvm"
# Those on which the verdict of all that follows rests; "make -C testvm check" runs
# the rest too.
status=0
show testvm "$top/testvm/selftest.sh" status_zero status_other kernel_warning \
	panic timeout interrupt killed_then_swept module_of_another \
	root_and_files wrong_options || status=$?
tally testvm $status
status=0
show testvm-debug env KERNEL=debug "$top/testvm/selftest.sh" debug || status=$?
tally testvm-debug $status

say "models"
status=0
show models "$top/testvm/models.sh" || status=$?
tally models $status

lib=/usr/lib/secmmu
vm misuse 6.1 none $lib/misuse.sh
vm selftests-6.1 6.1 normal $lib/selftests/run_tests.sh
vm storm-6.1 6.1 normal $lib/short.sh 10 "--seed 1" \
	"--seed 2 --backing memfd" "--seed 3 --no-mirror"
vm attach-6.1 6.1 normal $lib/attach.sh
cp "$BUILD/modules/6.1-normal/driver/secmmu.ko" "$out/root/usr/lib/secmmu/"
vm reload-6.1 6.1 normal sh -c "$lib/selftests/reload.sh $lib/secmmu.ko 10 &&
	SECMMU_MODULE=$lib/secmmu.ko $lib/selftests/run_tests.sh unload"
vm control-6.1 6.1 test $lib/control.sh
# Only the debug kernel lets things fail by itself.
test_build=$(sed 's/^failnth$/&,-T,G3_kernel_each_fails_once,-T,G3_kernel_nothing_left/' \
	"$out/root$lib/selftests/tests-of-test-build")
# shellcheck disable=SC2086 # a list of names
vm test-build-6.1 6.1 test $lib/selftests/run_tests.sh $test_build \
	concurrency dirtyrace
# With the oracle's judgement at the end.
vm storm-test-build-6.1 6.1 test $lib/short.sh 10 "--seed 6" \
	"--seed 7 --backing memfd"
# Each seeded bug against the test that must notice it.
say mutants-selftest
status=0
show mutants-selftest "$top/testvm/mutants-selftest.sh" || status=$?
tally mutants-selftest $status
say mutants
status=0
show mutants "$top/testvm/mutants.sh" --quick --out "$out/mutants" || status=$?
tally mutants $status
# What does not depend on the kernel, and takes long, has run.
tests=$(sed "s/^flush$/flush,-T,B1_long_range/; /^leaks$/d" \
	"$out/root$lib/selftests/tests")
# shellcheck disable=SC2086 # a list of names
vm selftests-6.12 6.12 normal $lib/selftests/run_tests.sh $tests
vm storm-6.12 6.12 normal $lib/short.sh 10 "--seed 4"
# shellcheck disable=SC2086 # a list of names
vm test-build-6.12 6.12 test $lib/selftests/run_tests.sh $test_build
# shellcheck disable=SC2086 # a list of names
vm selftests-newest newest normal $lib/selftests/run_tests.sh $tests
vm storm-newest newest normal $lib/short.sh 10 "--seed 5"
# shellcheck disable=SC2046 # a list of names
vm failures-newest newest test $lib/selftests/run_tests.sh \
	$(echo "$test_build" | grep '^failnth')

# The debug kernel is several times slower: all with gates, all that may fail, and of
# the rest what takes least time.
debug_tests="abi args slots rw backing invalidate huge large dirty prefault process"
debug_tests+=" blocked sharing hugetlb young"
debug_rest="$(left_out "$debug_tests" "$out/root$lib/selftests/tests")"
# shellcheck disable=SC2046,SC2086 # lists of names
LIMIT=900 SECMMU_TEST_SLOW=5 vm selftests-debug debug test $lib/selftests/run_tests.sh \
	$(sed 's/^failnth$/&,-T,G3_kernel_nothing_left/' \
		"$out/root$lib/selftests/tests-of-test-build") $debug_tests
debug_rest="$debug_rest failnth,-t,G3_kernel_nothing_left"
# shellcheck disable=SC2086 # a list of names
echo "selftests-debug: left out for their time:" $debug_rest

say "bench"
step bench bench 6.1

say "took $((SECONDS - started)) s; logs in $out"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
