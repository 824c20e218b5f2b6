// SPDX-License-Identifier: GPL-2.0
/*
 * KVM as a mirror: a machine over the memory of the check, and a vCPU for each accessor,
 * which copies on command. What is under test is KVM's second level of translation, and its
 * notifier.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "copy_vcpu.h"
#include "inside.h"
#include "kvm_uapi.h"
#include "subject.h"

/* What vCPUs own lies above the check's slots: what they need, then a buffer. */
#define OWN_GPA		0xf0000000ul
#define BUFFER_SIZE	(16 * SUBJECT_PAGE)
#define OWN_SIZE	(COPY_VCPU_OWN + BUFFER_SIZE)
#define MAX_VCPUS	64

/* Slots of the check, then one for each vCPU. */
#define SLOTS		8

/* Pages that KVM maps with one entry, which it counts by their size. */
#define SIZES		2
#define LARGE		(512 * SUBJECT_PAGE)

/* So many interruptions in a row are no coincidence. */
#define SIGNALS_MOST	100
/* So many losses of one vCPU are none of the emulator's. */
#define LOSSES_MOST	16
/* Prefaults of a slot that is being deleted: each returns at once. */
#define TRIES_MOST	1000

/**
 * struct machine - the instance
 * @device: /dev/kvm
 * @fd: the machine
 * @vcpus: made so far; a vCPU stays when its accessor is closed
 * @stats: descriptor of its counters, or -1
 * @mapped: where in @stats the numbers of its pages of each size are, or 0
 * @slots: of the check; a length of 0: none. The rest is as set
 */
struct machine {
	int device;
	int fd;
	unsigned int vcpus;
	int stats;
	off_t mapped[SIZES];
	struct {
		uint64_t gpa;
		uint64_t length;
		void *hva;
		unsigned int flags;
	} slots[SLOTS];
};

/**
 * struct vcpu - an accessor
 * @machine: its machine
 * @fd: the vCPU
 * @run: shared with the kernel
 * @run_size: bytes of it
 * @own: what it owns of the guest's memory
 * @own_gpa: where
 * @program: how that begins
 * @losses: so often its state was lost
 * @dead: it was, and it cannot be set up again
 * @stats: descriptor of its counters, or -1
 * @counter: where in @stats %COPY_VCPU_COUNTER is
 */
struct vcpu {
	struct machine *machine;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	char *own;
	uint64_t own_gpa;
	char program[16];
	unsigned int losses;
	bool dead;
	int stats;
	off_t counter;
};

static int kvm_probe(char *why, size_t size)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		snprintf(why, size, "no usable /dev/kvm: %s", strerror(errno));
		return -errno;
	}
	close(fd);
	return 0;
}

/* Finds a counter by its name: its place in @stats, or 0. */
static off_t find_counter(int stats, const char *name)
{
	struct kvm_stats_header header;
	off_t place = 0;
	size_t size;

	if (stats < 0 || pread(stats, &header, sizeof(header), 0) != sizeof(header))
		return 0;
	size = sizeof(struct kvm_stats_desc) + header.name_size;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		struct kvm_stats_desc *desc = calloc(1, size);

		if (desc && pread(stats, desc, size, header.desc_offset + (off_t)(i * size)) ==
		    (ssize_t)size && !strcmp(desc->name, name))
			place = header.data_offset + desc->offset;
		free(desc);
	}
	return place;
}

static uint64_t read_counter(int stats, off_t place)
{
	uint64_t count = 0;

	if (!place || pread(stats, &count, sizeof(count), place) != sizeof(count))
		return 0;
	return count;
}

static int kvm_create(void **subject)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return -ENOMEM;
	machine->device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	machine->fd = ioctl(machine->device, KVM_CREATE_VM, 0);
	if (machine->fd < 0)
		return -errno;
	machine->stats = ioctl(machine->fd, KVM_GET_STATS_FD, NULL);
	machine->mapped[0] = find_counter(machine->stats, "pages_4k");
	machine->mapped[1] = find_counter(machine->stats, "pages_2m");
	*subject = machine;
	return copy_vcpu_make_room(machine->fd);
}

