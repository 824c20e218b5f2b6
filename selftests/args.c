// SPDX-License-Identifier: GPL-2.0
/* What the fields of the arguments may hold, and what the outputs tell. */
#include <limits.h>

#include "secmmu_harness.h"

REGION_FIXTURE(args, 1)

FIXTURE_SETUP(args)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = ASSERT_MEMORY(region_map(1));
}

SECMMU_TEST_F(args, G2_info)
{
	struct secmmu_info info;

	memset(&info, POISON_BYTE, sizeof(info));
	info.size = sizeof(info);
	ASSERT_EQ(0, secmmu_call(self->dev, SECMMU_GET_INFO, &info, sizeof(info)));
	EXPECT_EQ(SECMMU_ABI_VERSION, info.abi_version);
	EXPECT_EQ(0, info.features & ~SECMMU_FEATURE_TEST);
	EXPECT_EQ(SECMMU_MAX_SLOTS, info.max_slots);
	EXPECT_EQ(SECMMU_MAX_FLUSH_BATCH, info.max_flush_batch);
	EXPECT_EQ(SECMMU_GPA_BITS, info.gpa_bits);
	EXPECT_EQ(PAGE, 1L << info.page_shift);
	EXPECT_EQ(SECMMU_MAX_DOMAINS, info.max_domains);
	EXPECT_EQ(SECMMU_MAX_KEYS, info.max_keys);
}

SECMMU_TEST_F(args, G2_stats_of_new_mirror)
{
	int mirror = NEW_MIRROR();

	EXPECT_COUNTER_OF(0, mirror, zapped);
	EXPECT_COUNTER_OF(0, mirror, zap_events);
	EXPECT_COUNTER_OF(0, mirror, flushes);
	EXPECT_COUNTER_OF(0, mirror, assists);
	EXPECT_COUNTER_OF(0, mirror, interrupts);
	EXPECT_COUNTER_OF(0, mirror, unpaired);
	EXPECT_COUNTER_OF(0, mirror, faults);
	EXPECT_COUNTER_OF(0, mirror, fault_pages);
	EXPECT_COUNTER_OF(0, mirror, retries);
	EXPECT_COUNTER_OF(0, mirror, reads);
	EXPECT_COUNTER_OF(0, mirror, writes);
	close(mirror);
}

SECMMU_TEST_F(args, G2_reserved_and_flags)
{
	struct secmmu_create_mirror cm;
	struct secmmu_create_engine ce;
	struct secmmu_stats stats;
	__u32 flag;

	for (flag = 1; flag; flag <<= 1) {
		cm = (struct secmmu_create_mirror){ .size = sizeof(cm),
						    .flags = flag };
		if (!(flag & SECMMU_MIRROR_REFILL))
			EXPECT_EQ(-EINVAL, secmmu_call(self->dev, SECMMU_CREATE_MIRROR,
						       &cm, sizeof(cm)));
		cm.flags = 0;

		ce = (struct secmmu_create_engine){ .size = sizeof(ce),
						    .flags = flag };
		if (!(flag & (SECMMU_ENGINE_FAULT_AROUND | SECMMU_ENGINE_LEAVE_DOMAIN |
			      SECMMU_ENGINE_BACKGROUND | SECMMU_ENGINE_NOFAULT))) {
			EXPECT_EQ(-EINVAL, secmmu_call(self->mirror, SECMMU_CREATE_ENGINE,
						       &ce, sizeof(ce)));
		}

		if (!(flag & (SECMMU_SLOT_READONLY | SECMMU_SLOT_LOG_DIRTY))) {
			EXPECT_EQ(-EINVAL, secmmu_set_slot(self->mirror, 0, flag, 0,
							   self->mem, PAGE));
		}
		memset(&stats, POISON_BYTE, sizeof(stats));
		stats.size = sizeof(stats);
		stats.reserved = flag;
		EXPECT_EQ(-EINVAL, secmmu_call(self->mirror, SECMMU_GET_STATS,
					       &stats, sizeof(stats)));
	}
	/* None of the refused slots exists. */
	EXPECT_EQ(-ENXIO, secmmu_delete_slot(self->mirror, 0));
}

/* A policy and a batch, and what becomes of them. */
static const struct {
	__u32 policy, batch;
	int error;
} policies[] = {
	{ SECMMU_FLUSH_RANGE, 0, 0 },
	{ SECMMU_FLUSH_RANGE, 1, EINVAL },
	{ SECMMU_FLUSH_RANGE, UINT_MAX, EINVAL },
	{ SECMMU_FLUSH_ARRAY, 0, EINVAL },
	{ SECMMU_FLUSH_ARRAY, 1, 0 },
	{ SECMMU_FLUSH_ARRAY, SECMMU_MAX_FLUSH_BATCH, 0 },
	{ SECMMU_FLUSH_ARRAY, SECMMU_MAX_FLUSH_BATCH + 1, EINVAL },
	{ SECMMU_FLUSH_ARRAY, UINT_MAX, EINVAL },
	{ SECMMU_FLUSH_EACH, 0, 0 },
	{ SECMMU_FLUSH_EACH, 1, EINVAL },
	/* Reserved, and beyond. */
	{ 3, 0, EINVAL },
	{ 3, 1, EINVAL },
	{ 4, 0, EINVAL },
	{ 4, 1, EINVAL },
	{ UINT_MAX, 0, EINVAL },
};

SECMMU_TEST_F(args, G2_flush_policy)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		int ret = secmmu_create_mirror(self->dev, policies[i].policy,
					       policies[i].batch);

		if (policies[i].error) {
			EXPECT_EQ(-policies[i].error, ret);
		} else {
			EXPECT_LE(0, ret);
		}
		close(ret);
	}
}

/* Without the capability a process may mirror only itself, by each of its names. */
static int unprivileged(void *arg)
{
	int dev = *(int *)arg, mirror;

	CHECK(!setresuid(65534, 65534, 65534));
	CHECK(secmmu_create_mirror_of(dev, getppid()) == -EPERM);
	CHECK(secmmu_create_mirror_of(dev, 1) == -EPERM);
	mirror = secmmu_create_mirror_of(dev, getpid());
	CHECK(mirror >= 0);
	close(mirror);
	return 0;
}

SECMMU_TEST_F(args, G2_pid)
{
	int mirror;

	EXPECT_EQ(-EINVAL, secmmu_create_mirror_of(self->dev, -1));
	EXPECT_EQ(-EINVAL, secmmu_create_mirror_of(self->dev, INT_MIN));
	EXPECT_EQ(-ESRCH, secmmu_create_mirror_of(self->dev, INT_MAX));
	/* A kernel thread has no memory. */
	EXPECT_EQ(-ESRCH, secmmu_create_mirror_of(self->dev, 2));
	mirror = secmmu_create_mirror_of(self->dev, getppid());
	EXPECT_LE(0, mirror);
	close(mirror);
	EXPECT_EQ(0, child_wait(child_start(unprivileged, &self->dev)));
}

TEST_HARNESS_MAIN
