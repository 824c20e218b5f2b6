// SPDX-License-Identifier: GPL-2.0
#include "../space.h"

/* The mirror whose policy was chosen last; all others have "sync". */
static struct {
	u64 mirror_id;
	u32 policy;
} chosen;

static u32 policy_of(const struct secmmu_mirror *mirror)
{
	return READ_ONCE(chosen.mirror_id) == mirror->id ? READ_ONCE(chosen.policy) :
							   SECMMU_REFRESH_SYNC;
}

/* Has any mirror ever had a policy other than "sync"? */
DEFINE_STATIC_KEY_FALSE(secmmu_refreshing);

/**
 * secmmu_refresh_space - read the mode again in a window, if the policy says so
 * @mirror: the mirror
 * @space: the loaded address space of the mirror
 * @gen: the TLB generation of the window
 *
 * Context: in a window. The engine is locked.
 */
void secmmu_refresh_space(struct secmmu_mirror *mirror,
			  struct secmmu_space *space, u64 gen)
{
	u32 policy = policy_of(mirror);

	if (policy == SECMMU_REFRESH_COMPARE ||
	    (policy == SECMMU_REFRESH_GEN_BUMP && space->looked.gen != gen))
		WRITE_ONCE(space->untag, READ_ONCE(mirror->untag));
	space->looked.gen = gen;
}

/**
 * secmmu_refresh_set - flush after a change of the mode, if the policy says so
 * @mirror: the mirror
 */
void secmmu_refresh_set(struct secmmu_mirror *mirror)
{
	if (policy_of(mirror) == SECMMU_REFRESH_GEN_BUMP)
		secmmu_flush(&mirror->tlbs, 0);
}

bool secmmu_refresh_is_sync(struct secmmu_mirror *mirror)
{
	return policy_of(mirror) == SECMMU_REFRESH_SYNC;
}

/**
 * secmmu_refresh_choose - choose the policy of a mirror
 * @mirror: the mirror
 * @arg: see &struct secmmu_test_refresh
 *
 * The mode can change again, even if engines had frozen it.
 *
 * Return: 0, -EINVAL.
 */
long secmmu_refresh_choose(struct secmmu_mirror *mirror,
			   const struct secmmu_test_refresh *arg)
{
	if (arg->policy > SECMMU_REFRESH_GEN_BUMP)
		return -EINVAL;
	if (arg->policy != SECMMU_REFRESH_SYNC)
		static_branch_enable(&secmmu_refreshing);
	spin_lock(&secmmu_loaded_lock);
	WRITE_ONCE(chosen.policy, arg->policy);
	WRITE_ONCE(chosen.mirror_id, mirror->id);
	mirror->tags_frozen = false;
	spin_unlock(&secmmu_loaded_lock);
	return 0;
}
