# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# Options that are wrong.

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
	--arch magic true
	--arch arm64 --iommu intel true
	--arch arm64 --accel kvm true
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
	--debian , true
	--debian No_Such true
	--debian hello --initramfs /etc/passwd
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
