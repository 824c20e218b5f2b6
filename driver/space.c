// SPDX-License-Identifier: GPL-2.0
#include "space.h"
#include "tag.h"

/**
 * secmmu_spaces_init - start with nothing loaded
 * @spaces: zeroed
 */
void secmmu_spaces_init(struct secmmu_spaces *spaces)
{
	unsigned int i;

	for (i = 0; i < SECMMU_ASIDS; i++) {
		spaces->space[i].asid = i;
		INIT_LIST_HEAD(&spaces->space[i].link);
	}
}

/* Leave the list of the mirror, which may have ended. */
static void unlink_space(struct secmmu_space *space)
{
	spin_lock(&secmmu_loaded_lock);
	list_del_init(&space->link);
	spin_unlock(&secmmu_loaded_lock);
}

/**
 * secmmu_spaces_destroy - undo secmmu_spaces_init()
 * @spaces: not attached
 */
void secmmu_spaces_destroy(struct secmmu_spaces *spaces)
{
	unsigned int i;

	for (i = 0; i < SECMMU_ASIDS; i++)
		unlink_space(&spaces->space[i]);
}

static bool is_loaded(const struct secmmu_space *space,
		      const struct secmmu_mirror *mirror, unsigned int domain)
{
	return space->mirror_id == mirror->id && space->domain == domain;
}

/* The space to give up: never used, or least recently used. */
static struct secmmu_space *choose_victim(struct secmmu_spaces *spaces)
{
	struct secmmu_space *oldest = &spaces->space[0];
	unsigned int i;

	for (i = 1; i < SECMMU_ASIDS; i++)
		if (spaces->space[i].used < oldest->used)
			oldest = &spaces->space[i];
	return oldest;
}

/* Load a domain of a mirror; changes of the mode reach the space from now on. */
static void load_space(struct secmmu_space *space, struct secmmu_mirror *mirror,
		       unsigned int domain)
{
	secmmu_gate(ATTACH, 0);
	space->mirror_id = mirror->id;
	space->domain = domain;
	spin_lock(&secmmu_loaded_lock);
	list_move(&space->link, &mirror->loaded);
	WRITE_ONCE(space->untag, mirror->untag);
	spin_unlock(&secmmu_loaded_lock);
}

/* Make the space of a domain of the mirror the current one. */
static void switch_space(struct secmmu_spaces *spaces, struct secmmu_pgtable *pt,
			 unsigned int domain)
{
	struct secmmu_space *space = NULL;
	unsigned int i;

	for (i = 0; i < SECMMU_ASIDS && !space; i++)
		if (is_loaded(&spaces->space[i], spaces->mirror, domain))
			space = &spaces->space[i];
	if (!space) {
		space = choose_victim(spaces);
		secmmu_tlb_forget(&spaces->tlb, space->asid);
		load_space(space, spaces->mirror, domain);
	}
	space->used = ++spaces->clock;
	space->pt = pt;
	spaces->current_space = space;
}

/**
 * secmmu_spaces_attach - attach to a mirror
 * @spaces: the engine's; leaves the mirror that it is attached to
 * @mirror: the mirror; the caller has a reference while the engine is attached
 * @domain: the first domain to work in
 *
 * Context: may sleep. The engine is locked.
 * Return: 0; -ENXIO if the mirror has no such domain.
 */
int secmmu_spaces_attach(struct secmmu_spaces *spaces,
			 struct secmmu_mirror *mirror, unsigned int domain)
{
	struct secmmu_pgtable *pt = secmmu_root(&mirror->roots, domain);

	if (!pt)
		return -ENXIO;
	spaces->mirror = mirror;
	switch_space(spaces, pt, domain);
	return 0;
}

/**
 * secmmu_spaces_detach - leave the mirror, if there is one; it stays loaded
 * @spaces: the engine's
 *
 * Context: never sleeps. The engine is locked.
 */
void secmmu_spaces_detach(struct secmmu_spaces *spaces)
{
	spaces->mirror = NULL;
	spaces->current_space = NULL;
}

/**
 * secmmu_spaces_enter - go to another domain of the mirror
 * @spaces: the engine's
 * @domain: the domain
 *
 * Context: may sleep. The engine is locked.
 * Return: 0; -ENXIO if the mirror has no such domain, or the engine has no mirror.
 */
int secmmu_spaces_enter(struct secmmu_spaces *spaces, unsigned int domain)
{
	struct secmmu_pgtable *pt;

	if (!spaces->mirror)
		return -ENXIO;
	pt = secmmu_root(&spaces->mirror->roots, domain);
	if (!pt)
		return -ENXIO;
	switch_space(spaces, pt, domain);
	return 0;
}

/* Write the new mode into every engine that has the mirror loaded. */
static void set_mode(struct secmmu_mirror *mirror, u64 untag)
{
	struct secmmu_space *space;

	lockdep_assert_held(&secmmu_loaded_lock);
	WRITE_ONCE(mirror->untag, untag);
	secmmu_gate_spin(SET_TAG, 0);
	if (secmmu_refresh_is_sync(mirror))
		list_for_each_entry(space, &mirror->loaded, link)
			WRITE_ONCE(space->untag, untag);
}

/**
 * secmmu_set_tag_bits - change the bits of a gpa that engines ignore
 * @mirror: the mirror
 * @bits: as the user gave it
 *
 * After this returns no access follows the old mode.
 *
 * Context: may sleep; no locks.
 * Return: 0; -EINVAL; -EBUSY if the mode is frozen.
 */
int secmmu_set_tag_bits(struct secmmu_mirror *mirror, u32 bits)
{
	bool frozen;

	if (!secmmu_tag_bits_valid(bits))
		return -EINVAL;
	spin_lock(&secmmu_loaded_lock);
	frozen = mirror->tags_frozen;
	if (!frozen)
		set_mode(mirror, secmmu_untag_mask(bits));
	spin_unlock(&secmmu_loaded_lock);
	if (frozen)
		return -EBUSY;

	secmmu_refresh_set(mirror);
	/* Wait for windows that have read the old mode; pairs with (A). */
	smp_mb();
	secmmu_tlbs_wait(&mirror->tlbs);
	return 0;
}

/**
 * secmmu_freeze_tag_bits - forbid further changes of the mode
 * @mirror: the mirror
 *
 * Context: never sleeps.
 */
void secmmu_freeze_tag_bits(struct secmmu_mirror *mirror)
{
	spin_lock(&secmmu_loaded_lock);
	mirror->tags_frozen = true;
	spin_unlock(&secmmu_loaded_lock);
}
