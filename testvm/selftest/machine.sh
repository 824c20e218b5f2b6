# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# The machine that the guest finds.

test_kvm_opens()
{
	expect 0 vm sh -c 'exec 3<>/dev/kvm'
}

test_auto_accelerator()
{
	expect 0 vm --accel auto sh -c 'exec 3<>/dev/kvm'
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
