# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034 # variables of those who source it
# A KVM guest for QEMU inside of the test VM: kernels that check.sh puts there, and an
# initramfs. To be sourced.

# The first has what a test VM has, and no virtio; the second one has it in modules.
guest_kernel=/usr/lib/secmmu/nested/vmlinuz-newest
guest_kernel_virtio=/usr/lib/secmmu/nested/vmlinuz-6.1
guest_arguments="console=ttyS0 quiet mitigations=off"

# Make /tmp/initramfs, whose init copies a file over and over, and lets go of its memory.
guest_initramfs()
{
	mkdir -p /tmp/guest/bin /tmp/guest/dev /tmp/guest/tmp
	cp /bin/busybox /tmp/guest/bin/
	cp -R /usr/lib/secmmu/nested/modules /tmp/guest/
	[ -e /tmp/guest/dev/console ] || mknod /tmp/guest/dev/console c 5 1
	cat > /tmp/guest/init <<-'END'
	#!/bin/busybox sh
	/bin/busybox mount -t tmpfs tmpfs /tmp
	cd "/modules/$(/bin/busybox uname -r)" && for name in virtio_ring virtio \
		virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_balloon; do
		/bin/busybox insmod $name.ko
	done
	echo guest is up
	n=0
	while :; do
		/bin/busybox dd if=/bin/busybox of=/tmp/a bs=64k 2> /dev/null
		/bin/busybox cat /tmp/a /tmp/a > /tmp/b
		/bin/busybox rm /tmp/a /tmp/b
		n=$((n + 1))
		[ $((n % 20)) != 0 ] || echo "round $n"
	done
	END
	chmod +x /tmp/guest/init
	(cd /tmp/guest && find . | cpio -o -H newc) > /tmp/initramfs 2> /dev/null
}
