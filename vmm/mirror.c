// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "mirror.h"
#include "report.h"

/**
 * mirror_open - open the driver
 * @mirror: filled in
 *
 * Return: 0, or -1 after a message.
 */
int mirror_open(struct mirror *mirror)
{
	struct secmmu_info info = { .size = sizeof(info) };
	int err;

	mirror->fd = -1;
	mirror->device = secmmu_open();
	err = -mirror->device;
	if (err == EACCES || err == EPERM)
		return report_error("no permission to open /dev/secmmu");
	if (err == ENOENT || err == ENODEV || err == ENXIO)
		return report_error("no /dev/secmmu: load the driver: insmod secmmu.ko");
	if (err > 0)
		return report_error("cannot open /dev/secmmu: %s", strerror(err));
	err = secmmu_call(mirror->device, SECMMU_GET_INFO, &info, sizeof(info));
	if (err) {
		report_error("/dev/secmmu does not answer: %s", strerror(-err));
		goto close;
	}
	if (info.abi_version != SECMMU_ABI_VERSION) {
		report_error("/dev/secmmu has ABI version %u, not %u",
			     info.abi_version, SECMMU_ABI_VERSION);
		goto close;
	}
	return 0;

close:
	mirror_close(mirror);
	return -1;
}

/**
 * mirror_create - mirror this process's memory
 * @mirror: opened
 * @policy: enum secmmu_flush_policy
 * @batch: its flush_batch
 *
 * Return: 0, or -1 after a message.
 */
int mirror_create(struct mirror *mirror, uint32_t policy, uint32_t batch)
{
	mirror->fd = secmmu_create_mirror(mirror->device, policy, batch);
	if (mirror->fd < 0)
		return report_error("cannot create a mirror: %s", strerror(-mirror->fd));
	return 0;
}

/**
 * mirror_create_of - mirror another process's memory
 * @mirror: opened
 * @pid: the process
 *
 * Return: 0, or -1 after a message.
 */
int mirror_create_of(struct mirror *mirror, pid_t pid)
{
	mirror->fd = secmmu_create_mirror_of(mirror->device, pid);
	if (mirror->fd >= 0)
		return 0;
	if (mirror->fd == -EPERM)
		return report_error("no permission to mirror process %d: that takes CAP_SYS_PTRACE in its user namespace, as root has it",
				    pid);
	if (mirror->fd == -ESRCH)
		return report_error("process %d has no memory to mirror: it is a kernel thread, or ending",
				    pid);
	return report_error("cannot mirror process %d: %s", pid, strerror(-mirror->fd));
}

/**
 * mirror_set_identity - let gpas be addresses of the process
 * @mirror: the mirror, without slots
 *
 * One slot over all that a process can have, as far as gpas reach.
 *
 * Return: the first address beyond, or 0 after a message.
 */
uint64_t mirror_set_identity(const struct mirror *mirror)
{
	/* Kernels keep the last page of an address space free, or do not. */
	static const uint64_t kept_free[] = { 0, 4096 };
	int err = 0;

	for (int bits = SECMMU_GPA_BITS; bits > 32; bits--) {
		for (size_t i = 0; i < 2; i++) {
			uint64_t length = (1ull << bits) - kept_free[i];

			err = secmmu_set_slot(mirror->fd, 0, 0, 0, NULL, length);
			if (!err)
				return length;
			/* Beyond the address space, that is. */
			if (err != -EINVAL)
				break;
		}
	}
	report_error("cannot set a mirror slot: %s", strerror(-err));
	return 0;
}

/**
 * mirror_set_slot - tell the mirror where guest memory is
 * @mirror: the mirror
 * @slot: id
 * @flags: SECMMU_SLOT_*
 * @gpa: first guest physical address
 * @hva: first host address
 * @length: bytes; zero deletes the slot
 *
 * Return: 0, or -1 after a message.
 */
int mirror_set_slot(const struct mirror *mirror, uint32_t slot, uint32_t flags,
		    uint64_t gpa, const void *hva, uint64_t length)
{
	int err = secmmu_set_slot(mirror->fd, slot, flags, gpa, hva, length);

	if (err)
		return report_error("cannot set mirror slot %u: %s", slot,
				    strerror(-err));
	return 0;
}

/**
 * mirror_add_memory - hand all guest memory to the mirror
 * @mirror: the mirror
 * @memory: guest memory
 *
 * The engines may look at the fixed region, but not change it.
 *
 * Return: 0, or -1 after a message.
 */
int mirror_add_memory(const struct mirror *mirror, const struct memory *memory)
{
	for (uint32_t i = 0; i < MEMORY_SLOTS; i++) {
		const struct memory_slot *slot = &memory->slots[i];
		uint32_t flags = i == MEMORY_FIXED_SLOT ?
				 SECMMU_SLOT_READONLY : 0;

		if (mirror_set_slot(mirror, i, flags, slot->gpa, slot->hva,
				    slot->length))
			return -1;
	}
	return 0;
}

/**
 * mirror_stats - read the mirror's counters
 * @mirror: the mirror
 * @stats: filled in
 *
 * Return: 0, or -1 after a message.
 */
int mirror_stats(const struct mirror *mirror, struct secmmu_stats *stats)
{
	int err;

	/* A signal that has been noted ends no call. */
	do {
		err = secmmu_get_stats(mirror->fd, stats);
	} while (err == -EINTR);
	if (err)
		return report_error("cannot read the mirror's counters: %s",
				    strerror(-err));
	return 0;
}

