// SPDX-License-Identifier: GPL-2.0
/*
 * DMA of a network card through an IOMMU whose page table follows the process's memory
 * (../shims/iommu.c). Accessors share the card. The shim can make mistakes on purpose: with
 * each of them it is another subject, which must be convicted.
 */
#include <string.h>
#include "shim.h"
#include "subject.h"

#define DEVICE		"/dev/judge_iommu"
#define PARAMETERS	"/sys/module/judge_iommu/parameters/"
/* The card moves packets. */
#define LEAST		64
#define MOST		4096

static int set_parameter(const char *name, bool value)
{
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value ? "1" : "0", 1) != 1)
		ret = -errno;
	close(fd);
	return ret;
}

/* With the mistake @wanted, and without the others. */
static int probe_with(const char *wanted, char *why, size_t size)
{
	static const char * const mistakes[] = { "no_unmap", "no_sync", "no_dirty" };
	int ret = shim_probe(DEVICE, why, size);

	for (size_t i = 0; !ret && i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		ret = set_parameter(mistakes[i], !strcmp(mistakes[i], wanted));
		if (ret)
			snprintf(why, size, "no parameter %s: %s", mistakes[i], strerror(-ret));
	}
	return ret;
}

static int iommu_probe(char *why, size_t size)
{
	return probe_with("", why, size);
}

static int no_unmap_probe(char *why, size_t size)
{
	return probe_with("no_unmap", why, size);
}

static int no_sync_probe(char *why, size_t size)
{
	return probe_with("no_sync", why, size);
}

static int no_dirty_probe(char *why, size_t size)
{
	return probe_with("no_dirty", why, size);
}

static int iommu_create(void **subject)
{
	return shim_create(DEVICE, subject);
}

static int set_slot(const struct shim *shim, uint64_t gpa, const void *hva, size_t length)
{
	struct judge_slot slot = {
		.address = gpa,
		.hva = (uintptr_t)hva,
		.length = length,
	};

	return ioctl(shim->fd, JUDGE_SLOT, &slot) ? -errno : 0;
}

static int iommu_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			  void *hva, size_t length)
{
	(void)id;
	return flags ? -EINVAL : set_slot(subject, gpa, hva, length);
}

static int iommu_slot_delete(void *subject, unsigned int id)
{
	(void)id;
	return set_slot(subject, 0, NULL, 0);
}

/* A card that moves no more than MOST must not leave too little for the next transfer. */
static ssize_t iommu_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	if (length > MOST && length < MOST + LEAST)
		length -= LEAST;
	return shim_write(accessor, gpa, buffer, length);
}

static uint64_t iommu_mapped(void *subject)
{
	const struct shim *shim = subject;
	__u64 mapped = 0;

	return ioctl(shim->fd, JUDGE_MAPPED, &mapped) ? 0 : mapped;
}

#define IOMMU_SUBJECT								\
	.limits = SUBJECT_NO_READONLY_SLOTS | SUBJECT_ONE_SLOT,			\
	.least_write = LEAST,							\
	.create = iommu_create,							\
	.destroy = shim_destroy,						\
	.slot_set = iommu_slot_set,						\
	.slot_delete = iommu_slot_delete,					\
	.accessor_open = shim_accessor_open,					\
	.accessor_close = shim_accessor_close,					\
	.read = shim_read,							\
	.write = iommu_write,							\
	.misses = shim_misses,							\
	.mapped = iommu_mapped

SUBJECT(iommu) = {
	.name = "iommu",
	.summary = "DMA of a network card through an IOMMU",
	.probe = iommu_probe,
	IOMMU_SUBJECT,
};

SUBJECT(iommu_no_unmap) = {
	.name = "iommu-no-unmap",
	.summary = "the same, where pages stay mapped: a negative control",
	.probe = no_unmap_probe,
	IOMMU_SUBJECT,
};

SUBJECT(iommu_no_sync) = {
	.name = "iommu-no-sync",
	.summary = "the same, where translations stay in the IOTLB: a negative control",
	.probe = no_sync_probe,
	IOMMU_SUBJECT,
};

SUBJECT(iommu_no_dirty) = {
	.name = "iommu-no-dirty",
	.summary = "the same, where no page becomes dirty: a negative control",
	.probe = no_dirty_probe,
	IOMMU_SUBJECT,
};
