#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: selftest.sh [--vm | --no-vm] [NAME...]
# Tests of the fuzzer: its programs as text, the same choices by the same seed, the
# shrinker, what fuzz.sh makes of VMs that die; then in one test VM a short run, and
# the saved programs, which must pass, one of them only without the bug that it finds.
# Arguments: names of the tests to run, all by default; --vm: those that take a VM,
# --no-vm: the others.
# shellcheck disable=SC2317 # tests are called by their names
set -euo pipefail
case ${1-} in
--vm | --no-vm | [!-]* | '') ;;
--help) sed -n '3,8s/^# //p' "$0"; exit 0 ;;
*) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

fuzz=$BUILD/fuzz/bin/secmmu-fuzz
kernel=${KERNEL:-debug}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

test_that()
{
	local name=$1 status
	# Not in a condition, where "set -e" would mean nothing.
	set +e
	(set -e; "$name") > "$dir/said" 2>&1
	status=$?
	set -e
	if [ $status = 0 ]; then
		echo "ok - $name"
	else
		cat "$dir/said"
		echo "not ok - $name"
		failed=1
	fi
}

# Brief and long, what is printed reads as what it was.
round_trip()
{
	"$fuzz" generate --programs 500 --seed 7 > "$dir/mixed"
	"$fuzz" print "$dir/mixed" > "$dir/long"
	# shellcheck disable=SC2094 # both read
	"$fuzz" print - < "$dir/long" | cmp - "$dir/long"
	[ "$(grep -c '^rounds ' "$dir/long")" = 500 ]
	# As the log of a run has them.
	grep ';' "$dir/mixed" | "$fuzz" print - > "$dir/briefs"
	[ "$(grep -c '^rounds ' "$dir/briefs")" = 250 ]
}

# Every operation comes up, and every value of a few arguments.
all_operations()
{
	local op
	"$fuzz" generate --programs 500 --seed 7 | "$fuzz" print - > "$dir/long"
	sed -n 's/^	{ "\([a-z-]*\)", [0-9].*/\1/p' "$top/fuzz/op.c" > "$dir/ops"
	[ "$(wc -l < "$dir/ops")" -gt 20 ]
	while read -r op; do
		grep "^[0-2] $op\( \|$\)" "$dir/long" > /dev/null ||
			{ echo "no $op"; return 1; }
	done < "$dir/ops"
	grep 'twist=19$' "$dir/long" > /dev/null
}

same_seed_same_programs()
{
	"$fuzz" generate --seed 18446744073709551615 > "$dir/a"
	"$fuzz" generate --seed 18446744073709551615 | cmp - "$dir/a"
	"$fuzz" generate --seed 2 > "$dir/b"
	if cmp -s "$dir/a" "$dir/b"; then
		return 1
	fi
}

# Each with the line that is to be blamed.
wrong_programs_are_told()
{
	local text
	for text in '0 open 0' 'rounds 0' 'rounds 65' 'rounds 1;3 open' \
		'rounds 1;0 opens' 'rounds 1;0 open mirror=1' \
		'rounds 1;0 open 0 0' 'rounds 1;0 open 2' 'rounds 1;0 open 0x' \
		'rounds 1;0 slot 4' ''; do
		printf '# a comment\n%s\n' "$text" > "$dir/wrong"
		! "$fuzz" print "$dir/wrong" 2> "$dir/told" || return 1
		grep "^$dir/wrong:2: " "$dir/told" || return 1
	done
}

