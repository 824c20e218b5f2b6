# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# Modules of the kernel.

# take_module FOLDER NAME: of the kernel in that folder, into $temp.
take_module()
{
	local file

	file=$(find -L "$1/modules/" -name "$2.ko*" | head -n 1)
	case $file in
	*.xz) xz -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$temp/$2.ko"
}

test_module_of_another_kernel()
{
	local other

	other=6.12
	[ "$kernel" = 6.12 ] && other=6.1
	other=$("$here/kernels/kernel.sh" "$other" 2>/dev/null) || return 2
	take_module "$other" zram
	expect 126 vm --module "$temp/zram.ko" true && says 'built for kernel'
}

test_modules_load()
{
	local folder

	folder=$("$here/kernels/kernel.sh" "$kernel" 2>/dev/null)
	take_module "$folder" dummy
	expect 0 vm --load zram --module "$temp/dummy.ko" \
		--append 'dummy.numdummies=3 zram.num_devices=2' \
		sh -c 'test -b /dev/zram1 && test -d /sys/class/net/dummy2'
}