static void kvm_destroy(void *subject)
{
	struct machine *machine = subject;

	if (machine->stats >= 0)
		close(machine->stats);
	close(machine->fd);
	close(machine->device);
	free(machine);
}

static int set_memslot(const struct machine *machine, unsigned int id, unsigned int flags,
		       uint64_t gpa, void *hva, size_t length)
{
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = length,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(machine->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

static int kvm_slot_delete(void *subject, unsigned int id)
{
	struct machine *machine = subject;
	int ret = set_memslot(machine, id, 0, machine->slots[id].gpa, NULL, 0);

	if (!ret)
		__atomic_store_n(&machine->slots[id].length, 0, __ATOMIC_RELEASE);
	return ret;
}

/* The slot is there, and only its log begins or ends. */
static bool only_log(const struct machine *machine, unsigned int id, unsigned int flags,
		     uint64_t gpa, const void *hva, size_t length)
{
	return machine->slots[id].length == length && machine->slots[id].gpa == gpa &&
	       machine->slots[id].hva == hva &&
	       (machine->slots[id].flags | SLOT_LOG_DIRTY) == (flags | SLOT_LOG_DIRTY);
}

/* KVM moves a slot and has its log begin; all else it wants deleted first. */
static int kvm_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			void *hva, size_t length)
{
	struct machine *machine = subject;
	int ret;

	if (id >= SLOTS)
		return -EINVAL;
	if (machine->slots[id].length && !only_log(machine, id, flags, gpa, hva, length)) {
		ret = kvm_slot_delete(subject, id);
		if (ret)
			return ret;
	}
	ret = set_memslot(machine, id, (flags & SLOT_READONLY ? KVM_MEM_READONLY : 0) |
			  (flags & SLOT_LOG_DIRTY ? KVM_MEM_LOG_DIRTY_PAGES : 0), gpa, hva, length);
	if (ret)
		return ret;
	machine->slots[id].gpa = gpa;
	machine->slots[id].hva = hva;
	machine->slots[id].flags = flags;
	__atomic_store_n(&machine->slots[id].length, length, __ATOMIC_RELEASE);
	return 0;
}

/* The slot may have come back since the access: it is read-only, or it was not there. */
static bool is_readonly(const struct machine *machine, uint64_t gpa)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (gpa - machine->slots[i].gpa <
		    __atomic_load_n(&machine->slots[i].length, __ATOMIC_ACQUIRE) &&
		    machine->slots[i].flags & SLOT_READONLY)
			return true;
	return false;
}