# Two operations in two of ten programs are needed; all else must go.
shrinks()
{
	local fails="awk '/ move .*to=[^0]/ { a = 1 } a && / compact/ { b = 1 }
		END { exit !b }'"
	{
		"$fuzz" generate --programs 9 --seed 5
		echo 'rounds 9;1 open;2 move 1 2 3;0 close;0 nap'
		"$fuzz" generate --programs 9 --seed 6
		echo 'rounds 2;0 nap;0 compact;0 nap'
	} > "$dir/all"
	"$fuzz" shrink --command "$fails" "$dir/all" > "$dir/shrunk"
	printf 'rounds 1\n0 move page=0 pages=0 to=1 keep=0\nrounds 1\n0 compact\n' \
		> "$dir/expected"
	# Both may come from the same program, if it has them.
	[ "$(grep -c '^[0-2]' "$dir/shrunk")" = 2 ]
	grep -v '^rounds' "$dir/shrunk" |
		cmp - <(grep -v '^rounds' "$dir/expected")
}

does_not_shrink_what_passes()
{
	local status=0
	echo 'rounds 1;0 open' > "$dir/passes"
	"$fuzz" shrink --command false "$dir/passes" || status=$?
	[ "$status" = 1 ]
}

few_tries()
{
	echo 'rounds 1;0 open;0 nap;0 nap;0 nap;0 nap;0 nap' > "$dir/all"
	"$fuzz" shrink --tries 2 --command "echo >> '$dir/tries'; cat > /dev/null" \
		"$dir/all" > "$dir/shrunk"
	# Once to see whether it fails at all.
	[ "$(wc -l < "$dir/tries")" = 3 ]
}

# The command must end with 2 and this in its one sentence.
is_refused()
{
	local words=$1 status=0
	shift
	# The file asks for a longer stay than that.
	timeout 20 "$@" > "$dir/told" 2>&1 || status=$?
	cat "$dir/told"
	[ "$status" = 2 ]
	[ "$(wc -l < "$dir/told")" = 1 ]
	grep -e "$words" "$dir/told"
}

# H1: on a machine that is no test VM, no program is run unless it is told to in words.
H1_refuses_this_machine()
{
	local script
	echo 'rounds 1;0 open' > "$dir/programs"
	[ ! -e /testvm/inside ] || { echo "this is a test VM"; return 1; }
	unset SECMMU_ON_THIS_MACHINE
	is_refused 'refused .*make fuzz.*--on-this-machine' "$fuzz" run --seconds 600
	is_refused 'refused .*make fuzz.*--on-this-machine' \
		"$fuzz" replay "$dir/programs" --times 1000000
	copy_guest_scripts "$dir/guest"
	for script in attach control fuzz kunit misuse mutants soak; do
		is_refused 'refused outside of the test VM' \
			sh "$dir/guest/$script.sh" 1 1 1 1 1
	done
	is_refused 'refused outside of the test VM' \
		sh "$top/selftests/reload.sh" "$dir/programs" 1
	is_refused 'refused outside of the test VM' \
		env TEST_MODULE=/nowhere sh "$top/bench/run.sh" tiny "$dir/results"
	[ ! -e "$dir/results" ]
}

# Told so, it looks for the driver before anything else.
H1_ends_without_the_driver()
{
	[ ! -e /dev/secmmu ] || { echo "there is a driver"; return 0; }
	is_refused 'cannot open /dev/secmmu' "$fuzz" run --seconds 600 --on-this-machine
	is_refused 'cannot open /dev/secmmu' \
		env SECMMU_ON_THIS_MACHINE=yes "$fuzz" run --seconds 600
}

# --- fuzz.sh, in a VM that is played -------------------------------------------------

# In $play: what "run" says and its status, and an awk program that exits with 0 for
# programs that kill the VM. Each boot leaves a line in $play/boots.
make_vm()
{
	play=$dir/play
	rm -rf "$play"
	mkdir "$play"
	echo 'END { exit 1 }' > "$play/fails"
	echo 0 > "$play/status"
	# 70 programs in which neither "move" nor "compact" occurs, and two.
	"$fuzz" generate --programs 400 --seed 9 | grep ';' |
		grep -v -e move -e compact | sed -n 1,70p > "$play/programs"
	echo 'rounds 2;0 nap;0 move 7 7 7 1;1 nap' >> "$play/programs"
	echo 'rounds 2;0 nap;0 compact;1 nap' >> "$play/programs"
	[ "$(wc -l < "$play/programs")" = 72 ]
	{
		sed 's/^/@ run /' "$play/programs"
		echo '[   9s] programs 72'
		echo '@ json { "programs": 72 }'
	} > "$play/run"
	cat > "$play/vm" <<'END'
#!/bin/bash
while [ "$1" != -- ]; do
	case $1 in
	--root) root=$2 ;;
	--log) echo played > "$2" ;;
	esac
	shift
