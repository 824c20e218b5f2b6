// SPDX-License-Identifier: GPL-2.0
/*
 * drm_gpusvm, the library of GPU drivers, through a shim without a GPU (../shims/gpusvm.c).
 * Its ranges are up to 2 MiB, and come and go as one. Accessors share the device.
 */
#include "shim.h"
#include "subject.h"

#define DEVICE	"/dev/judge_gpusvm"
#define RANGE	(2ul << 20)
#define MOST	(64ul << 10)

static int gpusvm_probe(char *why, size_t size)
{
	return shim_probe(DEVICE, why, size);
}

static int gpusvm_create(void **subject)
{
	return shim_create(DEVICE, subject);
}

static int gpusvm_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			   void *hva, size_t length)
{
	(void)subject;
	(void)id;
	(void)length;
	return flags || gpa != (uintptr_t)hva ? -EINVAL : 0;
}

SUBJECT(gpusvm) = {
	.name = "gpusvm",
	.summary = "drm_gpusvm, the library of GPU drivers, without a GPU",
	/* The library wants the driver's lock around a fault. */
	.limits = SUBJECT_IDENTITY | SUBJECT_NO_SLOTS | SUBJECT_NO_READONLY_SLOTS |
		  SUBJECT_ONE_FAULT,
	.grain = RANGE,
	.most = MOST,
	.probe = gpusvm_probe,
	.create = gpusvm_create,
	.destroy = shim_destroy,
	.slot_set = gpusvm_slot_set,
	.accessor_open = shim_accessor_open,
	.accessor_close = shim_accessor_close,
	.read = shim_read,
	.write = shim_write,
	.misses = shim_misses,
};