/* What the guest's program lies in is not for children. */
static int map_own(struct vcpu *vcpu, unsigned int index)
{
	vcpu->own_gpa = OWN_GPA + index * OWN_SIZE;
	vcpu->own = mmap(NULL, OWN_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (vcpu->own == MAP_FAILED || madvise(vcpu->own, OWN_SIZE, MADV_DONTFORK))
		return -errno;
	return set_memslot(vcpu->machine, SLOTS + index, 0, vcpu->own_gpa, vcpu->own, OWN_SIZE);
}

static int kvm_accessor_open(void *subject, void **accessor)
{
	struct machine *machine = subject;
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	unsigned int index = machine->vcpus;
	int ret;

	if (!vcpu)
		return -ENOMEM;
	if (index == MAX_VCPUS)
		return -ENOSPC;
	vcpu->machine = machine;
	ret = map_own(vcpu, index);
	if (ret)
		return ret;
	vcpu->fd = ioctl(machine->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return -errno;
	machine->vcpus++;
	vcpu->run_size = (size_t)ioctl(machine->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		return -errno;
	ret = copy_vcpu_set_up(machine->fd, vcpu->fd, vcpu->own, vcpu->own_gpa);
	if (ret)
		return ret;
	memcpy(vcpu->program, vcpu->own, sizeof(vcpu->program));
	vcpu->stats = COPY_VCPU_COUNTS ? ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL) : -1;
	vcpu->counter = find_counter(vcpu->stats, COPY_VCPU_COUNTER);
	*accessor = vcpu;
	return 0;
}

/* What it owns stays in the machine, as the vCPU does. */
static void kvm_accessor_close(void *accessor)
{
	struct vcpu *vcpu = accessor;

	if (vcpu->stats >= 0)
		close(vcpu->stats);
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	free(vcpu);
}

/* There is no slot, or one that may not be written. */
static ssize_t end_mmio(const struct vcpu *vcpu)
{
	bool readonly = vcpu->run->mmio.is_write &&
			is_readonly(vcpu->machine, vcpu->run->mmio.phys_addr);

	copy_vcpu_end_mmio(vcpu->fd, vcpu->run, vcpu->own_gpa);
	return readonly ? -EACCES : -ENXIO;
}

/* Why a vCPU has left the guest, where nothing that the check does is a reason. */
static void say_exit(const struct kvm_run *run, ssize_t done, size_t length)
{
	static bool said;

	if (__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		return;
	fprintf(stderr, "kvm: a vCPU leaves after %zd bytes of %zu with exit reason %u", done, length,
		run->exit_reason);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
		fprintf(stderr, ", internal error %u:", run->internal.suberror);
		for (uint32_t i = 0; i < run->internal.ndata && i < 16; i++)
			fprintf(stderr, " %llx", (unsigned long long)run->internal.data[i]);
	} else if (run->exit_reason == KVM_EXIT_MMIO) {
		fprintf(stderr, ", a %s at %llx, which is not its to copy",
			run->mmio.is_write ? "write" : "read",
			(unsigned long long)run->mmio.phys_addr);
	}
	fputc('\n', stderr);
}

/* Has the vCPU left for what it was told to copy? What it owns is always there. */
static bool is_told(const struct kvm_run *run, uint64_t to, uint64_t from, size_t length)
{
	return run->mmio.phys_addr < OWN_GPA &&
	       run->mmio.phys_addr - (run->mmio.is_write ? to : from) < length;
}

/*
 * A triple fault, with the program still there: QEMU's emulation loses the state of a vCPU now and
 * then, and KVM has reset it. Returns false if it was somebody else, or happens too often.
 */
static bool revive(struct vcpu *vcpu)
{
	if (!is_emulated() || vcpu->losses == LOSSES_MOST ||
	    memcmp(vcpu->program, vcpu->own, sizeof(vcpu->program)) ||
	    copy_vcpu_set_up(vcpu->machine->fd, vcpu->fd, vcpu->own, vcpu->own_gpa))
		return false;
	vcpu->losses++;
	fprintf(stderr, "lost to the emulator: a vCPU of kvm: triple fault; its program is intact, "
		"and begins anew\n");
	return true;
}

/*
 * Runs the program once. Returns -ENOTRECOVERABLE after a triple fault; after any other error the
 * vCPU needs nothing to go on.
 */
static ssize_t run_copy(const struct vcpu *vcpu, uint64_t to, uint64_t from, size_t length)
{
	const struct kvm_run *run = vcpu->run;
	unsigned int signals = 0;
	ssize_t done, error;
	int ret = copy_vcpu_begin(vcpu->fd, vcpu->own_gpa, to, from, length);

	if (ret)
		return ret;
	/* Poisoned memory, which is none, is a signal at each attempt. */
	do {
		ret = ioctl(vcpu->fd, KVM_RUN, 0);
	} while (ret && errno == EINTR && ++signals < SIGNALS_MOST);
	error = errno == EINTR ? -EFAULT : -errno;
	if (!ret && copy_vcpu_done(run))
		return (ssize_t)length;
	if (!ret && run->exit_reason == KVM_EXIT_SHUTDOWN)
		return -ENOTRECOVERABLE;
	/* Before the access that failed is finished, for that moves a byte. */
	done = copy_vcpu_moved(vcpu->fd, ret ? NULL : run, length);
	if (!ret && run->exit_reason != KVM_EXIT_MMIO) {
		say_exit(run, done, length);
		return -EIO;
	}
	if (!ret && !is_told(run, to, from, length)) {
		say_exit(run, done, length);
		end_mmio(vcpu);
		return -EIO;
	}
	if (!ret)
		error = end_mmio(vcpu);
	return done > 0 ? done : error;
}

static ssize_t copy(struct vcpu *vcpu, uint64_t to, uint64_t from, size_t length)
{
	ssize_t done;

	if (vcpu->dead)
		return -EIO;
	do {
		done = run_copy(vcpu, to, from, length);
	} while (done == -ENOTRECOVERABLE && revive(vcpu));
	if (done != -ENOTRECOVERABLE)
		return done;
	say_exit(vcpu->run, 0, length);
	vcpu->dead = true;
	return -EIO;
}

static ssize_t kvm_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	struct vcpu *vcpu = accessor;
	ssize_t done = copy(vcpu, vcpu->own_gpa + COPY_VCPU_OWN, gpa, length);

	if (done > 0)
		memcpy(buffer, vcpu->own + COPY_VCPU_OWN, (size_t)done);
	return done;
}

static ssize_t kvm_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	struct vcpu *vcpu = accessor;

	memcpy(vcpu->own + COPY_VCPU_OWN, buffer, length);
	return copy(vcpu, gpa, vcpu->own_gpa + COPY_VCPU_OWN, length);
}

