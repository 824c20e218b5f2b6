/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a change of the mode reaches engines that have the mirror loaded. A normal build
 * writes it into them ("sync", see space.h). Test builds can do otherwise, to
 * compare: see enum secmmu_test_refresh.
 */
#ifndef SECMMU_TEST_REFRESH_H
#define SECMMU_TEST_REFRESH_H

struct secmmu_mirror;
struct secmmu_space;

#include <linux/jump_label.h>
#include <linux/secmmu_test.h>

DECLARE_STATIC_KEY_FALSE(secmmu_refreshing);

/**
 * struct secmmu_looked - part of a loaded address space
 * @gen: the TLB generation when the mode was looked at last
 */
struct secmmu_looked {
	u64 gen;
};

void secmmu_refresh_space(struct secmmu_mirror *mirror,
			  struct secmmu_space *space, u64 gen);
void secmmu_refresh_set(struct secmmu_mirror *mirror);
bool secmmu_refresh_is_sync(struct secmmu_mirror *mirror);
long secmmu_refresh_choose(struct secmmu_mirror *mirror,
			   const struct secmmu_test_refresh *arg);

/* In a window, before the mode is read. */
static inline void secmmu_refresh(struct secmmu_mirror *mirror,
				  struct secmmu_space *space, u64 gen)
{
	if (static_branch_unlikely(&secmmu_refreshing))
		secmmu_refresh_space(mirror, space, gen);
}

#endif
