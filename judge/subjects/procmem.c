// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/self/mem: the control. The kernel looks every page up anew, so that nothing can be
 * stale. What the judge says of this subject is a mistake of the judge, or of mm/.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "subject.h"

#define SLOTS	8

#define LATE_US	2000

/* Of so many pages, procmem-deaf cannot read one. */
#define DEAF_TO		16

/**
 * struct procmem - the instance, which is its own accessor
 * @fd: /proc/self/mem
 * @lock: of @slots; a transfer holds it for reading to its end, for no access uses a slot any
 *	more once it is deleted
 * @slots: where the process has what a gpa means; a length of 0: no slot
 */
struct procmem {
	int fd;
	pthread_rwlock_t lock;
	struct {
		uint64_t gpa;
		char *hva;
		size_t length;
		unsigned int flags;
	} slots[SLOTS];
};

/* Transfers follow each other without a pause: a change of slots has to come first. */
static void make_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

static int procmem_create(void **subject)
{
	struct procmem *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	make_lock(&memory->lock);
	memory->fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (memory->fd < 0) {
		free(memory);
		return -errno;
	}
	*subject = memory;
	return 0;
}

static void procmem_destroy(void *subject)
{
	struct procmem *memory = subject;

	close(memory->fd);
	pthread_rwlock_destroy(&memory->lock);
	free(memory);
}

static int procmem_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			    void *hva, size_t length)
{
	struct procmem *memory = subject;

	if (id >= SLOTS || flags & SLOT_LOG_DIRTY)
		return -EINVAL;
	pthread_rwlock_wrlock(&memory->lock);
	memory->slots[id].gpa = gpa;
	memory->slots[id].hva = hva;
	memory->slots[id].flags = flags;
	memory->slots[id].length = length;
	pthread_rwlock_unlock(&memory->lock);
	return 0;
}

static int procmem_slot_delete(void *subject, unsigned int id)
{
	struct procmem *memory = subject;

	pthread_rwlock_wrlock(&memory->lock);
	memory->slots[id].length = 0;
	pthread_rwlock_unlock(&memory->lock);
	return 0;
}

static int procmem_accessor_open(void *subject, void **accessor)
{
	*accessor = subject;
	return 0;
}

static void procmem_accessor_close(void *accessor)
{
	(void)accessor;
}

/* The file offset of a gpa, and how many bytes its slot has from there. */
static off_t find_offset(const struct procmem *memory, uint64_t gpa, size_t *length, bool write)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		size_t size = memory->slots[i].length;
		uint64_t into = gpa - memory->slots[i].gpa;

		if (into >= size)
			continue;
		if (write && memory->slots[i].flags & SLOT_READONLY)
			return -EACCES;
		if (*length > size - into)
			*length = size - into;
		return (off_t)(uintptr_t)(memory->slots[i].hva + into);
	}
	return -ENXIO;
}

/* It is -EIO where there is no memory, and 0 when the process is gone. */
static ssize_t result_of(ssize_t done)
{
	if (done < 0)
		return errno == EIO ? -EFAULT : -errno;
	return done ?: -ESRCH;
}

/* Copies to @to, or from @from if that is given. */
static ssize_t transfer(struct procmem *memory, uint64_t gpa, void *to, const void *from,
			size_t length)
{
	ssize_t done;
	off_t offset;

	pthread_rwlock_rdlock(&memory->lock);
	offset = find_offset(memory, gpa, &length, from);
	if (offset < 0)
		done = offset;
	else
		done = result_of(from ? pwrite(memory->fd, from, length, offset) :
					pread(memory->fd, to, length, offset));
	pthread_rwlock_unlock(&memory->lock);
	return done;
}

static ssize_t procmem_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	return transfer(accessor, gpa, buffer, NULL, length);
}

static ssize_t procmem_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	return transfer(accessor, gpa, NULL, buffer, length);
}

/* The bug of procmem-unlocked: looks its slot up, and writes when the slot may have gone. */
static ssize_t write_late(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	struct procmem *memory = accessor;
	off_t offset;

	pthread_rwlock_rdlock(&memory->lock);
	offset = find_offset(memory, gpa, &length, true);
	pthread_rwlock_unlock(&memory->lock);
	if (offset < 0)
		return offset;
	usleep(LATE_US);
	return result_of(pwrite(memory->fd, buffer, length, offset));
}

/* The bug of procmem-deaf: it never reads one page in some. */
static ssize_t read_most(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	if (gpa / SUBJECT_PAGE % DEAF_TO == DEAF_TO / 2)
		return -EFAULT;
	return transfer(accessor, gpa, buffer, NULL, length);
}

#define PROCMEM								\
	.limits = SUBJECT_NO_PERMISSION | SUBJECT_NO_USERFAULT,		\
	.high = true,							\
	.late_writes = true,						\
	.create = procmem_create,					\
	.destroy = procmem_destroy,					\
	.slot_set = procmem_slot_set,					\
	.slot_delete = procmem_slot_delete,				\
	.accessor_open = procmem_accessor_open,				\
	.accessor_close = procmem_accessor_close

SUBJECT(procmem) = {
	.name = "procmem",
	.summary = "/proc/self/mem, the control: it has no translations to go stale",
	PROCMEM,
	.read = procmem_read,
	.write = procmem_write,
};

SUBJECT(procmem_unlocked) = {
	.name = "procmem-unlocked",
	.summary = "the same with writes that arrive late, for a storm to convict",
	.storms_only = true,
	PROCMEM,
	.read = procmem_read,
	.write = write_late,
};

SUBJECT(procmem_deaf) = {
	.name = "procmem-deaf",
	.summary = "the same with pages that it cannot read, for a storm to convict",
	.storms_only = true,
	PROCMEM,
	.read = read_most,
	.write = procmem_write,
};
