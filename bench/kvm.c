// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "bench.h"
#include "kvm.h"

int kvm_create(unsigned int *max_slots)
{
	int device = bench_open("/dev/kvm", "load kvm-amd or kvm-intel");
	int machine = ioctl(device, KVM_CREATE_VM, 0);

	if (machine < 0)
		bench_die("cannot create a KVM machine: %s", strerror(errno));
	*max_slots = ioctl(device, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	close(device);
	return machine;
}

void kvm_slot(int machine, uint32_t slot, uint64_t gpa, const void *hva,
	      size_t length)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = length,
		.userspace_addr = (uintptr_t)hva,
	};

	if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region))
		bench_die("cannot set memslot %u: %s", slot, strerror(errno));
}
