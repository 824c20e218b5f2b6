// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/kvm.h>
#include "message.h"
#include "vm.h"

/* guest/image.S */
extern const char guest_image[];
extern const char guest_image_end[];

static int open_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		die("no permission to open /dev/kvm");
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		die("no usable /dev/kvm: load kvm-amd or kvm-intel");
	die("cannot open /dev/kvm: %s", strerror(errno));
}

/**
 * vm_set_slot - set a slot of guest memory, or have it log what the guest writes
 * @vm: the machine
 * @id: number of the slot
 * @log: it logs
 *
 * Return: 0, or a negative errno.
 */
int vm_set_slot(const struct vm *vm, unsigned int id, bool log)
{
	const struct memory_slot *slot = &vm->memory->slots[id];
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.flags = log ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.guest_phys_addr = slot->gpa,
		.memory_size = slot->length,
		.userspace_addr = (uintptr_t)slot->hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

/**
 * vm_dirty_log - take the log of a slot
 * @vm: the machine
 * @id: number of the slot, which logs
 * @bitmap: set to a bit for each page, of those that were written since the call before
 *
 * Return: 0, or a negative errno.
 */
int vm_dirty_log(const struct vm *vm, unsigned int id, uint64_t *bitmap)
{
	struct kvm_dirty_log log = { .slot = id, .dirty_bitmap = bitmap };

	return ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) ? -errno : 0;
}

static void set_memslots(const struct vm *vm)
{
	for (unsigned int i = 0; i < MEMORY_SLOTS; i++) {
		int error = vm_set_slot(vm, i, false);

		if (error)
			die("cannot set memslot %u: %s", i, strerror(-error));
	}
}

static void load_image(const struct vm *vm)
{
	size_t size = (size_t)(guest_image_end - guest_image);
	void *to = memory_range(vm->memory, GUEST_IMAGE_GPA, GUEST_IMAGE_SIZE);

	if (!to || size > GUEST_IMAGE_SIZE)
		die("the guest image of %zu bytes does not fit", size);
	memcpy(to, guest_image, size);
}

/**
 * vm_create - make a virtual machine over guest memory, and load the guest
 * @vm: filled in
 * @memory: its memory
 */
void vm_create(struct vm *vm, const struct memory *memory)
{
	int size;

	*vm = (struct vm) { .kvm = open_kvm(), .memory = memory };
	if (ioctl(vm->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		die("/dev/kvm speaks another API version");
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		die("/dev/kvm reports a struct kvm_run of %d bytes", size);
	vm->run_size = (size_t)size;
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die("cannot create a virtual machine: %s", strerror(errno));
	vm_arch_init(vm);
	set_memslots(vm);
	load_image(vm);
}

/**
 * vm_destroy - close the machine; its vCPUs are closed already
 * @vm: what vm_create() filled in
 */
void vm_destroy(struct vm *vm)
{
	close(vm->fd);
	close(vm->kvm);
}
