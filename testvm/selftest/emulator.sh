# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# The mistakes of QEMU's emulation, after which testvm starts over.

# A kernel that dies as emulation sometimes makes it die.
test_stale_code_starts_over()
{
	expect 123 vm --append 'rdinit=/no "x=int3: 0000 [#1]"' true &&
		[ "$(grep -c 'starting over' "$temp/err")" -eq 2 ]
}

# A CPU that runs a breakpoint which is gone is the emulation's mistake, and the run is
# repeated; one that loops in another way is not. The machine's own QEMU does so for certain:
# use a cache without another one.
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
