#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything "make check" and "make check-all" do.
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=check/steps.sh
. "$top/check/steps.sh"

usage()
{
	cat <<END
usage: check.sh [--all] [--list]
Builds, boots and tests everything. Ends with a table of all steps and the line
"N passed, N failed, N skipped"; logs stay in build/check/. --all also runs the steps that
take long: nearly all tests on every kernel, more storms, seeded bugs on three kernels.

--list only prints the names of the steps.

In the environment: JOBS, the number of steps to run at a time, 3 by default. STEPS, names
from that table: run only these steps, and build only the kernels and modules that they need.
END
}

all='' list=''
for word; do
	case $word in
	--all) all=1 ;;
	--list) list=1 ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
# A step waits now and then: one more than two processors keeps both at work.
jobs=${JOBS:-3}
# What runs here has numbers of its own.
export -n JOBS
case $jobs in
[1-9]) ;;
*) echo "check: JOBS is a number from 1 to 9, not \"$jobs\"" >&2; exit 2 ;;
esac
kernels="6.1 6.12 newest debug${all:+ kcsan 7.3}"
out=$BUILD/check

# --- What is more than one command --------------------------------------------------

# Sparse takes as long as the compiler: for every day, it sees each file and each kernel
# once. That of Debian 12 is too old for the newest sources, which do without.
module()
{
	local sparse=

	case $1-$2 in
	6.1-normal | 6.12-test) sparse=--sparse ;;
	6.*) sparse=${all:+--sparse} ;;
	esac
	# shellcheck disable=SC2086 # an option or none
	"$top/testvm/kernels/module.sh" $sparse "$1" "$2"
}

# A normal build has no test instrument in it. (No grep -q: nm would die of it.)
no_instruments()
{
	local words='mutant|held|hold(s|ing|er)|gate|oracle|inject|test_call|planted|delay_pass'

	! nm "$BUILD/modules/6.1-normal/driver/secmmu.ko" | grep -iE "$words" &&
		nm "$BUILD/modules/6.1-test/driver/secmmu.ko" | grep -iE "$words"
}