done
shift 3
play=${0%/*}
echo "$*" >> "$play/boots"
if [ "$1" = run ]; then
	cat "$play/run"
	exit "$(cat "$play/status")"
fi
if awk -f "$play/fails" "$root/programs"; then
	exit 125
fi
END
	chmod +x "$play/vm"
}

# Run fuzz.sh; its exit status must be $1.
fuzz_exits()
{
	local status=0
	FUZZ_TESTVM=$play/vm SEED=1 PROGRAM='' TRIES=${2:-40} \
		"$top/fuzz/fuzz.sh" --out "$play/out" > "$play/said" 2>&1 ||
		status=$?
	cat "$play/said"
	[ "$status" = "$1" ]
}

ops_of()
{
	grep '^[0-2]' "$play/out/reproducer.txt" | cut -d ' ' -f 2 | tr '\n' ' '
}

vm_passes()
{
	make_vm
	fuzz_exits 0
	grep '^fuzz: PASS, .*programs 72' "$play/said"
	grep '"programs": 72' "$play/out/summary.json"
	[ "$(wc -l < "$play/boots")" = 1 ]
}

# What was said before testvm started over does not count.
vm_starts_over()
{
	make_vm
	sed -i '1i@ json { "programs": 1 }\ntestvm: starting over' "$play/run"
	fuzz_exits 0
	[ "$(cat "$play/out/summary.json")" = '{ "programs": 72 }' ]
}

vm_dies_of_the_last_program()
{
	make_vm
	echo 125 > "$play/status"
	echo '/compact/ { n = 1 } END { exit !n }' > "$play/fails"
	fuzz_exits 1
	grep 'this fails again' "$play/said"
	[ "$(ops_of)" = 'compact ' ]
}

vm_dies_of_two_programs()
{
	make_vm
	echo 124 > "$play/status"
	echo '/move/ { n = 1 } n && /compact/ { m = 1 } END { exit !m }' > "$play/fails"
	fuzz_exits 1
	grep 'this fails again' "$play/said"
	[ "$(ops_of)" = 'move compact ' ]
	[ "$(grep -c '^rounds' "$play/out/reproducer.txt")" = 2 ]
}

vm_dies_once()
{
	make_vm
	echo 125 > "$play/status"
	fuzz_exits 1
	grep 'this did not fail again' "$play/said"
	[ "$(grep -c '^rounds' "$play/out/reproducer.txt")" = 64 ]
}

H2_interrupted()
{
	make_vm
	echo 130 > "$play/status"
	fuzz_exits 130
	grep '^fuzz: INTERRUPTED, .*programs 72' "$play/said"
	! grep '^fuzz: [A-Z]* *FAIL' "$play/said" || return 1
	[ "$(wc -l < "$play/boots")" = 1 ]
}

# What has told no numbers leaves no file of them, nor an empty one.
H3_dies_without_numbers()
{
	make_vm
	echo 125 > "$play/status"
	sed -i '/^@ json/d' "$play/run"
	fuzz_exits 1
	[ "$(find "$play/out" -name 'summary*')" = '' ]
}

few_boots()
{
	make_vm
	echo 125 > "$play/status"
	echo '/move/ { n = 1 } n && /compact/ { m = 1 } END { exit !m }' > "$play/fails"
	fuzz_exits 1 3
	grep 'this fails again' "$play/said"
	# The run, two replays, one to be sure, three tries.
	[ "$(wc -l < "$play/boots")" = 7 ]
}

shrunk_in_the_vm()
{
	make_vm
	{
		echo '@ found incoherent 1 entry'
		# What is run after that is not what has failed.
		echo '@ run rounds 1;0 nap'
		echo '@ shrunk rounds 1;0 compact'
	} >> "$play/run"
	echo 1 > "$play/status"
	echo '/compact/ { n = 1 } END { exit !n }' > "$play/fails"
	fuzz_exits 1
	grep '^fuzz: FAIL, incoherent 1 entry' "$play/said"
	[ "$(ops_of)" = 'compact ' ]
	[ "$(wc -l < "$play/boots")" = 2 ]
}

vm_does_not_boot()
{
	make_vm
	echo 126 > "$play/status"
	fuzz_exits 2
	grep 'could not be run' "$play/said"
}

# --- In a test VM ----------------------------------------------------------------

# A short run, on a kernel that tells what is reached; and saved programs.
in_a_vm()
{
	local root=$dir/root module status=0
	module=$("$top/testvm/kernels/module.sh" "$kernel" test)
	mkdir -p "$root/usr/bin"
	cp "$fuzz" "$root/usr/bin/"
	copy_guest_scripts "$root/usr/lib/secmmu"
	cp -r "$top/fuzz/saved" "$root/"
	# shellcheck disable=SC2016 # for the shell in the VM
	"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus 2 --memory 3072 \
		--root "$root" --load brd --append "brd.rd_nr=1 brd.rd_size=65536" \
		--timeout 420 --module "$module" --log "$BUILD/fuzz-selftest.console" -- \
		sh -c '
			mutant=/sys/module/secmmu/parameters/mutant
			cat /saved/*.txt > /all
			/usr/lib/secmmu/fuzz.sh none replay /all --times 3 &&
				echo "@ saved pass"
			echo write-kept-after-fork > $mutant
			secmmu-fuzz replay /saved/write-kept-after-fork.txt --tries 3 || echo "@ saved fails, $?"
			echo none > $mutant
			secmmu-fuzz run --seconds 8 --seed 1' > "$dir/vm" 2>&1 ||
		status=$?
	grep -v '^@ run' "$dir/vm" || :
	return "$status"
}

saved_programs_pass()
{
	grep '^@ saved pass' "$dir/vm"
}

saved_program_finds_its_bug()
{
	grep '^@ found incoherent' "$dir/vm"
	grep '^@ shrunk rounds' "$dir/vm"
	grep '^@ saved fails, 1' "$dir/vm"
}

# A run that reaches next to nothing would pass, too.
short_run_reaches_the_driver()
{
	local places
	places=$(sed -n 's/^@ json .*"places": \([0-9]*\),.*/\1/p' "$dir/vm")
	grep '^@ json .*"mirrors_judged": [1-9]' "$dir/vm"
	[ "$kernel" != debug ] || [ "$places" -gt 300 ]
}

build_tools testvm fuzz > /dev/null
without_vm="round_trip all_operations same_seed_same_programs
	H1_refuses_this_machine H1_ends_without_the_driver
	wrong_programs_are_told shrinks does_not_shrink_what_passes few_tries
	vm_passes vm_starts_over vm_dies_of_the_last_program vm_dies_of_two_programs vm_dies_once
	H2_interrupted H3_dies_without_numbers few_boots shrunk_in_the_vm vm_does_not_boot"
with_vm="in_a_vm saved_programs_pass saved_program_finds_its_bug
	short_run_reaches_the_driver"
case ${1-} in
--vm) without_vm='' ;;
--no-vm) with_vm='' ;;
esac
[[ ${1-} != --* ]] || shift
for name in $without_vm $with_vm; do
	[ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
	test_that "$name"
done
exit $failed
