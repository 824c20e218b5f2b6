// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basics.h"
#include "kvm.h"
#include "kvm_uapi.h"

#define KVM_STATS_NAME_MAX	64u

int kvm_create(unsigned int *max_slots)
{
	int device = bench_open("/dev/kvm", "load kvm-amd or kvm-intel");
	int machine = ioctl(device, KVM_CREATE_VM, 0);

	if (machine < 0)
		die("cannot create a KVM machine: %s", strerror(errno));
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
		die("cannot set memslot %u: %s", slot, strerror(errno));
}

void kvm_cpu_add(struct kvm_cpu *cpu, int machine, unsigned int id)
{
	int device = bench_open("/dev/kvm", "load kvm-amd or kvm-intel");
	int size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);

	close(device);
	cpu->fd = ioctl(machine, KVM_CREATE_VCPU, id);
	if (cpu->fd < 0)
		die("cannot create a KVM processor: %s", strerror(errno));
	cpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd,
			0);
	if (cpu->run == MAP_FAILED)
		die("cannot map the KVM processor: %s", strerror(errno));
	kvm_arch_init(cpu->fd);
}

void kvm_cpu_create(struct kvm_cpu *cpu, int machine)
{
	char *program = map_memory(PAGE);

	memcpy(program, kvm_program, kvm_program_size);
	kvm_slot(machine, 0, 0, program, PAGE);
	kvm_arch_make_room(machine);
	kvm_cpu_add(cpu, machine, 0);
}

void kvm_touch(const struct kvm_cpu *cpu, uint64_t gpa, size_t pages)
{
	int ret;

	kvm_arch_start(cpu->fd, gpa, pages);
	do {
		ret = ioctl(cpu->fd, KVM_RUN, 0);
	} while (ret && errno == EINTR);
	if (ret)
		die("the KVM guest does not run: %s", strerror(errno));
	if (cpu->run->exit_reason != KVM_EXIT_HLT)
		die("the KVM guest ended with reason %u, not by its halt",
		    cpu->run->exit_reason);
}

int kvm_prefault(const struct kvm_cpu *cpu, uint64_t gpa, size_t length)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = length };

	while (range.size)
		if (ioctl(cpu->fd, KVM_PRE_FAULT_MEMORY, &range) &&
		    errno != EINTR && errno != EAGAIN)
			return -1;
	return 0;
}

uint64_t kvm_stat(int of, const char *name)
{
	int fd = ioctl(of, KVM_GET_STATS_FD, NULL);
	struct kvm_stats_header header;
	char text[sizeof(struct kvm_stats_desc) + KVM_STATS_NAME_MAX];
	const struct kvm_stats_desc *desc = (const void *)text;
	uint64_t value = 0;
	bool found = false;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    header.name_size > KVM_STATS_NAME_MAX)
		die("KVM tells no statistics: %s", strerror(errno));
	for (uint32_t i = 0; i < header.num_desc && !found; i++) {
		size_t size = sizeof(*desc) + header.name_size;

		if (pread(fd, text, size, header.desc_offset + i * size) != (ssize_t)size)
			die("KVM tells no statistics: %s", strerror(errno));
		found = !strncmp(desc->name, name, header.name_size);
	}
	if (!found || pread(fd, &value, sizeof(value), header.data_offset + desc->offset) !=
	    sizeof(value))
		die("KVM has no statistics of %s", name);
	close(fd);
	return value;
}