static bool kvm_can_prefault(void *subject)
{
	const struct machine *machine = subject;

	return ioctl(machine->fd, KVM_CHECK_EXTENSION, KVM_CAP_PRE_FAULT_MEMORY) > 0;
}

/* KVM maps for writing where it can. A slot that is being deleted is no reason to give up. */
static int kvm_prefault(void *accessor, uint64_t gpa, size_t length, bool write)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = length };
	const struct vcpu *vcpu = accessor;
	unsigned int tries = 0;

	(void)write;
	while (range.size)
		if (ioctl(vcpu->fd, KVM_PRE_FAULT_MEMORY, &range) &&
		    (errno != EAGAIN || ++tries == TRIES_MOST))
			return -errno;
	return 0;
}

static int kvm_dirty(void *subject, unsigned int id, uint64_t *bitmap, size_t pages)
{
	struct machine *machine = subject;
	struct kvm_dirty_log log = { .slot = id, .dirty_bitmap = bitmap };

	(void)pages;
	return ioctl(machine->fd, KVM_GET_DIRTY_LOG, &log) ? -errno : 0;
}

/* KVM counts page faults that gave the vCPU a translation. */
static uint64_t kvm_misses(void *accessor)
{
	const struct vcpu *vcpu = accessor;

	return read_counter(vcpu->stats, vcpu->counter);
}

/* With what the vCPUs own. */
static uint64_t kvm_mapped(void *subject)
{
	const struct machine *machine = subject;

	return read_counter(machine->stats, machine->mapped[0]) * SUBJECT_PAGE +
	       read_counter(machine->stats, machine->mapped[1]) * LARGE;
}

SUBJECT(kvm) = {
	.name = "kvm",
	.summary = "KVM, a machine over the memory and a vCPU for each accessor",
	.limits = SUBJECT_NO_EACCES | SUBJECT_NO_CHILD,
	.most = BUFFER_SIZE,
	.ages = true,
	.stuck_prefault = true,
	.probe = kvm_probe,
	.create = kvm_create,
	.destroy = kvm_destroy,
	.slot_set = kvm_slot_set,
	.slot_delete = kvm_slot_delete,
	.accessor_open = kvm_accessor_open,
	.accessor_close = kvm_accessor_close,
	.read = kvm_read,
	.write = kvm_write,
	.can_prefault = kvm_can_prefault,
	.prefault = kvm_prefault,
	.dirty = kvm_dirty,
	.misses = COPY_VCPU_COUNTS ? kvm_misses : NULL,
	.mapped = COPY_VCPU_COUNTS ? kvm_mapped : NULL,
};