# The kernel's style. Not applied: comments of locks (ours are kernel-doc of the
# structure), alignment inside tracepoint macros (the kernel's own differ too), BIT()
# in the interface header (user space has none), the argument of a macro that is
# nothing in a normal build, and version checks and their typedefs in driver/compat,
# which is there for them.
checkpatch()
{
	local tree
	tree=$("$top/testvm/kernels/kernel.sh" --source 6.12)
	cd "$top"
	perl "$tree/scripts/checkpatch.pl" --no-tree --terse --strict \
		--show-types --no-summary --ignore \
		UNCOMMENTED_DEFINITION,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE,BIT_MACRO,MACRO_ARG_UNUSED \
		-f driver/*.[ch] driver/test/*.[ch] uapi/linux/*.h \
		bench/module/*.[ch] bench/peer/*.[ch] judge/shims/*.[ch] \
		found/module/*.[ch] judge/example/driver/*.[ch] &&
		perl "$tree/scripts/checkpatch.pl" --no-tree --terse --strict \
			--show-types --no-summary --ignore \
			LINUX_VERSION_CODE,CONSTANT_COMPARISON,NEW_TYPEDEFS \
			-f driver/compat/*.h
}

# What moved between results and the same with one case altered: that, and nothing else.
compare()
{
	local moved=$out/moved.jsonl said=$out/compare.txt

	perl "$top/bench/compare.pl" "$1" "$1" > "$said" &&
		grep 'nothing moved' "$said" &&
		sed '/"4 KiB","what":"per page"/s/"value":/&9/' "$1" > "$moved" &&
		perl "$top/bench/compare.pl" "$1" "$moved" > "$said" || return
	cat "$said"
	# The case, and a target that it does not meet any more.
	test "$(grep -c ', was ' "$said")" = 2
}

# Every benchmark, as little of it as there can be: it must work, and its results must
# read as JSON. What the times are does not matter.
bench()
{
	local dir=$out/bench-$1 broken=$out/broken.jsonl

	KERNEL=$1 "$top/bench/bench.sh" --tiny --out "$dir" || return
	perl -I"$top/lib" -MHtml=is_well_formed -0777 -ne 'exit !is_well_formed($_)' \
		"$dir/index.html" || return
	find "$dir" -name '*.svg' -size +1k | grep . || return
	compare "$dir/results.jsonl" || return
	sed '$s/"value":[^,]*,//' "$dir/results.jsonl" > "$broken"
	if perl "$top/bench/report.pl" "$broken" "$out" ||
	   perl "$top/bench/compare.pl" "$broken" "$dir/results.jsonl"; then
		echo "a missing value is not missed"
		return 1
	fi
}

# Instructions of the hot paths, against those recorded. What moved is for people to
# judge: see Documentation/results.rst.
hot_paths()
{
	local dir=$out/hot-paths

	mkdir -p "$dir"
	KERNEL=6.1 "$top/bench/bench.sh" --quick --icount --out "$dir" hotpaths \
		> "$dir/said" 2>&1 || { cat "$dir/said"; return 1; }
	perl "$top/bench/compare.pl" --percent 5 "$top/bench/hotpaths.jsonl" \
		"$dir/results.jsonl" > "$dir/moved" || return
	sed '/^$/d; s/^/note: /' "$dir/moved"
	echo "ok 1 - hot_paths_counted"
}

# What the steps so far have left for other programs can be read by them.
json_files()
{
	local files

	files=$(find "$out" -name '*.json')
	if [ -z "$files" ]; then
		echo "no step has left a JSON file"
		return 1
	fi
	# shellcheck disable=SC2016,SC2086 # perl's; a list of names
	perl -MJSON::PP -0777 -e 'for my $name (@ARGV) {
		open my $file, "<", $name or die "$name: $!\n";
		my $object = eval { decode_json(<$file>) } or die "$name: $@";
		for my $member (qw(version kernel)) {
			print "$name: ", $object->{$member} || die("$name: no $member\n"), "\n";
		}
	}' $files
}

# The tests of list files that are not among the words.
left_out()
{
	local words=$1 name
	shift
	cat "$@" | while read -r name; do
		case " $words " in
		*" $name "*) ;;
		*) echo "$name" ;;
		esac
	done
}

# --- Parts of the plan ---------------------------------------------------------------

prepare()
{
	local kernel module

	build_tools testvm vmm selftests fuzz bench explore
	rm -rf "$out"
	mkdir -p "$out"
	: > "$out/begun"
	tests=$BUILD/selftests
	say "kernels"
	for kernel in $kernels; do
		! needed "$kernel" || step "kernel-$kernel" "$top/testvm/kernels/kernel.sh" "$kernel"
	done
	say "building the modules"
	for kernel in 6.1 6.12 ${all:+newest 7.3}; do
		! needed "$kernel" || step "module-$kernel-normal" module "$kernel" normal
	done
	for kernel in 6.1 6.12 debug ${all:+newest kcsan}; do
		! needed "$kernel" || step "module-$kernel-test" module "$kernel" test
	done
	for kernel in 6.1 ${all:+6.12 newest}; do
		! needed "$kernel" || step "module-$kernel-bench" module "$kernel" bench
	done
	for kernel in newest ${all:+debug}; do
		! needed "$kernel" || step "module-$kernel-kunit" module "$kernel" kunit
	done
	make_root "$out/root"
	cp "$BUILD/fuzz/bin/secmmu-fuzz" "$BUILD/bench/bin/secmmu-bench" "$out/root/usr/bin/"
	strip --strip-debug -o "$out/root/usr/lib/secmmu/secmmu.ko" \
		"$BUILD/modules/6.1-normal/driver/secmmu.ko"
	for module in ${all:+gpusvm iommu}; do
		! needed 7.3 || step "module-7.3-$module" module 7.3 "$module"
	done
	step no-instruments no_instruments
}

# The tests of test builds; only the debug kernel lets things fail by itself.
gated()
{
	sed 's/^failnth$/&,-T,G3_kernel_each_fails_once,-T,G3_kernel_nothing_left/' \
		"$tests/tests-of-test-build"
}

test_build()
{
	# shellcheck disable=SC2046,SC2086 # lists of names
	$1 vm "test-build-$2" "$2" test $run $(gated) ${3-}
}

# Each seeded bug against the test that must notice it; for every day, one of each
# property, after the tests of test builds: what passed there need not pass once more.
seeded_bugs()
{
	local kernel log=$out/test-build-6.12.log

	if wanted test-build-6.12 && wanted mutants-few; then
		wait_for test-build-6.12
	else
		log=
	fi
	go tests mutants-few env KERNEL=6.12 JOBS=1 REPEAT=$repeatable "$top/mutants/mutants.pl" \
		--quick --few ${log:+--passed "$log"} --out "$out/mutants-few"
	for kernel in 6.1 6.12 newest; do
		extra tests "mutants-$kernel" env KERNEL="$kernel" \
			"$top/mutants/mutants.pl" --quick --out "$out/mutants-$kernel"
	done
}

# The debug kernel is several times slower: for every day, of each part of the driver
# what takes least time.
debug_kernel()
{
	local some rest slow

	some="invalidate jobs registration dirtyslot strangers"
	rest="$(left_out "$some" "$tests/tests" "$tests/tests-of-test-build")"
	slow=$(slow_kernel debug)
	# shellcheck disable=SC2086 # a list of names
	SECMMU_TEST_SLOW=$slow LIMIT=1200 go vm selftests-debug debug test $run $some
	# shellcheck disable=SC2086 # a list of names
	SECMMU_TEST_SLOW=$slow LIMIT=3600 \
		extra vm selftests-debug-rest debug test $run $rest
	LOAD=kunit extra vm kunit-debug debug kunit $lib/kunit.sh all
}

# The kernel that looks for data races; what it finds in the kernel itself is listed.
kcsan_kernel()
{
	local slow

	slow=$(slow_kernel kcsan)
	# shellcheck disable=SC2046 # a list of names
	SECMMU_TEST_SLOW=$slow LIMIT=2400 extra vm test-build-kcsan kcsan test $run $(gated)
	# shellcheck disable=SC2046 # a list of names
	SECMMU_TEST_SLOW=$slow LIMIT=2400 \
		extra vm selftests-kcsan kcsan test $run $(cat "$tests/tests")
	SECMMU_TEST_SLOW=$slow LIMIT=1200 \
		extra vm storm-kcsan kcsan test $lib/short.sh 60 "--seed 10" \
		"--seed 11 --backing memfd --tags --domains --keys"
	extra tests testvm-kcsan env KERNEL=kcsan "$top/testvm/selftest.sh" kcsan
}

# Kernels for another architecture, which QEMU emulates.
arm64_kernels()
{
	local arm64=$top/check/arm64.sh kernel

	go tests arm64 "$arm64" --quick --out "$out/arm64"
	for kernel in 6.1 6.12 7.3; do
		KERNEL=$kernel extra tests "arm64-$kernel" "$arm64" --out "$out/arm64-$kernel"
	done
	KERNEL=debug extra tests arm64-debug "$arm64" --quick --out "$out/arm64-debug"
	extra tests arm64-debug-bugs env ARCH=arm64 KERNEL=debug "$top/testvm/selftest.sh" debug_bugs
	FLAVOUR="test" extra tests arm64-test-build "$arm64" --out "$out/arm64-test-build"
	KERNEL=6.12 APPEND=kvm-arm.mode=nvhe \
		extra tests arm64-nvhe "$arm64" --quick --out "$out/arm64-nvhe"
	ARCH=arm64 KERNEL=6.1 SUBJECT="kvm hmm procmem" extra tests arm64-judge \
		"$top/judge/judge.sh" --quick --tap --out "$out/arm64-judge"
	ARCH=arm64 SECMMU_TEST_SLOW=6 extra tests arm64-mutants \
		"$top/mutants/mutants.pl" --quick --few --out "$out/arm64-mutants"
}

# A VM as of vm(), with kernels for guests of QEMU.
nested_vm()
{
	local name nested=$out/$1.root$lib/nested kernel

	mkdir -p "$nested/modules"
	for name in 6.1 newest; do
		kernel=$("$top/testvm/kernels/kernel.sh" $name)
		cp "$(readlink -f "$kernel/vmlinuz")" "$nested/vmlinuz-$name"
		[ $name = newest ] || cp -RL "$kernel/modules/kernel/drivers/virtio" \
			"$nested/modules/$(cat "$kernel/release")"
	done
	vm "$@"
}

# A VM as of vm(), with the document whose lines it tries.
document_vm()
{
	mkdir -p "$out/$1.root$lib"
	cp "$top/Documentation/looking.rst" "$out/$1.root$lib/"
	vm "$@"
}

# attach beside programs of Debian, and on guests of its libvirt; tracers of Debian.
real_programs()
{
	local kernel programs guests

	programs='stress-ng python3-minimal redis-server redis-tools sqlite3 qemu-system-x86'
	guests='libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86'
	for kernel in 6.1 newest; do
		LIMIT=3600 MEMORY=4096 DEBIAN=$programs \
			extra nested_vm "programs-$kernel" "$kernel" normal $lib/programs.sh
		LIMIT=5400 MEMORY=6144 DEBIAN=$guests \
			extra nested_vm "domains-$kernel" "$kernel" normal $lib/domains.sh
	done
	DEBIAN=stress-ng extra vm programs-control 6.1 test $lib/programs.sh control
	LIMIT=1800 DEBIAN="bpftrace trace-cmd" extra document_vm tracing-6.1 6.1 normal $lib/tracing.sh
}

stock_kernels()
{
	local quick

	quick=$(sed "s/^flush$/flush,-T,B1_long_range/; /^leaks$/d" "$tests/tests")
	# shellcheck disable=SC2086 # a list of names
	REPEAT=$repeatable go vm selftests-6.1 6.1 normal $run $quick
	extra vm selftests-rest-6.1 6.1 normal $run flush,-t,B1_long_range leaks
	# shellcheck disable=SC2086 # a list of names
	extra vm selftests-6.12 6.12 normal $run $quick
	# shellcheck disable=SC2086 # a list of names
	extra vm selftests-newest newest normal $run $quick
	# shellcheck disable=SC2086 # a list of names
	extra vm selftests-7.3 7.3 normal $run $quick
	test_build extra 6.1 "concurrency dirtyrace"
	test_build extra newest
	REPEAT=$repeatable LOAD=kunit go vm kunit newest kunit $lib/kunit.sh suites
	REPEAT=$repeatable go vm storm-6.1 6.1 normal $lib/short.sh 3 \
		"--seed 2 --backing memfd"
	# Of a test build, with the oracle's judgement at the end: repeat has it too.
	REPEAT=$repeatable extra vm storm-test-build-6.1 6.1 test $lib/short.sh 3 \
		"--seed 9 --tags --domains --keys"
	extra vm storms-6.1 6.1 test $lib/short.sh 20 "--seed 1" \
		"--seed 3 --no-mirror" "--seed 6 --backing memfd --keys --array" \
		"--seed 7 --backing memfd --tags --domains --keys --refill"
	# zram of 6.1 needs the module of its compression.
	NODES=2 LOAD="lzo-rle zram" APPEND=movablecore=1G extra vm storm-all-6.1 6.1 normal \
		$lib/short.sh 20 "--mix all --seed 1" "--mix all --seed 2 --backing memfd" \
		"--mix all --seed 3 --no-mirror --events 100"
	# This one has memory of a device.
	NODES=2 LOAD="zram test_hmm" APPEND=movablecore=1G extra vm storm-all-newest newest normal \
		$lib/short.sh 20 "--mix all --seed 1"
	STORM_SECONDS=10 extra step storm-together "$top/check/storms.sh" --out "$out/together"
	STORM_SECONDS=10 extra tests storm-alone "$top/check/storms.sh" --alone --out "$out/alone"
	KERNEL=newest STORM_SECONDS=10 OPERATION=contiguous \
		extra tests storm-contiguous "$top/check/storms.sh" --alone --out "$out/contiguous"
	extra vm shrink-6.1 6.1 test $lib/shrink.sh
	extra vm storm-scripts-6.1 6.1 test $lib/scripts.sh 4
	extra vm storm-6.12 6.12 normal $lib/short.sh 10 "--seed 4"
	extra vm storm-newest newest normal $lib/short.sh 10 "--seed 5" "--memory 8G --seed 6"
	REPEAT=$repeatable extra vm attach-6.1 6.1 normal $lib/attach.sh
	REPEAT=$repeatable TESTS="invalidate unload hugetlb reclaim khugepaged sharing leaks" \
		go vm reload-6.1 6.1 normal sh -c \
		"$lib/selftests/reload.sh $lib/secmmu.ko 10 && $lib/looking.sh &&
		SECMMU_MODULE=$lib/secmmu.ko $run unload && $lib/outside.sh"
	REPEAT=$repeatable TESTS=invalidate go vm control-6.1 6.1 test $lib/control.sh \
		${repeatable:+--seconds 3}
	# The latter takes /dev/kvm away.
	REPEAT=$repeatable go vm misuse 6.1 none sh -c "$lib/verdicts.sh; status=\$?
		$lib/misuse.sh && exit \$status"
}

lib=/usr/lib/secmmu
run=$lib/selftests/run_tests.sh
started=$SECONDS
# Each step in a process group of its own, which an interrupted check takes along.
# shellcheck disable=SC2154 # the trap sets it
trap 'for job in $(jobs -p); do kill -TERM -- "-$job"; done; exit 130' INT TERM HUP
if [ "$list" ]; then
	# Nothing is built: lists of tests are missing, and only names are printed.
	set +e
	exec 2> /dev/null
else
	need_steps
	own_folder "$out"
	prepare
fi
repeatable=1
[ "$list" ] || can_repeat || repeatable=
set -m
# What takes longest comes first, so that nothing long is left alone in the end.
debug_kernel
REPEAT=$repeatable test_build go 6.12 dirtyrace
# The verdict of all others rests on these; "make -C testvm check" runs the rest too.
go tests testvm "$top/testvm/selftest.sh" status_zero status_other kernel_warning \
	panic timeout interrupt given_up killed_then_swept module_of_another \
	root_and_files wrong_options schedule_policies deterministic_differs \
	deterministic_timeout
if [ "$repeatable" ]; then
	go tests repeat "$top/check/repeat.sh" "$out/repeat"
	go tests explore "$top/explore/selftest.sh" "$out/explore"
	extra tests replay "$top/replay/selftest.sh" "$out/replay"
else
	go tests repeat echo 'ok 1 - repeat, explore, replay # SKIP no QEMU 10, see testvm/emulator/qemu.sh'
fi
seeded_bugs
# Secondary MMUs, one of which is broken on purpose.
go tests judge "$top/judge/judge.sh" --quick --tap --out "$out/judge"
extra step judge-all "$top/judge/judge.sh" --out "$out/judge-all"
extra step found "$top/found/found.sh" --out "$out/found"
extra step sensitivity "$top/judge/sensitivity/sensitivity.sh" --kernels --out "$out/sensitivity"
extra tests testvm-debug env KERNEL=debug "$top/testvm/selftest.sh" debug
extra tests testvm-iommus env KERNEL=7.3 "$top/testvm/selftest.sh" iommus nodes device_fault
extra tests testvm-programs "$top/testvm/selftest.sh" debian_
extra tests testvm-connect "$top/testvm/selftest.sh" connect_
extra tests testvm-frozen "$top/testvm/selftest.sh" frozen
stock_kernels
real_programs
kcsan_kernel
arm64_kernels
go step bench bench 6.1
go tests hot-paths hot_paths
go tests bench-report "$top/bench/selftest.pl"
extra tests fuzz-vm "$top/fuzz/selftest.sh" --vm
go step checkpatch checkpatch
go tests campaign "$top/campaign/selftest.sh"
extra tests campaign-slurm "$top/campaign/selftest.sh" --slurm
extra tests campaign-parallel "$top/campaign/selftest.sh" --parallel
extra tests campaign-vm "$top/campaign/selftest.sh" --vm
extra tests style "$top/check/style.sh"
extra tests series "$top/series/series.sh" --tap
go tests storm-options "$top/vmm/selftest.sh"
go tests refusals "$top/check/refusals.sh"
go tests packaging "$top/packaging/selftest.sh"
extra tests packages "$top/packaging/vm.sh"
go step levels "$top/check/levels.sh"
go tests bare "$top/check/bare.sh" 6.1
go tests models "$top/models/models.sh"
go tests mutants-patches "$top/mutants/patches.pl" check
go tests kernel-patches "$top/check/patches.sh"
go tests mutants-selftest "$top/mutants/selftest.pl"
go tests fuzz "$top/fuzz/selftest.sh" --no-vm
[ ! "$list" ] || { printf '%s\n' json no-instruments; exit 0; }
wait
! wanted json || step json json_files
finish
[ ! "$extras" ] || echo "left to make check-all:$extras"
say "took $((SECONDS - started)) s; logs in $out"
summary