/**
 * mirror_judge - let a test build of the driver compare the mirror with the memory
 * @mirror: the mirror; the memory is at rest
 * @result: filled in
 *
 * Return: 0, 1 if this is not a test build or not for us to ask, or -1 after a
 * message.
 */
int mirror_judge(const struct mirror *mirror, struct secmmu_test_oracle *result)
{
	int err;

	*result = (struct secmmu_test_oracle) { .size = sizeof(*result) };
	do {
		err = secmmu_call(mirror->fd, SECMMU_TEST_CHECK, result, sizeof(*result));
	} while (err == -EINTR);
	if (!err)
		return 0;
	if (err == -ENOTTY || err == -EPERM)
		return 1;
	return report_error("cannot compare mirror and memory: %s", strerror(-err));
}

/**
 * mirror_close - close the mirror and the device
 * @mirror: opened or not
 */
void mirror_close(struct mirror *mirror)
{
	if (mirror->fd >= 0)
		close(mirror->fd);
	if (mirror->device >= 0)
		close(mirror->device);
	mirror->fd = -1;
	mirror->device = -1;
}

/**
 * engine_create - make an engine of a mirror
 * @engine: filled in
 * @mirror: its mirror
 * @flags: SECMMU_ENGINE_*
 *
 * Return: 0, or -1 after a message.
 */
int engine_create(struct engine *engine, const struct mirror *mirror,
		  uint32_t flags)
{
	engine->memory = NULL;
	engine->tag = 0;
	engine->fd = secmmu_create_engine_with(mirror->fd, flags);
	if (engine->fd < 0)
		return report_error("cannot create an engine: %s", strerror(-engine->fd));
	return 0;
}

/**
 * engine_create_unmirrored - make something that behaves like an engine
 * @engine: filled in
 * @memory: guest memory
 *
 * Its accesses go through /proc/self/mem: the kernel looks every page up
 * afresh, so it cannot be stale, and unmapped memory is an error, not a signal.
 *
 * Return: 0, or -1 after a message.
 */
int engine_create_unmirrored(struct engine *engine, const struct memory *memory)
{
	engine->memory = memory;
	engine->tag = 0;
	engine->fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (engine->fd < 0)
		return report_error("cannot open /proc/self/mem: %s",
				    strerror(errno));
	return 0;
}

/**
 * engine_close - close an engine
 * @engine: created, or with an fd of -1
 */
void engine_close(struct engine *engine)
{
	if (engine->fd >= 0)
		close(engine->fd);
	engine->fd = -1;
}

/* The file offset of a gpa, or -ENXIO. */
static off_t engine_offset(const struct engine *engine, uint64_t gpa,
			   size_t length)
{
	const void *hva;

	if (!engine->memory)
		return (off_t)(gpa | engine->tag);
	hva = memory_range(engine->memory, gpa, length);
	return hva ? (off_t)(uintptr_t)hva : -ENXIO;
}

/* What unmapped memory looks like, by the driver's numbers. */
static ssize_t engine_error(const struct engine *engine)
{
	return engine->memory && errno == EIO ? -EFAULT : -errno;
}

/**
 * engine_read - read guest memory as the engine sees it
 * @engine: the engine
 * @gpa: guest physical address
 * @buffer: where to put it
 * @length: bytes, in one slot
 *
 * Return: bytes read, perhaps fewer, or a negative errno as in secmmu.h.
 */
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length)
{
	off_t offset = engine_offset(engine, gpa, length);
	ssize_t ret;

	if (offset < 0)
		return offset;
	ret = pread(engine->fd, buffer, length, offset);
	return ret < 0 ? engine_error(engine) : ret;
}

/**
 * engine_write - write guest memory as the engine sees it
 * @engine: the engine
 * @gpa: guest physical address
 * @buffer: what to write
 * @length: bytes, in one slot
 *
 * Return: bytes written, perhaps fewer, or a negative errno as in secmmu.h.
 */
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length)
{
	off_t offset = engine_offset(engine, gpa, length);
	ssize_t ret;

	if (offset < 0)
		return offset;
	ret = pwrite(engine->fd, buffer, length, offset);
	return ret < 0 ? engine_error(engine) : ret;
}

static int expect(const char *what, ssize_t done, ssize_t expected)
{
	if (done == expected)
		return 0;
	return report_error("%s gives %zd, not %zd", what, done, expected);
}

/**
 * mirror_check_slots - does the mirror know what it was told?
 * @engine: an engine of it
 * @memory: what mirror_add_memory() handed over, with the guest image in it
 *
 * Return: 0, or -1 after a message.
 */
int mirror_check_slots(const struct engine *engine, const struct memory *memory)
{
	const struct memory_slot *arena = &memory->slots[MEMORY_ARENA_SLOT];
	const void *image = memory_range(memory, GUEST_IMAGE_GPA,
					 GUEST_PAGE_SIZE);
	char page[GUEST_PAGE_SIZE];

	if (expect("reading the guest image",
		   engine_read(engine, GUEST_IMAGE_GPA, page, sizeof(page)),
		   sizeof(page)))
		return -1;
	if (!image || memcmp(page, image, sizeof(page)))
		return report_error("the mirror shows another guest image");
	if (expect("writing the read-only slot",
		   engine_write(engine, GUEST_IMAGE_GPA, page, sizeof(page)),
		   -EACCES))
		return -1;
	return expect("reading between two slots",
		      engine_read(engine, arena->gpa + arena->length, page,
				  sizeof(page)), -ENXIO);
}
