# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# Reports of data races: those of the driver count, the kernel's own do not.

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
