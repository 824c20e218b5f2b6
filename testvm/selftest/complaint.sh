# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# What the kernel says or leaves unsaid that makes a run fail.

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

test_panic()
{
	expect 125 vm sh -c 'echo c >/proc/sysrq-trigger' &&
		says 'Kernel panic'
}

test_power_off_without_token()
{
	expect 125 vm sh -c 'poweroff -f; sleep 10' && says 'without saying'
}

test_timeout()
{
	expect 124 vm --cpus 4 --timeout 12 sleep 1000 && says 'within 12 s' &&
		[ "$(grep -c '[ER]IP=' "$temp/log")" -eq 4 ]
}

# Boots the debug kernel with those of its modules in /provoke that make bugs, and
# runs a script; it must end badly.
provoke()
{
	local folder

	[ "$kernel" = debug ] || return 2
	folder=$("$here/kernels/kernel.sh" --arch "$arch" debug 2>/dev/null) || return
	mkdir -p "$temp/bugs/provoke"
	find -L "$folder/modules/" \( -name lkdtm.ko -o -name kmemleak-test.ko \) \
		-exec cp {} "$temp/bugs/provoke" \;
	expect 125 vm --timeout 900 --root "$temp/bugs" sh -c "cd /provoke; $1"
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
